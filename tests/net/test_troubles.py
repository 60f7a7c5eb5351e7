"""What a client's errors are called, by what servers and systems really do."""

import socket

import pytest
import trustme

from daemon.net.fetch import Fetcher, Request
from tests.servers.feeds import Answer, feed_server, raw_server

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
LIBRARY = ("message:", "ssl:default", "Error", "_ssl.c", "<", "0x")
"""What only those know who wrote the library."""


async def detail_of(fetcher: Fetcher, url: str) -> str:
    return (await fetcher.get(Request(url=url, user_agent="Test/1"))).detail


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (HEAD + b"Content-Length: 400\r\n\r\n<rss", "the body ended before its Content-Length"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n", "the body ended before its last chunk"),
        (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n<rss>", "gzip"),
        (HEAD + b"Content-Encoding: br\r\nContent-Length: 5\r\n\r\n<rss>", "br"),
        (b"", "the server closed the connection without an answer"),
        (b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n", "HTTP 301 without a Location"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\nA\x01B: c\r\n\r\n", ""),
    ],
)
async def test_answers(fetcher: Fetcher, raw: bytes, said: str) -> None:
    """An answer that breaks off or is none is told in plain words, on one line, and never in a library's."""
    async with raw_server(raw) as url:
        detail = await detail_of(fetcher, url)
    assert said in detail
    assert detail
    assert not [part for part in (*LIBRARY, "\n") if part in detail]


async def test_nobody_there(fetcher: Fetcher) -> None:
    """A name that is not known, and a port where nobody listens: which one, and what the system says."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert await detail_of(fetcher, f"http://127.0.0.1:{port}/") == f"127.0.0.1:{port}: Connection refused"
    unknown = await detail_of(fetcher, "http://nowhere.invalid/feed?token=secret")
    assert unknown.startswith("nowhere.invalid: ")
    assert not [part for part in (*LIBRARY, "token") if part in unknown]


async def test_no_tls(fetcher: Fetcher) -> None:
    """A server that speaks no TLS where it should."""
    async with feed_server() as server:
        server.script("/feed", Answer(body=b"x"))
        detail = await detail_of(fetcher, server.url().replace("http:", "https:"))
    assert detail.startswith("127.0.0.1: no TLS: ")
    assert not [part for part in LIBRARY if part in detail]


async def test_a_certificate_that_is_not_trusted(fetcher: Fetcher) -> None:
    """What is wrong with it, as the TLS library says it to people."""
    async with feed_server(trustme.CA()) as server:
        detail = await detail_of(fetcher, server.url())
    assert "its certificate is not trusted: " in detail
    assert not [part for part in LIBRARY if part in detail]
