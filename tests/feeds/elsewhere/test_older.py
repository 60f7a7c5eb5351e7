"""Older pages against a real server, with the real parser: what is asked for, and what a feed that had a gap gets back."""

from collections.abc import AsyncIterator
from functools import partial
from ipaddress import ip_network
from itertools import pairwise
from time import monotonic
from typing import Any

import pytest

from daemon.clock import WallClock
from daemon.feeds.elsewhere.older import OlderPages, Readers
from daemon.feeds.elsewhere.pages import Page, Way
from daemon.feeds.jobs import PageJob, PageResult
from daemon.feeds.pace.schedule import Answer as Verdict
from daemon.feeds.parse.feed import parse_feed
from daemon.feeds.parse.parsed import Parsed
from daemon.feeds.parse.sitemap import Sitemap, read_sitemap
from daemon.net.fetch import Fetcher
from daemon.net.politeness import Politeness
from daemon.net.robots import Robots
from tests.feeds.parse.test_sitemap import SITEMAP
from tests.servers.feeds import Answer, FeedServer, RssItem, feed_server, rss

AGENT = "Rasid/1 (+https://example.org)"
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><id>urn:f</id>
<link rel="prev-archive" href="/older/6"/><entry><id>urn:1</id><title>One</title><link href="/1"/></entry></feed>"""


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as server:
        yield server


@pytest.fixture
async def older() -> AsyncIterator[OlderPages]:
    async def parse(raw: bytes, **said: Any) -> Parsed:
        return parse_feed(raw, **said)

    async def read(raw: bytes, **said: Any) -> Sitemap:
        return read_sitemap(raw, **said)

    async def poll(job: object) -> Any:
        raise AssertionError(job)

    polite = Politeness(gap=0.0, concurrency=4)
    async with Fetcher(clock=WallClock(), allowed=[ip_network("127.0.0.1/32")], ports=range(1, 65536)) as fetcher:
        robots = Robots(fetcher, polite.turn, user_agent=AGENT, timer=monotonic)
        get = partial(fetcher.get, turn=polite.turn)
        yield OlderPages(poll, get, robots, Readers(feed=parse, sitemap=read), clock=WallClock(), user_agent=AGENT)


async def look(older: OlderPages, server: FeedServer, page: Page) -> PageResult:
    result = await older(PageJob(feed="one", url=server.url(), page=page, address=page.address(server.url())))
    assert isinstance(result, PageResult)
    return result


async def test_an_archive_names_the_one_before(older: OlderPages, server: FeedServer) -> None:
    """Feeds 22: an archived document's items, absolute, and the document before it (RFC 5005)."""
    server.publish("/older/7", ATOM.encode(), content_type="application/atom+xml")
    result = await look(older, server, Page(way=Way.ARCHIVE, url=server.url("/older/7")))
    assert (result.outcome, [item.link for item in result.items]) == ("ok", [server.url("/1")])
    assert result.named == (server.url("/older/6"),)
    assert server.requests[0].headers[b"user-agent"] == b"Rasid/1 (+https://example.org; one)"


async def test_robots_txt_says_which_and_whether(older: OlderPages, server: FeedServer) -> None:
    """Feeds 7, 22: robots.txt names sitemaps, and a page that it forbids is not asked for."""
    text = f"User-agent: *\nDisallow: /feed\nSitemap: {server.url('/news.xml')}\n"
    server.script("/robots.txt", Answer(body=text.encode(), headers={"Content-Type": "text/plain"}))
    server.script("/news.xml", Answer(body=SITEMAP))
    assert (await look(older, server, Page(way=Way.ROBOTS))).named == (server.url("/news.xml"),)
    assert (await look(older, server, Page(way=Way.PAGED, number=2))).outcome == "robots"
    assert not server.asked("/feed")
    (item,) = (await look(older, server, Page(way=Way.SITEMAP, url=server.url("/news.xml")))).items
    assert item.title == "One & all"
    assert len(server.asked("/robots.txt")) == 1


async def test_pages_keep_the_crawl_delay(older: OlderPages, server: FeedServer) -> None:
    """Feeds 7, 22: by the server's own log, what robots.txt wants lies between it and a page, and between two pages."""
    server.script("/robots.txt", Answer(body=b"User-agent: *\nCrawl-delay: 0.4\n"))
    for number in (2, 3):
        await look(older, server, Page(way=Way.PAGED, number=number))
    assert [request.path for request in server.requests] == ["/robots.txt", "/feed", "/feed"]
    assert min(later.at - earlier.at for earlier, later in pairwise(server.requests)) >= 0.39


async def test_a_page_that_is_refused(older: OlderPages, server: FeedServer) -> None:
    """Feeds 14, 22: whoever refuses a page, and for how long, is told."""
    server.script("/feed", Answer(status=503, headers={"Retry-After": "7200"}))
    result = await look(older, server, Page(way=Way.PAGED, number=2))
    assert (result.answer, result.retry_after, result.site) == (Verdict.TOO_MANY, 7200.0, "127.0.0.1")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(status=404), "not_found"),
        (Answer(status=429), "too_many"),
        (Answer(body=b"<!doctype html><html><body>no</body></html>"), "unreadable"),
        (Answer(body=rss([RssItem(guid="one", title="One")]), cut=40), "truncated"),
    ],
)
async def test_bad_pages(older: OlderPages, server: FeedServer, answer: Answer, outcome: str) -> None:
    """Feeds 22: whatever a page does is an outcome, and gives no items."""
    server.script("/feed", answer)
    result = await look(older, server, Page(way=Way.PAGED, number=2))
    assert (result.outcome, result.items) == (outcome, ())


async def test_robots_txt_goes_for_where_a_page_redirects(older: OlderPages, server: FeedServer) -> None:
    """Feeds 7, 22: a page that redirects to what robots.txt forbids is not followed there."""
    server.script("/robots.txt", Answer(body=b"User-agent: *\nDisallow: /private\n"))
    server.script("/feed", Answer(status=302, headers={"Location": "/private"}))
    assert (await look(older, server, Page(way=Way.PAGED, number=2))).outcome == "bad_redirect"
    assert not server.asked("/private")
