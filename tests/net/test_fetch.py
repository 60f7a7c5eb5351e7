"""The fetcher against real servers: what it sends, and what each way of answering amounts to."""

import asyncio
import gzip
import random
import socket
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest
import trustme

from daemon.clock import WallClock
from daemon.net.answers import FetchOutcome
from daemon.net.bodies import Limits
from daemon.net.fetch import Fetcher, Request
from daemon.net.politeness import Politeness
from tests.net.conftest import LOCAL
from tests.servers.feeds import Answer, FeedServer, feed_server, raw_server


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as server:
        yield server


def ask(url: str, etag: str = "", last_modified: str = "") -> Request:
    return Request(url=url, user_agent="Test/1", etag=etag, last_modified=last_modified)


@pytest.mark.parametrize("etag", ['"abc"', 'W/"abc"', "unquoted", '"é"', '"a, b"'])
async def test_validators_go_back_byte_for_byte(fetcher: Fetcher, server: FeedServer, etag: str) -> None:
    """Feeds 1: ETag and Last-Modified are sent back exactly as they came, quotes, `W/` and odd dates included."""
    modified = "Mon, 01-Jan-2024 10:00:00 +0000"
    server.script("/feed", Answer(body=b"x", headers={"ETag": etag, "Last-Modified": modified}))
    first = await fetcher.get(ask(server.url()))
    await fetcher.get(ask(server.url(), first.etag, first.last_modified))
    headers = server.requests[1].headers
    assert headers[b"if-none-match"] == etag.encode()
    assert headers[b"if-modified-since"] == modified.encode()


async def test_a_validator_that_cannot_be_sent_back_is_none(fetcher: Fetcher) -> None:
    """Feeds 1: an ETag that is not UTF-8 is dropped rather than reformatted."""
    async with raw_server(b'HTTP/1.1 200 OK\r\nETag: "\xff\xfe"\r\nContent-Length: 1\r\n\r\nx') as url:
        assert (await fetcher.get(ask(url))).etag == ""


async def test_an_unconditional_request_has_no_conditions(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 1 and 5: nothing is invented: no conditions, cookies or Referer; the encodings are those we can read."""
    server.script("/feed", Answer(body=b"x", headers={"Set-Cookie": "a=b"}))
    await fetcher.get(ask(server.url()))
    await fetcher.get(ask(server.url()))
    headers = server.requests[1].headers
    assert not {b"if-none-match", b"if-modified-since", b"cookie", b"referer"} & set(headers)
    assert headers[b"accept-encoding"] == b"gzip, br, zstd"
    assert headers[b"user-agent"] == b"Test/1"


async def test_not_modified(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 2: a 304 has no body and tells the validators it carries."""
    server.publish("/feed", b"body")
    first = await fetcher.get(ask(server.url()))
    second = await fetcher.get(ask(server.url(), first.etag))
    assert (second.outcome, second.body, second.etag) == (FetchOutcome.NOT_MODIFIED, b"", first.etag)


async def test_not_modified_without_being_asked(fetcher: Fetcher, server: FeedServer) -> None:
    """A 304 to a request without conditions is an error: there is nothing it could refer to."""
    server.script("/feed", Answer(status=304))
    assert (await fetcher.get(ask(server.url()))).outcome is FetchOutcome.BAD_HTTP


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (401, {}, "unauthorized"),
        (403, {}, "forbidden"),
        (403, {"X-RateLimit-Remaining": "0"}, "too_many"),
        (403, {"CF-Mitigated": "challenge"}, "too_many"),
        (404, {}, "not_found"),
        (410, {}, "gone"),
        (418, {}, "client_error"),
        (429, {"Retry-After": "120"}, "too_many"),
        (500, {}, "server_error"),
        (503, {}, "unavailable"),
        (302, {}, "bad_redirect"),
        (300, {"Location": "/other"}, "bad_redirect"),
    ],
)
async def test_statuses(fetcher: Fetcher, server: FeedServer, status: int, headers: dict[str, str], outcome: str) -> None:
    """Each status has one outcome (feeds 13, 14), and no body of an error is kept."""
    server.script("/feed", Answer(status=status, headers=headers, body=b"<html>"))
    answer = await fetcher.get(ask(server.url()))
    assert (str(answer.outcome), answer.status, answer.body) == (outcome, status, b"")
    assert answer.retry_after == (120.0 if "Retry-After" in headers else None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(fetcher: Fetcher, server: FeedServer, status: int) -> None:
    """Feeds 12: redirects lead on, also relative ones; the answer names where it came from."""
    server.script("/feed", Answer(status=status, headers={"Location": "there?a=1"}))
    server.script("/there", Answer(body=b"found"))
    answer = await fetcher.get(ask(server.url()))
    assert (answer.outcome, answer.body, answer.final_url) == (FetchOutcome.OK, b"found", server.url("/there?a=1"))


@pytest.mark.parametrize(("statuses", "permanent"), [((301, 308), True), ((301, 302), False), ((307, 308), False)])
async def test_moves(fetcher: Fetcher, server: FeedServer, statuses: tuple[int, int], *, permanent: bool) -> None:
    """Feeds 12: permanent redirects alone say that a feed has moved, and where to."""
    server.script("/feed", Answer(status=statuses[0], headers={"Location": "/there"}))
    server.script("/there", Answer(status=statuses[1], headers={"Location": "/end"}))
    server.script("/end", Answer(body=b"x"))
    assert (await fetcher.get(ask(server.url()))).moved == (server.url("/end") if permanent else "")
    assert (await fetcher.get(ask(server.url("/end")))).moved == ""


async def test_what_else_headers_say(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 9, 21, 30: how long the answer holds, where it lies, and its links come back, the same of a 304."""
    said = {"Cache-Control": "max-age=90", "Content-Location": "x/y", "Link": '</hub>; rel="hub"', "ETag": '"1"'}
    server.script("/feed", Answer(body=b"x", headers=said))
    for etag in ("", '"1"'):
        answer = await fetcher.get(ask(server.url(), etag))
        if not etag:
            assert (answer.fresh_for, answer.location) == (90.0, server.url("/x/y"))
            assert [link.url for link in answer.links] == [server.url("/hub")]


@pytest.mark.parametrize("delta", [False, True])
async def test_deltas(fetcher: Fetcher, server: FeedServer, *, delta: bool) -> None:
    """Feeds 6: only where it is wanted a server is told that it may leave out what is known; a 226 is good, and partial."""
    server.script("/feed", Answer(status=226 if delta else 200, body=b"x", headers={"IM": "feed"}))
    answer = await fetcher.get(replace(ask(server.url()), delta=delta))
    assert (answer.outcome, answer.partial, answer.body) == (FetchOutcome.OK, delta, b"x")
    assert server.requests[0].headers.get(b"a-im") == (b"feed" if delta else None)


async def test_redirects_in_a_circle(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 12: a loop is seen at its first repetition."""
    server.script("/feed", Answer(status=302, headers={"Location": "/other"}))
    server.script("/other", Answer(status=302, headers={"Location": "/feed"}))
    assert (await fetcher.get(ask(server.url()))).outcome is FetchOutcome.BAD_REDIRECT
    assert len(server.requests) == 2


async def test_redirects_without_end(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 12: five hops and no more."""
    for hop in range(10):
        server.script(f"/{hop}", Answer(status=302, headers={"Location": f"/{hop + 1}"}))
    assert (await fetcher.get(ask(server.url("/0")))).outcome is FetchOutcome.BAD_REDIRECT
    assert len(server.requests) == 6


@pytest.mark.parametrize("target", ["ftp://example.org/feed", "file:///etc/passwd", "javascript:alert(1)", "http://[::1"])
async def test_redirects_to_other_schemes(fetcher: Fetcher, server: FeedServer, target: str) -> None:
    """Feeds 12: only http and https are followed; an address that cannot be read is an outcome too."""
    server.script("/feed", Answer(status=302, headers={"Location": target}))
    assert (await fetcher.get(ask(server.url()))).outcome in {FetchOutcome.NOT_HTTP, FetchOutcome.BAD_REDIRECT}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
async def test_private_addresses_are_not_connected_to(guarded: Fetcher, server: FeedServer, host: str) -> None:
    """Feeds 31: names, IP literals and numbers that mean this machine get no connection unless allowed."""
    answer = await guarded.get(ask(f"http://{host}:{server.port}/feed"))
    assert answer.outcome in {FetchOutcome.REFUSED_ADDRESS, FetchOutcome.DNS, FetchOutcome.NOT_HTTP}
    assert server.connections == 0


async def test_redirects_to_private_addresses(server: FeedServer) -> None:
    """Feeds 31: each hop is checked: a redirect to an address that is not allowed opens no connection."""
    async with feed_server() as inside, Fetcher(clock=WallClock(), allowed=LOCAL) as fetcher:
        server.script("/feed", Answer(status=302, headers={"Location": f"http://[::ffff:127.0.0.2]:{inside.port}/feed"}))
        answer = await fetcher.get(ask(server.url()))
        assert answer.outcome is FetchOutcome.REFUSED_ADDRESS
        assert "127.0.0.2" in answer.detail or "7f00:2" in answer.detail
        assert inside.connections == 0


async def test_ports_that_are_not_the_webs(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 31: a feed and a redirect to a mail server's port open no connection, allowed address or not."""
    server.script("/feed", Answer(status=302, headers={"Location": "http://127.0.0.1:25/"}))
    for url in (server.url(), "http://127.0.0.1:6667/feed"):
        answer = await fetcher.get(ask(url))
        assert (answer.outcome, "polling.allow_ports" in answer.detail) == (FetchOutcome.REFUSED_ADDRESS, True)


@pytest.mark.parametrize("length", [b"Content-Length: 300000\r\n", b""])
async def test_bodies_over_the_wire_cap(length: bytes) -> None:
    """Feeds 17: more bytes than the cap on the wire are not read, whether announced or not."""
    async with (
        raw_server(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n" + b"x" * 300_000) as url,
        Fetcher(clock=WallClock(), allowed=LOCAL, limits=Limits(wire=100_000)) as fetcher,
    ):
        assert (await fetcher.get(ask(url))).outcome is FetchOutcome.TOO_LARGE


@pytest.mark.parametrize(
    ("label", "pack"),
    [("gzip", gzip.compress), ("br", brotli.compress), ("deflate", zlib.compress), ("", gzip.compress)],
)
async def test_bombs(server: FeedServer, label: str, pack: Callable[[bytes], bytes]) -> None:
    """Feeds 17: what unpacks beyond the cap is stopped, labelled or not."""
    headers = {"Content-Encoding": label} if label else {}
    server.script("/feed", Answer(body=pack(b"\0" * 3_000_000), headers=headers))
    async with Fetcher(clock=WallClock(), allowed=LOCAL, limits=Limits(decoded=1_000_000)) as fetcher:
        assert (await fetcher.get(ask(server.url()))).outcome is FetchOutcome.TOO_LARGE


async def test_unlabelled_gzip(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 17: a gzip file that does not say so is unpacked."""
    server.script("/feed", Answer(body=gzip.compress(b"<rss/>")))
    assert (await fetcher.get(ask(server.url()))).body == b"<rss/>"


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (gzip.compress(b"<rss>") + gzip.compress(b"</rss>") + bytes(512), "ok"),
        (gzip.compress(b"<rss>") + gzip.compress(b"</rss>")[:-4], "truncated"),
        (gzip.compress(random.Random(1).randbytes(20_000)) + gzip.compress(bytes(900_000)) * 3, "too_large"),
        (gzip.compress(b"") * 1_000, "bad_encoding"),
    ],
)
async def test_gzip_files_of_several_members(fetcher: Fetcher, server: FeedServer, body: bytes, outcome: str) -> None:
    """Feeds 17: a gzip file is all of its members (RFC 1952, 2.2), under one cap, and a bounded number; padding is nothing."""
    server.script("/feed", Answer(body=body))
    fetched = await fetcher.get(ask(server.url()))
    assert (fetched.outcome, fetched.body) == (outcome, b"<rss></rss>" if outcome == "ok" else b"")


async def test_gzip_files_that_end_early(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 16: half a gzip file is a truncated body, not a short feed."""
    server.script("/feed", Answer(body=gzip.compress(b"<rss>" + bytes(range(256)) * 40)[:200]))
    assert (await fetcher.get(ask(server.url()))).outcome is FetchOutcome.TRUNCATED


async def test_broken_encoding(fetcher: Fetcher, server: FeedServer) -> None:
    """A body that is not in the encoding it names is an outcome of its own."""
    server.script("/feed", Answer(body=b"not gzip at all", headers={"Content-Encoding": "gzip"}))
    assert (await fetcher.get(ask(server.url()))).outcome is FetchOutcome.BAD_ENCODING


async def test_truncated_bodies(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 16: fewer bytes than announced are an error, not a short feed."""
    server.script("/feed", Answer(body=b"x" * 1000, cut=300))
    answer = await fetcher.get(ask(server.url()))
    assert (answer.outcome, answer.body) == (FetchOutcome.TRUNCATED, b"")


async def test_drip_feeds(server: FeedServer) -> None:
    """Feeds 17: a body that comes slower than the minimum rate is given up."""
    ticks = iter(range(0, 10_000, 10))
    server.script("/feed", Answer(body=b"x" * 1000))
    async with Fetcher(clock=WallClock(), allowed=LOCAL, timer=lambda: float(next(ticks))) as fetcher:
        assert (await fetcher.get(ask(server.url()))).outcome is FetchOutcome.TOO_SLOW


@pytest.mark.parametrize("limits", [Limits(total=0.05), Limits(stall=0.05)])
async def test_servers_that_never_answer(server: FeedServer, limits: Limits) -> None:
    """Feeds 17: neither a silent server nor a long one holds a request for ever."""
    server.script("/feed", Answer(hold=asyncio.Event()))
    async with Fetcher(clock=WallClock(), allowed=LOCAL, limits=limits) as fetcher:
        assert (await fetcher.get(ask(server.url()))).outcome is FetchOutcome.TIMEOUT


async def test_interim_answers_without_end() -> None:
    """Feeds 17: a server that is for ever about to answer (1xx) has no more time than one that is silent."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()
        gone.set()

    gone = asyncio.Event()
    limits = Limits(connect=0.2, stall=0.2)
    async with (
        asyncio.timeout(10),
        await asyncio.start_server(talk, "127.0.0.1", 0) as listener,
        Fetcher(clock=WallClock(), allowed=LOCAL, limits=limits) as fetcher,
    ):
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/feed"
        assert (await fetcher.get(ask(url))).outcome is FetchOutcome.TIMEOUT
        await gone.wait()


async def test_tls(fetcher: Fetcher, authority: trustme.CA) -> None:
    """TLS works with a private authority named by a file."""
    async with feed_server(authority) as server:
        server.publish("/feed", b"body")
        assert (await fetcher.get(ask(server.url()))).body == b"body"


async def test_tls_is_verified(fetcher: Fetcher) -> None:
    """A certificate of an unknown authority is an error before anything is asked."""
    async with feed_server(trustme.CA()) as server:
        assert (await fetcher.get(ask(server.url()))).outcome is FetchOutcome.TLS
        assert server.requests == []


async def test_plain_servers_asked_over_tls(fetcher: Fetcher, server: FeedServer) -> None:
    """A server without TLS behind an https address is a TLS error."""
    assert (await fetcher.get(ask(server.url().replace("http:", "https:")))).outcome is FetchOutcome.TLS


async def test_unreachable_servers(fetcher: Fetcher) -> None:
    """Nobody listening is an outcome."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        answer = await fetcher.get(ask(f"http://127.0.0.1:{held.getsockname()[1]}/feed"))
    assert answer.outcome is FetchOutcome.CONNECT


@pytest.mark.parametrize("said", [b"nonsense\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"])
async def test_servers_that_speak_no_http(fetcher: Fetcher, said: bytes) -> None:
    """Whatever stands at the port, the answer is an outcome."""
    async with raw_server(said) as url:
        assert (await fetcher.get(ask(url))).outcome in {FetchOutcome.BAD_HTTP, FetchOutcome.CONNECT}


@pytest.mark.parametrize("url", ["", "feed", "ftp://example.org/", "http://", "http://[::1/", "https://" + "a" * 300 + "/"])
async def test_addresses_that_are_none(fetcher: Fetcher, url: str) -> None:
    """An address nobody could ask is an outcome, not an exception."""
    answer = await fetcher.get(ask(url))
    assert answer.outcome in {FetchOutcome.NOT_HTTP, FetchOutcome.DNS, FetchOutcome.CONNECT}


async def test_each_hop_has_its_own_turn(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 15: a redirect waits for its target's turn and never holds two, so that no two can wait for each other."""
    polite = Politeness(gap=0.0, concurrency=1)
    server.script("/feed", Answer(status=302, headers={"Location": "/there"}))
    server.script("/there", Answer(body=b"found"))
    async with asyncio.timeout(5):
        answer = await fetcher.get(ask(server.url()), polite.turn)
    assert answer.outcome is FetchOutcome.OK


def test_empty_validators_are_not_sent() -> None:
    """A header is left out rather than sent empty."""
    request = ask("http://e.com/")
    assert "If-None-Match" not in request.headers(login=True)
    assert replace(request, etag='"x"').headers(login=True)["If-None-Match"] == '"x"'
