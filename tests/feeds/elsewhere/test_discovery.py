"""Looking for the feeds of a page, on a real server, with the real parser."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from itertools import pairwise
from typing import Any

import pytest

from daemon.clock import WallClock
from daemon.errors import RasidError
from daemon.feeds.elsewhere.discovery import MAX_NAMED, USUAL, Candidate, Finder, Found, named_in
from daemon.feeds.elsewhere.seeking import SeekingWorker, sentence
from daemon.feeds.jobs import PollJob, PollOutcome, PollResult
from daemon.feeds.pace.schedule import Answer as Verdict
from daemon.feeds.pace.schedule import Pace
from daemon.feeds.parse.feed import parse_feed
from daemon.feeds.parse.parsed import Parsed
from daemon.feeds.poller import Poller
from daemon.net.fetch import Fetcher
from daemon.net.logins import Veil
from daemon.net.politeness import Politeness
from daemon.net.robots import Robots
from tests.feeds.desk import DAY, Desk, desk, source
from tests.servers.feeds import Answer, FeedServer, RssItem, feed_server, rss

AGENT = "Rasid/1 (+https://example.org)"
FEED = rss([RssItem(guid="1", title="One", link="https://example.org/1")], title="The news")
HTML = {"Content-Type": "text/html; charset=utf-8"}


def page(*links: str) -> Answer:
    return Answer(body=f"<!doctype html><head>{''.join(links)}</head><body>Hello".encode(), headers=HTML)


def link(href: str, kind: str = "application/rss+xml", title: str = "News") -> str:
    return f'<link rel="alternate" type="{kind}" title="{title}" href="{href}">'


async def _parse(raw: bytes, **said: Any) -> Parsed:
    return parse_feed(raw, **said)


async def _read(raw: bytes, **said: Any) -> tuple[Candidate, ...]:
    if b"<hang>" in raw:
        raise RasidError("stopped after 2 s", subject="timeout")
    return named_in(raw, **said)


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as server:
        yield server


@pytest.fixture
async def finder() -> AsyncIterator[Finder]:
    polite = Politeness(gap=0.0, concurrency=5)
    async with Fetcher(clock=WallClock(), allowed=[ip_network("127.0.0.1/32")]) as fetcher:
        robots = Robots(fetcher, polite.turn, user_agent=AGENT, timer=lambda: 0.0)
        yield Finder(robots, _parse, _read)


def paths(server: FeedServer) -> list[str]:
    return [request.path for request in server.requests if request.path != "/robots.txt"]


async def test_feeds_that_a_page_names(finder: Finder, server: FeedServer) -> None:
    """Feeds 29: RSS, Atom and JSON Feed that the head names are found; comments are not, nor what is no feed."""
    server.script(
        "/",
        page(
            '<base href="/sub/">',
            link("a.xml"),
            link("/b.xml", "application/atom+xml"),
            link("/c.json", "application/feed+json", "JSON"),
            link("/comments/feed/"),
            link("/d.xml", title="Site &raquo; Comments Feed"),
            link("/gone.xml"),
            link("/page.html"),
            link("/e.xml", "text/html"),
            '<link rel="stylesheet" href="/style.css">',
        ),
    )
    server.script("/sub/a.xml", Answer(body=FEED))
    server.script("/b.xml", Answer(body=b'<feed xmlns="http://www.w3.org/2005/Atom"><title>B</title></feed>'))
    server.script("/c.json", Answer(body=b'{"version": "https://jsonfeed.org/version/1.1", "title": "C", "items": []}'))
    server.script("/page.html", page())
    search = await finder.find(server.url("/"), AGENT)
    assert [(found.url, found.items) for found in search.found] == [
        (server.url("/sub/a.xml"), 1),
        (server.url("/b.xml"), 0),
        (server.url("/c.json"), 0),
    ]
    assert search.found[0] == Found(url=server.url("/sub/a.xml"), title="The news", format="RSS 2.0", items=1)
    assert not {"/comments/feed/", "/d.xml", "/e.xml"} & set(paths(server))


async def test_feeds_that_a_header_names(finder: Finder, server: FeedServer) -> None:
    """Feeds 29: a Link header counts as the head does."""
    said = {**HTML, "Link": '</feed.xml>; rel=alternate; type="application/rss+xml"'}
    server.script("/", replace(page(), headers=said))
    server.script("/feed.xml", Answer(body=FEED))
    assert [found.url for found in (await finder.find(server.url("/"), AGENT)).found] == [server.url("/feed.xml")]


async def test_usual_paths(finder: Finder, server: FeedServer) -> None:
    """Feeds 29: where a page names none, the usual paths are tried, until one is a feed."""
    server.script("/news/today", page())
    server.script("/rss.xml", Answer(body=FEED))
    search = await finder.find(server.url("/news/today"), AGENT)
    assert [found.url for found in search.found] == [server.url("/rss.xml")]
    assert sentence(search) == f"the page names none, but there is a feed at {server.url('/rss.xml')}"
    assert paths(server) == ["/news/today", "/feed", "/rss", "/rss.xml"]


async def test_an_address_that_is_a_feed(finder: Finder, server: FeedServer) -> None:
    """Feeds 29: a feed is its own feed, at the address it has moved to for good."""
    server.script("/old", Answer(status=301, headers={"Location": "/new"}))
    server.script("/new", Answer(body=FEED))
    assert [found.url for found in (await finder.find(server.url("/old"), AGENT)).found] == [server.url("/new")]


async def test_robots_are_respected(finder: Finder, server: FeedServer) -> None:
    """Feeds 7 and 29: what robots.txt forbids is not asked for, be it the page or a feed it names."""
    server.script("/robots.txt", Answer(body=b"User-agent: *\nDisallow: /private\n"))
    server.script("/", page(link("/private/feed")))
    assert not (await finder.find(server.url("/"), AGENT)).found
    assert (await finder.find(server.url("/private/"), AGENT)).reason == "robots.txt does not allow it"
    assert not any(path.startswith("/private") for path in paths(server))


async def test_searches_are_bounded(finder: Finder, server: FeedServer) -> None:
    """Feeds 29: however many feeds a page names, few are tried; of a page too hard to read, the usual paths."""
    server.script("/", page(*(link(f"/{number}") for number in range(1_000))))
    server.script("/hang", Answer(body=b"<html><hang>", headers=HTML))
    search = await finder.find(server.url("/"), AGENT)
    assert (search.found, search.reason) == ((), "neither the page nor the usual paths have one")
    assert len(paths(server)) == 1 + MAX_NAMED + len(USUAL)
    assert not (await finder.find(server.url("/hang"), AGENT)).found


async def test_a_search_keeps_the_crawl_delay(finder: Finder, server: FeedServer) -> None:
    """Feeds 7 and 29: by the server's own log, what robots.txt wants lies between any two requests after its own."""
    server.script("/robots.txt", Answer(body=b"User-agent: *\nCrawl-delay: 0.3\n"))
    server.script("/", page(link("/a.xml"), link("/b.xml")))
    server.script("/b.xml", Answer(body=FEED))
    assert len((await finder.find(server.url("/"), AGENT)).found) == 1
    times = [request.at for request in server.requests]
    assert len(times) == 4
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.29


@pytest.mark.parametrize("status", [429, 503])
async def test_a_search_stops_where_it_is_too_much(finder: Finder, server: FeedServer, status: int) -> None:
    """Feeds 14 and 29: a server that says “too many” is asked for nothing more; what was found until then is told."""
    server.script("/", page(link("/a.xml"), link("/busy.xml"), link("/c.xml")))
    server.script("/a.xml", Answer(body=FEED))
    server.script("/busy.xml", Answer(status=status))
    search = await finder.find(server.url("/"), AGENT)
    assert [found.url for found in search.found] == [server.url("/a.xml")]
    server.script("/bare", page())
    server.script("/feed", Answer(status=status))
    assert f"HTTP {status}" in (await finder.find(server.url("/bare"), AGENT)).reason
    assert paths(server) == ["/", "/a.xml", "/busy.xml", "/bare", "/feed"]


async def test_pages_that_do_not_come(finder: Finder, server: FeedServer) -> None:
    """The reason says what the server said; a login in the address is not sent along."""
    server.script("/", Answer(status=404))
    search = await finder.find(server.url("/").replace("http://", "http://me:secret@"), AGENT)
    assert search.reason == "not_found: HTTP 404"
    assert not any(b"authorization" in request.headers for request in server.requests)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("example", "not an http or https address"),
        ("http://10.1.1.1/", "refused_address: 10.1.1.1: the address is not public"),
        ("http://127.0.0.1:1/", "refused_address: port 1: the web is not spoken there"),
    ],
)
async def test_addresses_that_cannot_be_asked(finder: Finder, url: str, reason: str) -> None:
    """What keeps robots.txt from being asked for is said, and not that it forbids anything."""
    assert reason in (await finder.find(url, AGENT)).reason


class Polls:
    """A worker whose polls end as they are told to, and a timer."""

    def __init__(self, *, seconds: float = 0.0) -> None:
        self.now = 0.0
        self.outcome = PollOutcome.HTML
        self._seconds = seconds

    async def __call__(self, job: PollJob) -> PollResult:
        self.now += self._seconds
        said = "HTML instead of a feed"
        return PollResult(url=job.url, outcome=self.outcome, answer=Verdict.FAILED, fetched_at=0.0, detail=said)


def seeking(polls: Polls, finder: Finder) -> SeekingWorker:
    return SeekingWorker(polls, finder, user_agent=AGENT, timer=lambda: polls.now)


async def test_a_poll_that_meets_a_page_names_its_feeds(finder: Finder, server: FeedServer) -> None:
    """Feeds 29: what to write instead is told, where the poll was to look for it; the poll has failed all the same."""
    worker = seeking(Polls(), finder)
    server.script("/", page(link("/feed.xml")))
    server.script("/feed.xml", Answer(body=FEED))
    result = await worker(PollJob(feed="one", url=server.url("/"), seek=True))
    assert (result.sought, result.named) == (True, f"the page names {server.url('/feed.xml')}")
    assert (result.outcome, result.answer) == (PollOutcome.HTML, Verdict.FAILED)


def meets_a_page(made: Desk, *, sought: bool, named: str = "") -> None:
    result = PollResult(
        url=source().url, outcome=PollOutcome.HTML, answer=Verdict.FAILED, fetched_at=made.now, detail="no feed"
    )
    made.done(replace(result, sought=sought, named=named))


def test_once_a_day_whatever_dies() -> None:
    """Feeds 29: that it was looked for, and what was found, stands in the feed's row; another address is another page."""
    made = desk()
    assert made.job().seek
    meets_a_page(made, sought=False)
    assert made.job().seek
    meets_a_page(made, sought=True, named="the page names it")
    made = Desk(Poller([source()], pace=Pace(), parser=1), made.rows, made.now)
    made.reconcile()
    assert not made.job().seek
    made.now += DAY - 1
    meets_a_page(made, sought=False)
    assert (made.job().seek, made.feed().detail) == (False, "no feed; the page names it")
    made.now += 1
    assert made.job().seek
    meets_a_page(made, sought=True)
    assert (made.job().seek, made.feed().detail) == (False, "no feed")
    made.poller.replace([source(url="https://news.example.org/other")])
    made.reconcile()
    assert made.job().seek


def test_what_was_a_feed_is_looked_for_nowhere() -> None:
    """Feeds 29: a feed in trouble, which shows a page today, is no reason to look around."""
    made = desk()
    made.poll([])
    assert not made.job().seek


async def test_only_for_pages_and_in_time(finder: Finder, server: FeedServer) -> None:
    """Feeds 17 and 29: no other outcome is a reason to look around, nor a page whose poll took most of its 30 s."""
    polls, slow = Polls(), Polls(seconds=26.0)
    polls.outcome = PollOutcome.EMPTY
    for each in (polls, slow):
        result = await seeking(each, finder)(PollJob(feed="one", url=server.url("/"), seek=True))
        assert not result.sought
    await seeking(Polls(), finder)(PollJob(feed="one", url=server.url("/")))
    assert server.requests == []


async def test_a_search_that_takes_too_long(finder: Finder, server: FeedServer) -> None:
    """Feeds 17 and 29: a search ends in time, with what was found until then."""
    server.script("/", page(link("/feed.xml"), link("/never.xml")))
    server.script("/feed.xml", Answer(body=FEED))
    server.script("/never.xml", Answer(hold=asyncio.Event()))
    search = await finder.find(server.url("/"), AGENT, 1.5)
    assert [found.url for found in search.found] == [server.url("/feed.xml")]
    assert (await finder.find(server.url("/never.xml"), AGENT, 0.1)).reason == "it took too long"


async def test_no_secret_of_the_address_is_told(finder: Finder, server: FeedServer) -> None:
    """Feeds 34: a page that names its own address, or one that repeats its secret, is told without that."""
    polls, key = Polls(), "t0ken/of=feeds"
    asked, shown = server.url("/?key=t0ken/of=feeds"), server.url("/?key=${KEY}")
    server.script("/", page(link(""), link("/other?key=t0ken%2Fof%3Dfeeds")), Answer(body=FEED))
    server.script("/other", Answer(body=FEED))
    job = PollJob(feed="one", url=asked, seek=True, veil=Veil(asked, shown, (key,)))
    result = await SeekingWorker(polls, finder, user_agent=AGENT, timer=lambda: 0.0)(job)
    assert result.named == f"the page names {server.url('/other?key=…')}"
    server.script("/", Answer(body=FEED))
    result = await SeekingWorker(polls, finder, user_agent=AGENT, timer=lambda: 0.0)(job)
    assert result.named == f"the page names {shown}"


async def test_robots_are_asked_where_redirects_lead(finder: Finder, server: FeedServer) -> None:
    """Feeds 7, 29: a redirect from what is allowed to what is not is not followed; the search goes on elsewhere."""
    server.script("/robots.txt", Answer(body=b"User-agent: *\nDisallow: /private\n"))
    server.script("/", page(link("/f1"), link("/f2")))
    server.script("/f1", Answer(status=302, headers={"Location": "/private/feed"}))
    server.script("/f2", Answer(status=302, headers={"Location": "/there"}))
    server.script("/there", Answer(body=FEED))
    search = await finder.find(server.url("/"), AGENT)
    assert [found.url for found in search.found] == [server.url("/there")]
    assert not server.asked("/private/feed")
