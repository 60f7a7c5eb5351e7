"""The work of a poll against a real server, with the real parser: what is asked, what is parsed, what fails alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from daemon.clock import WallClock
from daemon.errors import RasidError
from daemon.feeds.jobs import PollJob, PollOutcome, PollResult
from daemon.feeds.pace.schedule import Answer
from daemon.feeds.parse.feed import parse_feed
from daemon.feeds.parse.parsed import Parsed, Reason
from daemon.feeds.parse.split import MAX_ITEMS
from daemon.feeds.polling import OF_REASON, PollWorker, introduced
from daemon.net.fetch import Fetcher
from daemon.net.files import Files
from daemon.net.politeness import Politeness
from daemon.urls import site_of
from tests.feeds.desk import Desk, desk, source
from tests.servers.feeds import RSS_TYPE, FeedServer, RssItem, feed_server, rss
from tests.servers.feeds import Answer as Said

ITEMS = [RssItem(guid=f"id-{number}", title=f"Title {number}", link=f"https://example.org/{number}") for number in range(3)]


class Bench:
    """A worker with everything it needs, and how often it parsed."""

    def __init__(self, fetcher: Fetcher, folder: Path) -> None:
        self.parses = 0
        self.may_poll = asyncio.Event()
        self.may_poll.set()
        self.worker = PollWorker(
            fetcher,
            Politeness(gap=0.0, concurrency=20),
            self.parse,
            clock=WallClock(),
            files=Files(folder, limit=200_000),
            user_agent="Rasid/1 (+https://example.org)",
            may_poll=self._wait,
        )

    async def _wait(self) -> None:
        await self.may_poll.wait()

    async def parse(self, raw: bytes, **context: Any) -> Parsed:
        self.parses += 1
        if raw == b"kill":
            raise RasidError("stopped after 2 s", subject="timeout")
        return parse_feed(raw, **context)

    async def poll(self, made: Desk, id_: str = "one") -> PollResult:
        result = await self.worker(made.job(id_))
        made.done(result, id_)
        return result


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with Fetcher(clock=WallClock(), allowed=[ip_network("127.0.0.1/32")]) as fetcher:
        yield Bench(fetcher, tmp_path)


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as server:
        yield server


def watching(*urls: str) -> Desk:
    """A desk whose feeds, named by their place, stand in one partition."""
    names = ["one", "two", "three", "four"]
    made = desk(*(source(name, url, site_of(url)) for name, url in zip(names, urls, strict=False)))
    made.reconcile(site_of(urls[0]))
    return made


def titles(made: Desk) -> list[str]:
    return [raw.item.title for raw in made.published]


async def test_items_once_and_conditions_kept(bench: Bench, server: FeedServer) -> None:
    """Feeds 1 to 4: the first poll takes all items, the second is conditional and takes none, a new item comes alone."""
    made = watching(server.url())
    server.publish("/feed", rss(ITEMS[1:]), last_modified="Mon, 01 Jan 2024 00:00:00 GMT")
    first = await bench.poll(made)
    second = await bench.poll(made)
    assert (first.outcome, second.outcome) == ("ok", "not_modified")
    asked = server.requests[1].headers
    assert asked[b"if-none-match"].decode() == first.etag
    assert asked[b"if-modified-since"] == b"Mon, 01 Jan 2024 00:00:00 GMT"
    server.publish("/feed", rss(ITEMS))
    await bench.poll(made)
    assert titles(made) == ["Title 1", "Title 2", "Title 0"]
    assert [raw.backfill for raw in made.published] == [True, True, False]


async def test_a_partial_answer(bench: Bench, server: FeedServer) -> None:
    """Feeds 6: a 226 brings only what is new: that is no gap, and what it does not mention stays in the window."""
    made = watching(server.url())
    server.publish("/feed", rss(ITEMS[1:]))
    await bench.poll(made)
    server.script("/feed", Said(status=226, body=rss(ITEMS[:1]), headers={"Content-Type": RSS_TYPE, "IM": "feed"}))
    result = await bench.poll(made)
    assert result.window is not None
    assert result.window.partial
    assert (titles(made)[2:], len(made.feed().window), made.feed().gap_at) == (["Title 0"], 3, None)


async def test_partial_answers_are_no_whole_ones(bench: Bench, server: FeedServer) -> None:
    """Feeds 3 and 6: of a 226 the validators it brings are kept, none is cleared, and the eight days go on."""
    made = watching(server.url())
    server.publish("/feed", rss(ITEMS[1:]), last_modified="Mon, 01 Jan 2024 00:00:00 GMT")
    await bench.poll(made)
    before = made.feed()
    server.script("/feed", Said(status=226, body=rss(ITEMS[:1]), headers={"Content-Type": RSS_TYPE, "ETag": '"after"'}))
    result = await bench.poll(made)
    after = made.feed()
    assert (result.fresh, after.whole_at, after.polled_at) == (False, before.whole_at, result.fetched_at)
    assert (after.etag, after.last_modified) == ('"after"', before.last_modified)


@pytest.mark.parametrize(
    ("location", "link"), [("/elsewhere/feed", "/elsewhere/1"), ("http://other.example/feed", "/1"), ("", "/1")]
)
async def test_relative_links_and_content_location(bench: Bench, server: FeedServer, location: str, link: str) -> None:
    """Feeds 21: links lead from Content-Location, as long as it stays on the site, else from where the feed is."""
    made = watching(server.url())
    headers = {"Content-Type": RSS_TYPE, "Content-Location": location} if location else {"Content-Type": RSS_TYPE}
    server.script("/feed", Said(body=rss([RssItem(guid="one", link="1", title="One")]), headers=headers))
    await bench.poll(made)
    assert made.published[0].url == server.url(link)


@pytest.mark.parametrize(("broken", "counted"), [("", 0), ("<title>A & B</title>", 1)])
async def test_what_had_to_be_repaired_is_counted(bench: Bench, server: FeedServer, broken: str, counted: int) -> None:
    """Feeds 19: a broken document gives its items, and is counted, each time that it is read."""
    made = watching(server.url())
    server.publish("/feed", rss(ITEMS).replace(b"</channel>", broken.encode() + b"</channel>"))
    effects = made.done(await bench.worker(made.job("one")))
    assert [fact.metric for fact in effects.facts].count("rasid_feeds_repaired_total") == counted
    assert len(titles(made)) == len(ITEMS)


async def test_credentials_go_to_the_server_only(bench: Bench, server: FeedServer) -> None:
    """What stands before `@` in a feed's address is a login there, and in no record, not even in links relative to it."""
    url = server.url().replace("http://", "http://us3r:passw0rdX@")
    made = watching(url)
    server.publish("/feed", rss([RssItem(guid="one", link="/article", title="One")]))
    assert (await bench.poll(made)).outcome == "ok"
    assert server.requests[0].headers[b"authorization"] == b"Basic dXMzcjpwYXNzdzByZFg="
    (raw,) = made.published
    assert raw.item.link == server.url("/article")
    assert "passw0rdX" not in str(raw)


async def test_links_beside_a_secret_do_not_repeat_it(bench: Bench, server: FeedServer) -> None:
    """Feeds 34: a link relative to an address with a secret is joined to what is shown, or to what a redirect left of it."""
    asked, shown = server.url("/feed?key=t0ken-of-feeds"), server.url("/feed?key=KEY")
    made = desk(replace(source("one", asked, site_of(asked)), shown=shown, secrets=("t0ken-of-feeds",)))
    made.reconcile(site_of(asked))
    items = [RssItem(guid="one", link="#1", title="One"), RssItem(guid="two", link="article", title="Two")]
    server.publish("/feed", rss(items))
    await bench.poll(made)
    server.script("/feed", Said(status=302, headers={"Location": "/there/t0ken-of-feeds/feed"}))
    server.publish("/there/t0ken-of-feeds/feed", rss([RssItem(guid="three", link="article", title="Three")]))
    await bench.poll(made)
    assert [raw.item.link for raw in made.published] == [
        f"{shown}#1",
        server.url("/article"),
        server.url("/there/…/article"),
    ]
    assert "t0ken" not in str(made.published)
    assert not any(b"t0ken" in (row.value or b"") for row in made.rows.scan(b""))


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_logins_do_not_move_with_a_feed(bench: Bench, server: FeedServer, *, elsewhere: bool) -> None:
    """Feeds 12 and 34: a feed that has moved to another origin is asked there without the login that its own address has."""
    server.publish("/there", rss(ITEMS))
    own = server.url("/old").replace("127.0.0.1", "localhost") if elsewhere else server.url("/old")
    job = PollJob(feed="one", url=own, moved_to=server.url("/there"), headers=(("X-Key", "s3cret"),))
    assert (await bench.worker(job)).outcome == "ok"
    assert (b"x-key" in server.requests[0].headers) is not elsewhere


async def test_a_poll_waits_until_it_may(bench: Bench, server: FeedServer) -> None:
    """While nothing may be polled the server is not asked; then the very same poll goes on."""
    made = watching(server.url())
    server.publish("/feed", rss(ITEMS))
    bench.may_poll.clear()
    polling = asyncio.create_task(bench.poll(made))
    assert await asyncio.wait([polling], timeout=0.1) == (set(), {polling})
    assert server.requests == []
    bench.may_poll.set()
    assert (await polling).outcome == "ok"
    assert len(made.published) == 3


async def test_an_edited_item_becomes_a_revision(bench: Bench, server: FeedServer) -> None:
    """Feeds 25: another title under the same guid is published again, as the same article, saying what changed."""
    made = watching(server.url())
    server.publish("/feed", rss(ITEMS))
    await bench.poll(made)
    edited = RssItem(guid="id-1", title="Another title", link="https://example.org/1")
    server.publish("/feed", rss([ITEMS[0], edited, ITEMS[2]]))
    await bench.poll(made)
    assert [(raw.item.title, raw.edited) for raw in made.published[3:]] == [("Another title", ("title",))]
    assert made.published[3].id == made.published[1].id


async def test_the_same_body_again_is_not_parsed(bench: Bench, server: FeedServer) -> None:
    """Feeds 2: an unchanged body costs no parse, but its validators are saved."""
    made = watching(server.url())
    body = rss(ITEMS)
    server.script("/feed", Said(body=body, headers={"ETag": '"1"'}), Said(body=body, headers={"ETag": '"2"'}))
    await bench.poll(made)
    result = await bench.poll(made)
    assert (result.outcome, bench.parses, made.feed().etag) == (PollOutcome.UNCHANGED, 1, '"2"')


async def test_where_a_feed_has_moved(bench: Bench, server: FeedServer) -> None:
    """Feeds 12: a permanent redirect is told with where it led, and a feed that has moved is asked there, by its own name."""
    url, moved = server.url("/old"), server.url("/new")
    server.script("/old", Said(status=301, headers={"Location": "/new"}))
    server.publish("/new", rss(ITEMS))
    result = await bench.worker(_job("one", url))
    assert (result.url, result.moved, result.redirected) == (url, moved, True)
    result = await bench.worker(PollJob(feed="one", url=url, moved_to=moved))
    assert (result.url, result.moved, result.redirected) == (url, "", False)
    assert [request.path for request in server.requests] == ["/old", "/new", "/new"]


async def test_who_answered(bench: Bench, server: FeedServer) -> None:
    """Feeds 14: the site that refused is told, which a redirect may have led to."""
    there = server.url("/there").replace("127.0.0.1", "localhost")
    server.script("/feed", Said(status=302, headers={"Location": there}))
    server.script("/there", Said(status=429))
    result = await bench.worker(_job("one", server.url()))
    assert (result.answer, result.site) == (Answer.TOO_MANY, "localhost")


async def test_feeds_of_a_site_share_a_connection(bench: Bench, server: FeedServer) -> None:
    """Feeds 15: due feeds of a site are asked back to back, over one connection."""
    for path in ("/a", "/b", "/c"):
        server.publish(path, rss(ITEMS))
        assert (await bench.worker(_job(path[1:], server.url(path)))).outcome == "ok"
    assert server.connections == 1


async def test_a_large_document_arrives_whole(bench: Bench, server: FeedServer) -> None:
    """Feeds 27: what one parse leaves comes at the next polls, although the document and its ETag stay the same."""
    made = watching(server.url())
    many = [RssItem(guid=f"many-{number}", title="x") for number in range(MAX_ITEMS + 5)]
    server.publish("/feed", rss(many))
    assert [(await bench.poll(made)).outcome for _ in range(3)] == ["ok", "ok", "not_modified"]
    assert {raw.item.guid for raw in made.published} == {one.guid for one in many}
    assert len(made.published) == len(many)
    assert all(raw.backfill for raw in made.published)
    server.publish("/feed", rss([*ITEMS[:1], *many]))
    await bench.poll(made)
    assert [raw.backfill for raw in made.published[len(many) :]] == [False]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (Said(body=b"<!doctype html><html><body>Maintenance</body></html>"), "html"),
        (Said(body=b""), "empty"),
        (Said(body=b" \n"), "empty"),
        (Said(body=b"{}"), "other_json"),
        (Said(body=b"kill"), "unreadable"),
        (Said(body=rss(ITEMS), cut=60), "truncated"),
        (Said(status=404, body=rss([])), "not_found"),
    ],
)
async def test_answers_that_are_no_feed(bench: Bench, server: FeedServer, said: Said, outcome: str) -> None:
    """Feeds 16: such an answer is an error with its own name; validators, window and items stay, and nothing is repeated."""
    made = watching(server.url())
    server.script("/feed", Said(body=rss(ITEMS), headers={"ETag": '"1"'}), said, Said(body=rss(ITEMS), headers={"ETag": '"1"'}))
    await bench.poll(made)
    result = await bench.poll(made)
    assert (str(result.outcome), result.answer) == (outcome, Answer.FAILED)
    assert made.feed().etag == '"1"'
    await bench.poll(made)
    assert len(made.published) == 3


def test_every_reason_of_the_parser_is_an_outcome() -> None:
    """Whatever the parser says of a body that is no feed has one of the outcomes."""
    assert set(OF_REASON) == {reason for reason in Reason if reason}


async def test_a_slow_feed_delays_no_other(bench: Bench, server: FeedServer) -> None:
    """While one site's server says nothing, the feeds of another are polled and done."""
    async with feed_server() as other:
        other_url = other.url().replace("127.0.0.1", "localhost")
        held = asyncio.Event()
        server.script("/feed", Said(hold=held, body=rss(ITEMS)))
        other.publish("/feed", rss(ITEMS))
        slow = asyncio.create_task(bench.worker(_job("slow", server.url())))
        await server.wait_for("/feed")
        async with asyncio.timeout(5):
            quick = [await bench.worker(_job(name, other_url)) for name in ("a", "b")]
        assert [result.outcome for result in quick] == ["ok", "ok"]
        assert not slow.done()
        held.set()
        assert (await slow).outcome == "ok"


async def test_files_are_read_below_the_folder(bench: Bench, tmp_path: Path) -> None:
    """A `file:` feed is read like any other, not again while unchanged, and never from outside."""
    (tmp_path / "feed.xml").write_bytes(rss(ITEMS))
    made = watching("file:feed.xml")
    assert [(await bench.poll(made)).outcome for _ in range(2)] == ["ok", "not_modified"]
    assert titles(made) == ["Title 0", "Title 1", "Title 2"]
    assert (await bench.worker(_job("out", "file:../feed.xml"))).outcome == "refused_file"


async def test_files_have_the_limit_of_feeds(bench: Bench, tmp_path: Path) -> None:
    """Feeds 17: a file over `polling.max_decoded` is given up, as a feed is."""
    (tmp_path / "feed.xml").write_bytes(rss(ITEMS) + b" " * 200_000)
    assert (await bench.worker(_job("one", "file:feed.xml"))).outcome == "too_large"


async def test_hostile_items(bench: Bench, server: FeedServer) -> None:
    """Feeds 23 and 26: items without link, title or date, and dates in the year 9999, are articles like others."""
    made = watching(server.url())
    odd = [
        RssItem(guid="only-guid"),
        RssItem(title="Only a title"),
        RssItem(title="Late", published="Fri, 31 Dec 9999 00:00:00 GMT"),
    ]
    server.publish("/feed", rss(odd))
    await bench.poll(made)
    await bench.poll(made)
    assert titles(made) == ["", "Only a title", "Late"]
    assert {raw.url for raw in made.published} == {""}


async def test_the_server_learns_who_asks(bench: Bench, server: FeedServer) -> None:
    """Feeds 5: User-Agent with the feed's id, feed types first in Accept."""
    await bench.worker(_job("the-feed", server.url()))
    headers = server.requests[0].headers
    assert headers[b"user-agent"] == b"Rasid/1 (+https://example.org; the-feed)"
    assert headers[b"accept"].startswith(b"application/rss+xml")
    assert headers[b"accept"].endswith(b"*/*;q=0.1")


def test_a_user_agent_without_a_comment() -> None:
    """A User-Agent of the operator's own making is left as it is."""
    assert introduced("Mine/1", "feed") == "Mine/1"


def _job(feed: str, url: str) -> PollJob:
    return PollJob(feed=feed, url=url)
