"""Thousands of feeds on hundreds of sites, in a process of their own that writes down who was asked when.

Sites are addresses of 127.0.0.0/8, each a site of its own to Rasid. Of ten polls eight find nothing modified, one the same
body, one two new items. What the log says of manners is judged by `manners`.
"""

import asyncio
import multiprocessing
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

from aiohttp import web

_CYCLE: Final = ("304", "304", "304", "same", "304", "304", "changed", "304", "304", "304")
_WORDS: Final = "وقال الوزير إن القوات تواصل عملها في البلاد وإن اللقاء تناول ملفات التعاون المشترك بين الجانبين "
_A_SITE: Final = 250
_ANSWERS_AFTER: Final = 0.02
"""Seconds a server thinks, so that requests at once would be seen as such."""


class Visit(NamedTuple):
    """One request: the address asked, the feed; when it came, when its answer began and had been sent; one clock's seconds."""

    site: str
    feed: str
    began: float
    answered: float
    ended: float


class Manners(NamedTuple):
    """What a log amounts to: feeds polled at all, and again. `gap`: the shortest between two requests of a site.

    `lags`: by how many seconds polls came late.
    """

    polls: int
    feeds: int
    again: int
    most_at_once: int
    gap: float
    lags: Sequence[float]

    def lag(self, share: float) -> float:
        """The lag that this share of the polls does not exceed."""
        return sorted(self.lags)[min(int(len(self.lags) * share), len(self.lags) - 1)] if self.lags else 0.0


def site(number: int) -> str:
    return f"127.1.{number // _A_SITE}.{1 + number % _A_SITE}"


def entries_of(count: int, sites: int, port: int, interval: float) -> Iterator[Mapping[str, Any]]:
    """Their entries for a configuration."""
    for number in range(count):
        yield {
            "id": f"feed-{number}",
            "url": f"http://{site(number % sites)}:{port}/feed-{number}",
            "interval": f"{interval:g}s",
        }


def body_of(feed: str, shift: int, items: int) -> bytes:
    """The newest first; each shift brings two new ones."""
    written = "".join(
        f"<item><guid>{feed}-{n}</guid><link>https://example.org{feed}/{n}</link><title>{_WORDS[:60]}{n}</title>"
        f"<description>{_WORDS * 3}{n}</description><pubDate>Mon, 01 Jan 2024 10:00:00 GMT</pubDate></item>\n"
        for n in range(shift * 2 + items, shift * 2, -1)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{feed}</title>{written}</channel></rss>'.encode()


def manners(visits: Sequence[Visit], interval: float) -> Manners:
    """`interval` is what the feeds ask for; a tenth of it more or less is the poller's own jitter, and no lag."""
    by_site, by_feed = defaultdict(list), defaultdict(list)
    for visit in visits:
        by_site[visit.site].append(visit)
        by_feed[visit.feed].append(visit.began)
    gaps = [later.began - visit.answered for asked in by_site.values() for visit, later in pairwise(sorted(asked, key=_began))]
    lags = [later - earlier - 1.1 * interval for began in by_feed.values() for earlier, later in pairwise(sorted(began))]
    most = max((_at_once(asked) for asked in by_site.values()), default=0)
    again = sum(len(began) > 1 for began in by_feed.values())
    return Manners(len(visits), len(by_feed), again, most, min(gaps, default=float("inf")), [max(0.0, lag) for lag in lags])


def _began(visit: Visit) -> float:
    return visit.began


def _at_once(visits: Sequence[Visit]) -> int:
    """The most requests of a site that overlapped."""
    edges = sorted([(visit.began, 1) for visit in visits] + [(visit.ended, -1) for visit in visits])
    most = now = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most


class Crowd:
    """The parent's side: the port, and the log so far."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.port: int = pipe.recv()

    def visits(self) -> list[Visit]:
        """All requests answered so far."""
        self._pipe.send("visits")
        return [Visit(*values) for values in self._pipe.recv()]


@contextmanager
def crowd(items: int = 20) -> Iterator[Crowd]:
    """A running one, each feed with so many items."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, items), daemon=True)
    process.start()
    try:
        yield Crowd(ours)
    finally:
        process.terminate()
        process.join()


class _Server:
    def __init__(self, items: int) -> None:
        self._items = items
        self._asked: Counter[str] = Counter()
        self._shifts: Counter[str] = Counter()
        self.visits: list[tuple[str, str, float, float, float]] = []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        began = time.monotonic()
        await asyncio.sleep(_ANSWERS_AFTER)
        response, answered = self._response(request), time.monotonic()
        await response.prepare(request)
        await response.write_eof()
        address = request.transport.get_extra_info("sockname")[0] if request.transport else ""
        self.visits.append((address, request.path, began, answered, time.monotonic()))
        return response

    def _response(self, request: web.BaseRequest) -> web.Response:
        feed = request.path
        kind = _CYCLE[(self._asked[feed] + len(feed)) % len(_CYCLE)] if self._asked[feed] else "first"
        self._asked[feed] += 1
        self._shifts[feed] += kind == "changed"
        tag = f'"{self._shifts[feed]}"'
        headers = {"ETag": tag, "Connection": "close", "Content-Type": "application/rss+xml"}
        if kind == "304" and request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body_of(feed, self._shifts[feed], self._items), headers=headers)


def _serve(pipe: Connection, items: int) -> None:
    asyncio.run(_served(pipe, _Server(items)))


async def _served(pipe: Connection, server: _Server) -> None:
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(web.Server(server.answer), "0.0.0.0", 0, backlog=4096)
    loop.add_reader(pipe.fileno(), _tell, pipe, server)
    pipe.send(listener.sockets[0].getsockname()[1])
    await listener.serve_forever()


def _tell(pipe: Connection, server: _Server) -> None:
    pipe.recv()
    pipe.send(server.visits)
