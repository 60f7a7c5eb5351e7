"""Logins of feeds: who gets them, and who never does."""

from collections.abc import AsyncIterator

import pytest
import structlog

from daemon.config.login import basic
from daemon.net.answers import FetchOutcome
from daemon.net.fetch import Fetcher, Request
from daemon.net.logins import struck_out, taken_apart
from daemon.urls import origin_of
from tests.servers.feeds import Answer, FeedServer, feed_server, raw_server

CANARY = "c4n4ry-t0k3n"


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as server:
        yield server


def ask(url: str) -> Request:
    return Request(url=url, user_agent="Test/1", secrets={"Authorization": f"Bearer {CANARY}", "X-Key": CANARY})


async def test_the_feeds_own_server_gets_it(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 34: the origin of the feed's own address is sent the secret headers, also where it redirects to itself."""
    server.script("/feed", Answer(status=301, headers={"Location": server.url("/there")}))
    server.script("/there", Answer(body=b"x"))
    assert (await fetcher.get(ask(server.url()))).outcome is FetchOutcome.OK
    assert [asked.headers[b"authorization"] for asked in server.requests] == [f"Bearer {CANARY}".encode()] * 2
    assert [asked.headers[b"x-key"] for asked in server.requests] == [CANARY.encode()] * 2


async def test_no_other_origin_gets_it(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 12 and 34: another port or name is another origin: secrets end there for good, those before a host included."""
    async with feed_server() as other:
        server.script("/feed", Answer(status=302, headers={"Location": f"http://who:ever@127.0.0.1:{other.port}/there"}))
        server.script("/back", Answer(body=b"x"))
        other.script("/there", Answer(status=302, headers={"Location": server.url("/back")}))
        for url in (server.url(), server.url().replace("http://", f"http://me:{CANARY}@")):
            assert (await fetcher.get(ask(url))).body == b"x"
        assert not any({b"authorization", b"x-key"} & set(asked.headers) for asked in other.requests)
        assert [b"authorization" in asked.headers for asked in server.requests] == [True, False] * 2


async def test_a_login_in_the_address(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 34: a login before the host is sent as basic, percent-encoding undone; nothing that comes back has it."""
    server.script("/feed", Answer(body=b"x"))
    url = server.url().replace("http://", "http://m%40e:p%2Fw@")
    answer = await fetcher.get(Request(url=url, user_agent="Test/1"))
    assert server.requests[0].headers[b"authorization"] == basic("m@e", "p/w").encode()
    assert answer.final_url == server.url()


async def test_it_appears_nowhere(fetcher: Fetcher) -> None:
    """Feeds 34: neither the answer, nor its errors, nor the request's own words, nor a log hold it, not even an echo."""
    echoes = [
        f"HTTP/1.1 2{CANARY}\r\n\r\n",
        f"HTTP/1.1 200 OK\r\nBad {CANARY} header\r\n\r\n",
        f"HTTP/1.1 200 OK\r\nContent-Length: {CANARY}\r\n\r\n",
        f"HTTP/1.1 401 {CANARY}\r\nWWW-Authenticate: {CANARY}\r\nContent-Length: 0\r\n\r\n",
    ]
    with structlog.testing.capture_logs() as logs:
        for echo in echoes:
            async with raw_server(echo.encode()) as url:
                request = ask(url.replace("http://", f"http://me:{CANARY}@"))
                answer = await fetcher.get(request)
                assert answer.outcome in {FetchOutcome.BAD_HTTP, FetchOutcome.UNAUTHORIZED}
                assert CANARY not in repr(answer)
                assert CANARY not in repr(ask(url))
    assert CANARY not in repr(logs)


def test_origins() -> None:
    """RFC 6454: scheme, host and port; a port that is the scheme's own may be left out."""
    assert origin_of("https://Example.org/a") == origin_of("https://example.org:443/b")
    others = ["http://example.org/", "https://example.org:8443/", "https://www.example.org/"]
    assert origin_of("https://example.org/") not in map(origin_of, others)


def test_addresses_without_a_login() -> None:
    """An address without one stays as it is, an `@` in its path included."""
    assert taken_apart("https://example.org/@me") == ("https://example.org/@me", {})


def test_short_secrets_are_no_words() -> None:
    """What is too short to be told from chance is left in a sentence."""
    assert struck_out("HTTP 401 from a server", {"X-Key": "a"}) == "HTTP 401 from a server"
