"""robots.txt, from a real server: what it allows, and what its absence does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, nullcontext

import pytest

from daemon.net.fetch import Fetcher
from daemon.net.robots import KEPT, MAX_SIZE, RETRIED, Robots
from tests.servers.feeds import Answer, FeedServer, feed_server

AGENT = "Rasid/1.0 (+https://example.org)"
TEXT = b"""User-agent: *
Disallow: /private
Crawl-delay: 7
Sitemap: /news.xml

User-agent: rasid
Disallow: /no

User-agent: impatient
Crawl-delay: 61
"""


class Watch:
    """A timer that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as server:
        yield server


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def robots(fetcher: Fetcher, watch: Watch) -> Robots:
    return Robots(fetcher, lambda _site, _least: nullcontext(), user_agent=AGENT, timer=watch)


async def may_fetch(robots: Robots, url: str, agent: str = AGENT) -> bool:
    return await robots.turn_for(url, agent) is not None


async def test_rules(robots: Robots, server: FeedServer) -> None:
    """Feeds 7: the group that names us counts, else the one for all; sitemaps are absolute; it is asked for once."""
    server.script("/robots.txt", Answer(body=TEXT))
    assert not await may_fetch(robots, server.url("/no/page"))
    assert await may_fetch(robots, server.url("/private"))
    assert not await may_fetch(robots, server.url("/private"), "Other/2")
    assert await robots.sitemaps(server.url("/a")) == (server.url("/news.xml"),)
    assert len(server.requests) == 1


async def test_crawl_delays(fetcher: Fetcher, server: FeedServer) -> None:
    """Feeds 7: turns of the site keep its crawl-delay, those that redirects lead to do not; over a minute means: not now."""
    kept: list[tuple[str, float]] = []

    def turn(site: str, least: float) -> AbstractAsyncContextManager[None]:
        kept.append((site, least))
        return nullcontext()

    robots = Robots(fetcher, turn, user_agent=AGENT, timer=lambda: 0.0)
    server.script("/robots.txt", Answer(body=TEXT))
    assert not await may_fetch(robots, server.url("/a"), "Impatient/1")
    for agent in ("Other/2", AGENT):
        found = await robots.turn_for(server.url("/a"), agent)
        assert found is not None
        for site in ("127.0.0.1", "elsewhere.example"):
            async with found(site):
                pass
    assert kept[1:] == [("127.0.0.1", 7.0), ("elsewhere.example", 0.0), ("127.0.0.1", 0.0), ("elsewhere.example", 0.0)]


@pytest.mark.parametrize(
    ("status", "may"), [(404, True), (403, True), (410, True), (418, True), (429, False), (500, False), (503, False)]
)
async def test_statuses(robots: Robots, server: FeedServer, status: int, *, may: bool) -> None:
    """RFC 9309, 2.3.1: what is refused or not there forbids nothing; a server in trouble forbids all for now."""
    server.script("/robots.txt", Answer(status=status))
    assert await may_fetch(robots, server.url("/page")) is may


async def test_the_life_of_rules(robots: Robots, server: FeedServer, watch: Watch) -> None:
    """RFC 9309, 2.4: asked again after a day; while a server is in trouble its old rules hold, and it is asked hourly."""
    server.script("/robots.txt", Answer(body=TEXT), Answer(status=500), Answer(body=b""))
    seen = []
    for watch.now in (0.0, KEPT - 1, KEPT, KEPT + RETRIED - 1, KEPT + RETRIED):
        seen.append((await may_fetch(robots, server.url("/no")), len(server.requests)))
    assert seen == [(False, 1), (False, 1), (False, 2), (False, 2), (True, 3)]


async def test_one_request_for_many(robots: Robots, server: FeedServer) -> None:
    """Feeds 7: however many pages of a site are wanted at once, its robots.txt is fetched once."""
    server.script("/robots.txt", Answer(body=TEXT))
    answers = await asyncio.gather(*(may_fetch(robots, server.url(f"/{number}")) for number in range(50)))
    assert all(answers)
    assert len(server.requests) == 1


def _long() -> bytes:
    return b"User-agent: *\nAllow: /\n" + b"# padding\n" * (MAX_SIZE // 10) + b"Disallow: /page\n"


def _bomb() -> bytes:
    return b"".join(b"User-agent: %d\n" % n for n in range(15_000)) + b"Allow: /a\n" * 25_000


@pytest.mark.parametrize("text", [_long, _bomb, lambda: b"\xff\xfe\x00" * 1000, lambda: b"Disallow: /" + b"*a" * 100_000])
async def test_odd_files(robots: Robots, server: FeedServer, text: Callable[[], bytes]) -> None:
    """Feeds 7: a file that is too long, multiplies itself or is no text is read as far as it goes, in little time."""
    server.script("/robots.txt", Answer(body=text()))
    async with asyncio.timeout(5):
        assert await may_fetch(robots, server.url("/page"))
