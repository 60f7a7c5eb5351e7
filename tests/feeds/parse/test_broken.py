"""Feeds that are broken, or made to break who reads them (feeds 16, 19 and 20)."""

import pickle
import time
from contextlib import suppress
from functools import partial

import orjson
import pytest

from daemon.feeds.parse.feed import parse_feed
from daemon.feeds.parse.parsed import Reason
from daemon.workers import WorkerFailed, Workers
from tests.feeds.documents import item, rss
from tests.feeds.reading import NOW, only, parse

MANY = [item(n, "خبر") for n in range(30)]
BROKEN = {
    "truncated": (rss(MANY)[:-300], 28, "truncated: the last item is not whole"),
    "truncated within a title": (rss(MANY)[:-165], 29, "truncated: what follows the last whole item was left out"),
    "the beginning lost": (rss(MANY)[60:], 30, "the beginning is missing"),
    "a comment without end": (rss(MANY).replace(b"<item>", b"<!-- <item>", 1), 29, "a comment without end opened"),
    "a page around it": (b"<html><body>" + rss(MANY) + b"</body></html>", 30, "text before the feed was left out"),
    "entities of HTML": (
        rss([*MANY, "<item><title>caf&eacute;&nbsp;x</title></item>"]),
        31,
        "entities and ampersands repaired",
    ),
    "bare ampersands": (rss([*MANY, "<item><title>A & B</title></item>"]), 31, "entities and ampersands repaired"),
    "a character that is none": (
        rss([*MANY, "<item><title>&#0;&#xD800;x</title></item>"]),
        31,
        "entities and ampersands repaired",
    ),
    "control characters": (rss([*MANY, "<item><title>a\x08b</title></item>"]), 31, "control characters left out"),
    "junk before": (b"<br />Warning: php\n" + rss(MANY), 30, "text before the feed was left out"),
    "junk after": (rss(MANY) + b"<script>alert(1)</script>", 30, "text after the feed was left out"),
    "a tag inside a title": (
        rss([*MANY, "<item><title>A <C</title><guid>c</guid></item>"]),
        31,
        "not well-formed: read as a whole",
    ),
    "a tag left open": (rss([*MANY, "<item><title>A</title><link>x</item>"]), 31, "not well-formed: read as a whole"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_feeds_give_their_items(kind: str) -> None:
    """What breaks well-formedness costs at most the item it stands in, and is noted; known items stay known."""
    raw, least, note = BROKEN[kind]
    parsed = parse(raw)
    assert not parsed.well_formed
    assert len(parsed.items) >= least
    assert note in parsed.notes
    assert parsed.items[3].title == "خبر 3"
    again = parse(raw, known=frozenset(parsed.hashes))
    assert (again.items, again.reason) == ((), Reason.NONE)


def test_an_item_cut_off_is_taken_once_it_can_be_known() -> None:
    """Feeds 19: of the item in which a feed is cut, what is whole is taken, if that is a title and what it is known by."""
    whole = "<item><title>T</title><guid>g</guid><description>first</description>"
    cut = parse(rss([item(1), f"{whole}<content>sec"]).removesuffix(b"</channel></rss>"))
    assert [(one.guid, one.summary, one.content) for one in cut.items] == [("n:1", "x", ""), ("g", "first", "")]
    unknown = parse(rss([item(1), "<item><title>T</title><description>fir"]).removesuffix(b"</channel></rss>"))
    assert [one.guid for one in unknown.items] == ["n:1"]


@pytest.mark.parametrize("raw", [rss([])[:-20], rss([]).replace(b"<title>c</title>", b"<title>c<"), rss(MANY)[:55]])
def test_a_broken_feed_without_items_is_unreadable(raw: bytes) -> None:
    """Feeds 16 and 19: what is cut before its first item is not an empty feed, and leaves everything as it was."""
    parsed = parse(raw)
    assert parsed.reason is Reason.UNREADABLE
    assert "not well-formed: what could be recovered" not in parsed.notes


@pytest.mark.parametrize(
    "page",
    [
        b"<html><!-- <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:trackback='x'> --><body/></html>",
        b"<html><body><pre>&lt;rss version='2.0'&gt;</pre><feed>x</feed><item>y</item></body></html>",
        b"<!doctype html><item>1</item><channel>2</channel>",
    ],
)
def test_what_pages_hold_is_no_feed(page: bytes) -> None:
    """Feeds 16: metadata and examples in a page make it no feed."""
    assert parse(page).reason is Reason.HTML


def test_entities_become_characters() -> None:
    """Feeds 19: DOCTYPE goes, HTML's entities become characters, those of a DTD of its own stay as written."""
    doctype = '<!DOCTYPE rss [<!ENTITY a "lol"><!ENTITY b "&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>'
    one = only(rss(["<item><title>caf&eacute; &mdash; &b; &x;</title></item>"], head=doctype))
    assert one.title == "café — &b; &x;"


def test_an_item_on_which_feedparser_raises_costs_only_itself() -> None:
    """An element that makes feedparser raise is set aside and noted; the others arrive and are remembered."""
    killer = '<item><authors x="1">q</authors><author>me</author><title>t</title></item>'
    parsed = parse(rss([item(1), killer, item(2), item(3)]))
    assert [one.guid for one in parsed.items] == ["n:1", "n:2", "n:3"]
    assert parsed.notes == ("1 item could not be read",)
    assert len(parsed.hashes) == 3


HOSTILE = {
    "billion laughs": rss(
        ["<item><title>&a9;</title></item>"],
        head='<!DOCTYPE r [<!ENTITY a0 "lol">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)) + "]>",
    ),
    "100,000 elements deep": rss(["<item><title>x</title>" + "<b>" * 100_000 + "</b>" * 100_000 + "</item>"]),
    "HTML 100,000 deep": rss(["<item><title>x</title><description>" + "&lt;div&gt;x" * 60_000 + "</description></item>"]),
    "50,000 attributes": rss(["<item " + " ".join(f'a{n}="1"' for n in range(50_000)) + "><title>x</title></item>"]),
    "a title of 10 MB": rss(["<item><title>" + "A" * 10_000_100 + "</title></item>"]),
    "10 MB of bare ampersands": rss(["<item><title>" + "A & " * 2_500_000 + "</title></item>"]),
    "a million items": rss(["<item/>"] * 1_000_000),
    "half a million items": rss(f"<item><guid>{n}</guid></item>" for n in range(500_000)),
    "a comment without end": b"<!--" * 400_000,
    "a DOCTYPE without end": b"<!DOCTYPE rss [" + b"]" * 1_000_000,
    "items without end": b"<rss>" + b"<item>" * 200_000,
}


LARGE = {
    "rss": rss(f"<item><guid>{n}</guid><description>{'&lt;p&gt;b&lt;/p&gt;' * 40_000}</description></item>" for n in range(6)),
    "json": orjson.dumps(
        {
            "version": "https://jsonfeed.org/version/1",
            "items": [{"id": str(n), "content_html": "<p>b</p>" * 80_000} for n in range(6)],
        }
    ),
}


@pytest.mark.parametrize("form", LARGE)
def test_megabytes_come_in_turns(form: str) -> None:
    """Feeds 20: of large items so many are taken at one time as can be read in time; the others follow, none is lost."""
    known: frozenset[str] = frozenset()
    guids: list[str] = []
    for _ in range(12):
        parsed = parse(LARGE[form], known=known)
        assert 0 < len(parsed.items) < 6
        guids += [one.guid for one in parsed.items]
        known |= frozenset(parsed.hashes)
        if not parsed.left:
            break
    assert guids == [str(n) for n in range(6)]


async def test_in_a_worker_whatever_comes_ends_and_the_next_feed_is_read() -> None:
    """Feeds 20: within the limits of time and memory of a worker there is an answer or a typed failure, and work goes on."""
    async with Workers(1) as workers:
        for raw in HOSTILE.values():
            with suppress(WorkerFailed):
                parsed = await workers.run(partial(parse_feed, raw, now=NOW))
                assert parsed.items or parsed.reason or parsed.notes
        assert len((await workers.run(partial(parse_feed, rss([item(1)]), now=NOW))).items) == 1


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_documents_end_soon(kind: str) -> None:
    """Feeds 20: bombs, depth, attributes and megabytes take bounded time and give bounded items, or a reason."""
    started = time.process_time()
    parsed = parse(HOSTILE[kind])
    assert time.process_time() - started < 6
    assert len(pickle.dumps(parsed)) < 8_000_000
    assert parsed.items or parsed.reason or parsed.notes


def test_a_half_item_of_openings_ends() -> None:
    """Feeds 20: a cut item of nothing but beginnings that never end is looked through once."""
    parsed = parse(rss([item(1)])[: -len("</channel></rss>\n")] + b"<item><title>x</title>" + b"<![CDATA[" * 200_000)
    assert [one.guid for one in parsed.items] == ["n:1"]


def test_json_that_is_nested_deep() -> None:
    """Feeds 20: one item nested so deep that nobody can write it takes no other with it."""
    deep = '{"id": "deep", "title": "Deep", "_x": ' + "[" * 1000 + "]" * 1000 + "}"
    document = f'{{"version": "https://jsonfeed.org/version/1.1", "items": [{{"id": "flat", "title": "Flat"}}, {deep}]}}'
    assert "flat" in {one.guid for one in parse(document).items}
