"""What a feed says of itself: when to ask again, where its past is, what it took back (feeds 9, 22 and 28)."""

from datetime import UTC, datetime

import orjson
import pytest

from daemon.feeds.parse.feed import parse_feed
from daemon.feeds.parse.parsed import NO_HINTS, Deleted, Hints, Parsed
from tests.feeds.documents import item, rss

NOW = datetime(2024, 2, 6, tzinfo=UTC).timestamp()
URL = "https://feeds.example.net/news/feed.xml"
SY = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
ATOM = 'xmlns:atom="http://www.w3.org/2005/Atom"'
HOUR = 3600.0


def parse(raw: bytes | str, known: frozenset[str] = frozenset(), url: str = URL) -> Parsed:
    return parse_feed(raw if isinstance(raw, bytes) else raw.encode(), url=url, known=known, now=NOW)


def channel(head: str, items: str = item(1)) -> str:
    return f'<rss version="2.0" {SY} {ATOM}><channel><title>c</title>{head}{items}</channel></rss>'


def atom(head: str) -> str:
    entry = "<entry><id>e</id><title>t</title></entry>"
    spaces = 'xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0"'
    return f'<feed {spaces} xml:base="https://news.example.net/sub/"><id>f</id>{head}{entry}</feed>'


@pytest.mark.parametrize(
    ("head", "hints"),
    [
        ("", NO_HINTS),
        ("<ttl>60</ttl>", Hints(ttl=HOUR)),
        ("<ttl> 0.5 </ttl>", Hints(ttl=30.0)),
        ("<ttl>0</ttl>", NO_HINTS),
        ("<ttl>-5</ttl>", NO_HINTS),
        ("<ttl>1e99</ttl>", NO_HINTS),
        ("<ttl>often</ttl>", NO_HINTS),
        ("<sy:updatePeriod>\n\thourly\t</sy:updatePeriod><sy:updateFrequency>\n1 </sy:updateFrequency>", Hints(every=HOUR)),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0.1</sy:updateFrequency>", Hints(every=10 * HOUR)),
        ("<sy:updatePeriod>weekly</sy:updatePeriod>", Hints(every=7 * 24 * HOUR)),
        ("<sy:updateFrequency>4</sy:updateFrequency>", Hints(every=6 * HOUR)),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", NO_HINTS),
        ("<sy:updatePeriod>sometimes</sy:updatePeriod>", NO_HINTS),
        (
            "<skipHours><hour>24</hour><hour>3</hour><hour>25</hour><hour>x</hour></skipHours>",
            Hints(skip_hours=frozenset({24, 3, 25})),
        ),
        ("<skipDays><day>Saturday</day><day> sunday </day><day>Holiday</day></skipDays>", Hints(skip_days=frozenset({5, 6}))),
    ],
)
def test_hints_on_when_to_ask_again(head: str, hints: Hints) -> None:
    """Feeds 9: ttl in minutes, a period over its frequency, hours and days in GMT; what makes no sense is no hint."""
    assert parse(channel(head)).hints == hints


def test_hints_of_rdf_stand_in_its_channel() -> None:
    """Feeds 9: in RSS 1.0 items stand beside the channel, the syndication module within it."""
    raw = (
        f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" {SY}>'
        "<channel rdf:about='x'><title>c</title><sy:updatePeriod>daily</sy:updatePeriod></channel>"
        "<item rdf:about='y'><title>t</title></item></rdf:RDF>"
    )
    assert parse(raw).hints == Hints(every=24 * HOUR)


def test_items_hint_at_nothing() -> None:
    """What an item holds by these names is said of the item."""
    inner = "<item><title>t</title><ttl>5</ttl><atom:link rel='prev-archive' href='https://e.example/'/></item>"
    parsed = parse(channel("", inner))
    assert (parsed.hints, parsed.archive, len(parsed.items)) == (NO_HINTS, "", 1)


@pytest.mark.parametrize("broken", ["<title>A & B</title>", "<title>A <C</title>", "<sy2:x>undeclared</sy2:x>", "<x>"])
def test_broken_feeds_hint_all_the_same(broken: str) -> None:
    """Feeds 19: repaired, read as a whole or recovered, the head is read."""
    parsed = parse(channel("<ttl>60</ttl>", item(1) + f"<item>{broken}</item>"))
    assert not parsed.well_formed
    assert parsed.hints == Hints(ttl=HOUR)


@pytest.mark.parametrize(
    ("document", "archive"),
    [
        (channel('<atom:link rel="prev-archive" href="/2024/01.xml"/>'), "https://feeds.example.net/2024/01.xml"),
        (channel('<atom:link rel="next" href="?paged=2"/>'), "https://feeds.example.net/news/feed.xml?paged=2"),
        (channel(f'<atom:link rel="next" href="{URL}"/>'), ""),
        (channel('<atom:link rel="self" href="https://e.example/x"/>'), ""),
        (channel('<atom:link rel="prev-archive" href="javascript:x"/>'), ""),
        (atom('<link rel="prev-archive" href="old"/><link rel="next" href="p2"/>'), "https://news.example.net/sub/old"),
        (atom('<link rel="next" href="p2"/><link rel="prev-archive" href="old"/>'), "https://news.example.net/sub/old"),
        (
            atom('<link rel="http://www.iana.org/assignments/relation/prev-archive" href="o"/>'),
            "https://news.example.net/sub/o",
        ),
    ],
)
def test_where_the_past_is(document: str, archive: str) -> None:
    """Feeds 22: RFC 5005's archive before this document, else its next page, absolute; never the document itself."""
    assert parse(document).archive == archive


def test_a_json_feeds_next_page_is_its_past() -> None:
    """Feeds 22: `next_url` serves as the archive; extensions and hubs are passed over."""
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "content_text": "a", "_x": {"y": [1]}}]}
    parsed = parse(orjson.dumps({**feed, "next_url": "/p2.json", "_blue_shed": {"a": 1}, "hubs": [{"type": "W", "url": "u"}]}))
    assert (parsed.archive, len(parsed.items), parsed.notes) == ("https://feeds.example.net/p2.json", 1, ())


def test_what_was_taken_back() -> None:
    """Feeds 28: RFC 6721's deleted entries with their ids as written, each once; without a date that can be believed, none."""
    head = (
        '<at:deleted-entry ref="urn:1" when="2024-02-05T14:03:22+03:00"><at:comment>wrong</at:comment></at:deleted-entry>'
        '<at:deleted-entry ref="urn:1" when="2024-02-06T00:00:00Z"/><at:deleted-entry ref="urn:2" when="soon"/>'
        '<at:deleted-entry when="2024-02-05T14:03:22Z"/><at:deleted-entry ref="urn:3" when="2034-02-05T14:03:22Z"/>'
    )
    parsed = parse(atom(head))
    at = datetime(2024, 2, 5, 11, 3, 22, tzinfo=UTC).timestamp()
    assert parsed.deleted == (Deleted(ref="urn:1", at=at), Deleted(ref="urn:2"), Deleted(ref="urn:3"))
    assert len(parsed.items) == 1


@pytest.mark.parametrize(
    "document",
    [
        channel('<ttl>5</ttl><atom:link rel="prev-archive" href="/old"/>'),
        atom('<link rel="prev-archive" href="/old"/><at:deleted-entry ref="urn:1" when="2024-02-05T14:03:22Z"/>'),
        rss([item(1), "<item><title>A <C</title></item>"], head="<!-- x -->")
        .decode()
        .replace("<item>", "<ttl>9</ttl><item>", 1),
    ],
)
def test_all_this_is_said_also_when_nothing_is_new(document: str) -> None:
    """Feeds 9, 22 and 28 do not wait for an unseen item."""
    first = parse(document)
    again = parse(document, known=frozenset(first.hashes))
    assert again.items == ()
    assert (again.hints, again.archive, again.deleted) == (first.hints, first.archive, first.deleted)
    assert (again.hints, again.archive) != (NO_HINTS, "")
