"""What hostile servers do, one function a misdeed: what it writes, and when. What is large is made while it is sent."""

import gzip
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from itertools import count
from typing import Final, TypeAlias

import brotli  # type: ignore[import-untyped]  # it ships no types
from backports import zstd

from tests.servers.feeds import RssItem, rss

REFUSED: Final = "127.0.0.2"
"""An address that the poller may not ask, whereas 127.0.0.1 it may."""

_GIGABYTE: Final = 1_000_000_000
_UNPACKED: Final = 32_000_000
_OPEN: Final = b'<?xml version="1.0"?><rss version="2.0"><channel><title>A feed</title>'
_CLOSE: Final = b"</channel></rss>"
_OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nConnection: close\r\n"
_TURNS: Final = count()
_WHOLE_ONES: Final = count()

Pieces: TypeAlias = Iterator[bytes | float]
"""What is written: bytes, or for how many seconds nothing is; a negative number resets the connection."""


def _whole(body: bytes, headers: bytes = b"") -> Pieces:
    yield _OK + headers + b"Content-Length: %d\r\n\r\n" % len(body)
    yield body


def _redirect(location: str) -> Pieces:
    yield f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def _laughs() -> Pieces:
    entities = b"".join(
        b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10 if level else b"ha" * 10) for level in range(10)
    )
    yield from _whole(b"<!DOCTYPE rss [" + entities + b"]>" + _OPEN[21:] + b"<item><title>&l9;</title></item>" + _CLOSE)


def _giant() -> Pieces:
    yield _OK + b"\r\n" + _OPEN
    piece = b"<item><title>" + b"x" * 65_000 + b"</title></item>"
    yield from (piece for _ in range(_GIGABYTE // len(piece)))


def _drip() -> Pieces:
    yield _OK + b"Content-Length: 1000\r\n\r\n"
    for _ in range(1_000):
        yield b"<"
        yield 1.0


def _million() -> Pieces:
    yield _OK + b"\r\n" + _OPEN
    for start in range(0, 1_000_000, 1_000):
        yield b"".join(b"<item><guid>%d</guid><title>t</title></item>" % n for n in range(start, start + 1_000))
    yield _CLOSE


def _crowd() -> Pieces:
    """Four times as many items as count."""
    items = b"".join(b"<item><guid>%d</guid><title>t</title></item>" % number for number in range(20_000))
    yield from _whole(_OPEN + items + _CLOSE)


def _half(*, announced: int) -> Pieces:
    body = rss([RssItem(guid=str(number), title="One") for number in range(20)])
    yield _OK + b"Content-Length: %d\r\n\r\n" % announced
    yield body[: len(body) // 2]


def _changing() -> Pieces:
    turn = next(_TURNS)
    yield from _whole(rss([RssItem(guid=f"{turn}-{n}", link=f"https://example.org/{n}", title="One") for n in range(10)]))


def _dates() -> Pieces:
    now = datetime.now(UTC)
    ahead, ancient = [now + timedelta(days=days) for days in (2, 4_000)], [datetime(y, 1, 1, tzinfo=UTC) for y in (1899, 1970)]
    texts = [*map(format_datetime, (*ahead, *ancient)), "Mon, 99 Foo 20260 99:99:99 XXX", "9" * 400]
    yield from _whole(rss([RssItem(guid=str(n), title="One", published=text) for n, text in enumerate(texts)]))


def _lying() -> Pieces:
    body = rss([RssItem(guid="1", title="وزير الدفاع في بغداد")]).decode()
    raw = body.encode("cp1256")
    yield _OK.replace(b"rss+xml", b"rss+xml; charset=utf-8") + b"Content-Length: %d\r\n\r\n" % len(raw)
    yield raw


def _deep() -> Pieces:
    first = b"<item><guid>1</guid><title>Before</title></item>"
    yield from _whole(_OPEN + first + b"<item>" + b"<a>" * 100_000 + b"x" + b"</a>" * 100_000 + b"</item>" + _CLOSE)


def _bomb(encoding: str, pack: Callable[[bytes], bytes]) -> Callable[[], Pieces]:
    @cache
    def packed() -> bytes:
        return pack(_OPEN + b"\0" * _UNPACKED)

    def send() -> Pieces:
        yield from _whole(packed(), f"Content-Encoding: {encoding}\r\n".encode() if encoding else b"")

    return send


def _headers() -> Pieces:
    yield _OK
    line = b"".join(b"X-Header-%d: %s\r\n" % (number, b"x" * 1_000) for number in range(100))
    yield from (line for _ in range(_GIGABYTE // len(line)))


def _crumbs() -> Pieces:
    """Chunks of one byte, as many as there are bytes under the cap."""
    yield _OK + b"Transfer-Encoding: chunked\r\n\r\n"
    yield from (b"1\r\nx\r\n" * 10_000 for _ in range(1_000))


def _page() -> Pieces:
    yield from _whole(b"<!doctype html><title>Down for maintenance</title>", b"Content-Type: text/html\r\n")


def _maze() -> Pieces:
    """A page that names feeds, each of which is silent until it is given up."""
    links = b"".join(b"<link rel=alternate type='application/rss+xml' href='/silence?%d'>" % number for number in range(9))
    yield from _whole(b"<!doctype html><title>Our feeds</title>" + links, b"Content-Type: text/html\r\n")


def _unchanged() -> Pieces:
    """One answer with a validator, and never another, whatever is asked and whenever."""
    if next(_WHOLE_ONES) == 0:
        return _whole(rss([RssItem(guid="1", title="One")]), b'ETag: "1"\r\n')
    return iter([b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nConnection: close\r\n\r\n'])


MISDEEDS: Final[Mapping[str, Callable[[], Pieces]]] = {
    "laughs": _laughs,
    "gzip bomb": _bomb("gzip", lambda raw: gzip.compress(raw, 6)),
    "br bomb": _bomb("br", lambda raw: bytes(brotli.compress(raw, quality=1))),
    "zstd bomb": _bomb("zstd", zstd.compress),
    "unlabelled bomb": _bomb("", gzip.compress),
    "giant": _giant,
    "announced giant": lambda: iter([_OK + b"Content-Length: %d\r\n\r\n" % _GIGABYTE, b"x" * 1_000]),
    "drip": _drip,
    "silence": lambda: iter([600.0]),
    "loop": lambda: _redirect("/loop"),
    "inward": lambda: _redirect(f"http://{REFUSED}/feed"),
    "million": _million,
    "crowd": _crowd,
    "deep": _deep,
    "too short": lambda: _half(announced=100_000),
    "too long": lambda: _half(announced=300),
    "reset": lambda: iter([_OK + b"Content-Length: 5000\r\n\r\n<rss>", -1.0]),
    "lying charset": _lying,
    "304 for ever": _unchanged,
    "headers": _headers,
    "crumbs": _crumbs,
    "page": _page,
    "maze": _maze,
    "changing guids": _changing,
    "one guid": lambda: _whole(rss([RssItem(guid="1", link=f"https://example.org/{n}", title="One") for n in range(50)])),
    "dates": _dates,
    "nothing": lambda: iter([_OK + b"Content-Length: 0\r\n\r\n"]),
    "noise": lambda: iter([bytes(range(256)) * 10]),
}
