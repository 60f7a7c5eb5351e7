"""From a feed's bytes to items, in every format, whole, split and broken (feeds 18 to 28)."""

import json
import pickle
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import feedparser
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.dates import Guesses
from daemon.feeds.parse.parsed import Reason
from daemon.feeds.parse.split import MAX_ITEMS
from daemon.feeds.rows import MAX_WINDOW
from daemon.messages.article import Enclosure, Source
from tests.feeds.documents import ATOM, ATOM03, JSON, RDF, RSS, item, rss
from tests.feeds.reading import only, parse

PUBLISHED = datetime(2024, 2, 5, 11, 3, 22, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (RSS, "RSS 2.0"),
        (RSS.replace('version="2.0"', 'version="0.92"'), "RSS 0.92"),
        (RDF, "RSS 1.0"),
        (ATOM, "Atom 1.0"),
        (ATOM03, "Atom 0.3"),
        (JSON, "JSON Feed 1.1"),
    ],
)
def test_every_format_gives_its_item(document: str, name: str) -> None:
    """Each format is named, well-formed, and its item has identity, link, title and date."""
    parsed = parse(document)
    assert (parsed.format, parsed.well_formed, parsed.reason, len(parsed.hashes)) == (name, True, Reason.NONE, 1)
    assert parsed.items[0].published.at == PUBLISHED
    assert parsed.items[0].id
    assert parsed.items[0].link.startswith("https://")
    assert parsed.items[0].title


def test_rss_fields() -> None:
    """All that an RSS item says arrives: texts as text, HTML beside them, links absolute."""
    one = only(RSS)
    assert one.id == one.guid == "n:1"
    assert one.link == "https://feeds.example.net/a/1"
    assert one.title == "الخبر & ما بعده"
    assert (one.summary, one.summary_html) == ("موجز\nثان", "<p>موجز<br>ثان</p>")
    assert one.content == "الأول\nالثاني هنا"
    assert '<a href="https://feeds.example.net/news/x">' in one.content_html
    assert (one.authors, one.tags, one.comments) == (("فلان",), ("سياسة",), "https://news.example.net/a/1#c")
    assert one.source == Source(name="وكالة", url="https://agency.example.org/")
    assert one.enclosures == (
        Enclosure(url="https://feeds.example.net/p.jpg", type="image/jpeg", length=12),
        Enclosure(url="https://news.example.net/q.jpg", type="image/jpeg"),
    )
    assert (one.published.raw, one.published.how) == ("Mon, 05 Feb 2024 14:03:22 +0300", "rfc822")
    assert one.notes == ()
    assert parse(RSS).language == "ar"


def test_atom_fields() -> None:
    """An Atom entry: xml:base and xml:lang count, XHTML becomes text, both dates are told apart."""
    one = only(ATOM)
    assert (one.id, one.link, one.title, one.language) == ("urn:1", "https://news.example.net/sub/un", "Un & deux", "fr")
    assert (one.summary, one.summary_html, one.content) == ("en bref", "", "a\nb")
    assert (one.authors, one.tags) == (("Elle",), ("Politique",))
    assert one.updated.at == PUBLISHED + 3398


def test_json_feed_fields() -> None:
    """A JSON Feed's item, its number as id, has the same shapes."""
    one = only(JSON)
    assert (one.id, one.link, one.content, one.summary) == ("1", "https://feeds.example.net/1", "a\nb", "s")
    assert (one.authors, one.tags) == (("Me",), ("x",))
    assert one.enclosures == (Enclosure(url="https://feeds.example.net/a.mp3", type="audio/mpeg", length=7),)


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://feeds.example.net/news/feed.xml", "https://feeds.example.net/a/1"),
        ("file:seeds/feed.xml", "https://news.example.net/a/1"),
        ("", "https://news.example.net/a/1"),
    ],
)
def test_relative_links_take_the_final_url_else_the_channels_link(url: str, link: str) -> None:
    """Feeds 21: the final URL, else the channel's link, is what links are relative to."""
    assert only(RSS, url=url).link == link


@pytest.mark.parametrize(
    ("inner", "link", "identity"),
    [
        ("<guid>12345</guid>", "", "12345"),
        ("<guid>https://e.example/1</guid>", "https://e.example/1", "http://e.example/1"),
        ('<guid isPermaLink="false">https://e.example/1</guid>', "", "http://e.example/1"),
        ("<link>https://e.example/1?utm_source=rss</link>", "https://e.example/1?utm_source=rss", "https://e.example/1"),
        ("<title>T</title><pubDate>5 Feb 2024</pubDate>", "", "T 5 Feb 2024"),
    ],
)
def test_identity_and_link(inner: str, link: str, identity: str) -> None:
    """Feeds 23: a guid is opaque, and an address only when it says so and is one; else link, else title and date."""
    one = only(rss([f"<item>{inner}</item>"]), url="")
    assert (one.link, one.id) == (link, identity)


def test_an_item_with_a_text_only_is_still_an_item() -> None:
    """Without guid, link, title and date an item is known by its text; without that, too, it is none."""
    parsed = parse(rss(["<item><description>only this</description></item>", "<item></item>"]))
    assert [one.summary for one in parsed.items] == ["only this"]
    assert parsed.items[0].id
    assert "date missing" in parsed.items[0].notes
    assert parsed.notes == ("1 item without any text left out",)


def test_what_is_no_item_of_a_json_feed() -> None:
    """What says nothing to know it by, or is no object, is left out and counted, as in XML; the others arrive."""
    items = [{"id": "1", "title": "One"}, {"title": ""}, {}, "three", 4, {"id": "5", "url": "https://e.example/5"}]
    parsed = parse(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode())
    assert [one.guid for one in parsed.items] == ["1", "5"]
    assert len(parsed.hashes) == 2
    assert parsed.notes == ("2 items could not be read", "2 items without any text left out")


def test_one_guid_for_several_items_gets_the_link_added() -> None:
    """Feeds 24: duplicate guids in a document are told apart by link, also when only one of the items is unseen."""
    items = [f"<item><guid isPermaLink='false'>same</guid><link>https://e.example/{n}</link></item>" for n in range(3)]
    parsed = parse(rss(items))
    assert [one.id for one in parsed.items] == [f"same https://e.example/{n}" for n in range(3)]
    again = parse(rss(items), known=frozenset(parsed.hashes[1:]))
    assert [one.id for one in again.items] == ["same https://e.example/0"]


@pytest.mark.parametrize(
    ("date", "note"),
    [
        ("Fri, 31 Dec 9999 23:59:59 GMT", "date over a day ahead: not believed"),
        ("Thu, 01 Jan 1970 00:00:00 GMT", "date before 1990: taken as missing"),
        ("some day", "date unreadable"),
        ("", "date missing"),
    ],
)
def test_dates_not_believed_leave_a_note(date: str, note: str) -> None:
    """Feeds 26: what cannot be right is no instant; its text and a note are kept."""
    one = only(rss([f"<item><title>t</title><pubDate>{date}</pubDate></item>"]))
    assert (one.published.at, one.published.raw, one.notes) == (None, date, (note,))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \r\n\t", Reason.EMPTY),
        (b"\xef\xbb\xbf", Reason.EMPTY),
        (b"\0" * 500, Reason.EMPTY),
        (b"<!DOCTYPE html><html><body><div>404", Reason.HTML),
        (b"<html><head><title>x</title></head></html>", Reason.HTML),
        (b"hello", Reason.NO_FEED),
        (b"<?xml version='1.0'?><opml version='2.0'><body/></opml>", Reason.NO_FEED),
        (b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'/>", Reason.NO_FEED),
        (b'{"error": "not found"}', Reason.OTHER_JSON),
        (b"[1, 2", Reason.OTHER_JSON),
        (b"{" * 200_000, Reason.OTHER_JSON),
    ],
)
def test_what_is_no_feed_has_a_reason(raw: bytes, reason: Reason) -> None:
    """Whatever is no feed says which kind of no feed it is."""
    parsed = parse(raw)
    assert (parsed.reason, parsed.items, parsed.hashes) == (reason, (), ())


@pytest.mark.parametrize("document", [rss([]), '{"version": "https://jsonfeed.org/version/1", "items": []}'])
def test_a_feed_without_items_is_a_feed(document: bytes | str) -> None:
    """An empty channel is no mistake; a note says that it is empty."""
    parsed = parse(document)
    assert (parsed.reason, parsed.items, parsed.notes) == (Reason.NONE, (), ("the feed has no items",))


MORE = range(MAX_ITEMS + 500)


@pytest.mark.parametrize(
    "raw",
    [
        rss(item(n) for n in MORE),
        rss(item(n) for n in MORE).replace(
            b"<description>x</description></item></channel>", b"<description>x</item></channel>"
        ),
        orjson.dumps({"version": "https://jsonfeed.org/version/1", "items": [{"id": f"n:{n}", "title": "x"} for n in MORE]}),
    ],
    ids=["rss", "broken", "json"],
)
def test_thousands_of_items_come_in_turns(raw: bytes) -> None:
    """Feeds 27: more items than one parse takes are taken at the next polls, by their hashes, none lost."""
    first = parse(raw)
    assert (len(first.items), len(first.hashes)) == (MAX_ITEMS, MAX_ITEMS)
    assert (first.left, first.notes[-1]) == (500, "500 items left for the next polls")
    second = parse(raw, known=frozenset(first.hashes))
    assert [one.guid for one in second.items] == [f"n:{n}" for n in range(MAX_ITEMS, MAX_ITEMS + 500)]
    assert (second.left, set(first.hashes) < set(second.hashes)) == (0, True)


@pytest.mark.parametrize(
    "raw",
    [
        rss(item(n) for n in range(MAX_WINDOW + 7)),
        orjson.dumps({"version": "https://jsonfeed.org/version/1", "items": [{"id": f"n:{n}"} for n in range(MAX_WINDOW + 7)]}),
    ],
    ids=["rss", "json"],
)
def test_a_document_has_so_many_items_at_most(raw: bytes) -> None:
    """Feeds 20: items behind the first 5,000 of a document are passed over, and said; the others all come."""
    first = parse(raw)
    second = parse(raw, known=frozenset(first.hashes))
    third = parse(raw, known=frozenset(second.hashes))
    assert [(len(one.items), one.left, one.beyond) for one in (first, second, third)] == [
        (MAX_ITEMS, MAX_WINDOW - MAX_ITEMS, 7),
        (MAX_WINDOW - MAX_ITEMS, 0, 7),
        (0, 0, 7),
    ]
    assert second.items[-1].guid == f"n:{MAX_WINDOW - 1}"
    assert all("7 items passed over: a document has 5000 at most" in one.notes for one in (first, second, third))


def test_the_last_item_of_a_shifted_window_is_known() -> None:
    """White space behind an item is not part of it: it stays known when the window shifts."""
    items = [item(n) + "\n  " for n in range(5)]
    before = parse(rss(items))
    after = parse(rss([item(9) + "\n", *items[:-1]]), known=frozenset(before.hashes))
    assert [one.guid for one in after.items] == ["n:9"]


def test_a_parsed_feed_travels() -> None:
    """What comes back pickles, and its items go onto the wire: no lone surrogates, no control characters."""
    title = '"\\ud800 \\u0000 x"'
    parsed = parse(f'{{"version": "https://jsonfeed.org/version/1", "items": [{{"id": "1", "title": {title}}}]}}')
    assert pickle.loads(pickle.dumps(parsed)) == parsed  # noqa: S301 - our own bytes
    assert parsed.items[0].title == "\ufffd x"
    orjson.dumps(parsed.items)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=40)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6, unique=True), st.randoms())
@settings(max_examples=60, deadline=None)
def test_split_gives_feedparsers_values(texts: list[tuple[str, str]], random: Any) -> None:
    """Handing feedparser the unseen items only gives the values it gives for the whole document."""
    raw = rss(
        f"<item><title>{escape(title)}</title><guid>g:{n}</guid><link>https://e.example/{n}</link>"
        f"<description>{escape(text)}</description></item>\n"
        for n, (title, text) in enumerate(texts)
    )
    whole = parse(raw)
    known = frozenset(digest for digest in whole.hashes if random.random() < 0.5)
    part = parse(raw, known=known)
    assert part.hashes == whole.hashes
    assert list(part.items) == [one for digest, one in zip(whole.hashes, whole.items, strict=True) if digest not in known]
    theirs = feedparser.parse(raw, response_headers={"content-type": "application/xml"}, sanitize_html=False)
    assert [(one.guid, one.link) for one in whole.items] == [(entry["id"], entry["link"]) for entry in theirs["entries"]]


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))))
@settings(max_examples=120, deadline=None)
def test_any_bytes_end_in_items_or_a_reason(raw: bytes) -> None:
    """No bytes make it raise or end in silence."""
    parsed = parse(raw)
    assert parsed.items or parsed.reason or parsed.notes
    orjson.dumps(parsed.items)


SEEDS = [RSS.encode(), RDF.encode(), ATOM.encode(), JSON.encode(), rss([item(n, "خبر") for n in range(4)])]


@given(
    st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 60), st.binary(max_size=12)), max_size=4)
)
@settings(max_examples=200, deadline=None)
def test_mutated_feeds_end_in_items_or_a_reason(raw: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    """A feed with pieces cut out and bytes put in ends in items, a reason or a note, and its items travel."""
    for at, length, new in edits:
        raw = raw[:at] + new + raw[at + length :]
    parsed = parse(raw)
    assert parsed.items or parsed.reason or parsed.notes
    assert all(one.id for one in parsed.items)
    orjson.dumps(parsed.items)


def test_guessed_dates_are_bounded() -> None:
    """Feeds 20: of thousands of dates that only a guess could read, hundreds are guessed; the texts of all are taken."""
    items = [item(n).replace("Mon, 05 Feb 2024 14:03:22 GMT", f"{n % 9 + 1} days ago") for n in range(2 * Guesses().left)]
    parsed = parse(rss(items), language="en")
    assert sum(one.published.how == "dateparser" for one in parsed.items) == Guesses().left
    assert all(one.published.raw for one in parsed.items)
