"""Bytes of the poller's rows."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from daemon.errors import DecodeError
from daemon.feeds.elsewhere.pages import CatchUp, Page, Way
from daemon.feeds.pace.rhythm import Rhythm
from daemon.feeds.pace.wishes import Wish
from daemon.feeds.rows import (
    FeedRow,
    FeedState,
    ItemRow,
    Move,
    NamedBy,
    Seen,
    SiteRow,
    decode,
    encode,
    feed_key,
    feed_of,
    item_key,
    item_name,
)

GOLDEN: Final = Path(__file__).parent.parent / "golden" / "rows"
FEED: Final = FeedRow(
    url="https://example.org/feed",
    parser=1,
    state=FeedState.FAILING,
    next_at=1700000300.5,
    etag='W/"é"',
    last_modified="Tue, 14 Nov 2023 22:13:20 GMT",
    body="0f" * 16,
    window=(Seen(hash="a1" * 12, item="b2" * 12), Seen(hash="", item="c3" * 12)),
    fetched=True,
    attempt=7,
    failures=2,
    polled_at=1700000000.0,
    success_at=1699990000.0,
    outcome="timeout",
    detail="no answer",
    items=9,
    kept=4,
    left_at=1700000001.0,
)
ITEM: Final = ItemRow(
    article="d4" * 16, site="example.org", parts={"title": "e5", "summary": ""}, parser=1, first_at=1699990000.0
)
SITE: Final = SiteRow(feed="one", first=7, after=9)
SAMPLES: Final[dict[str, FeedRow | ItemRow | SiteRow]] = {"poller_feed": FEED, "poller_item": ITEM, "poller_site": SITE}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_released_bytes_decode(name: str) -> None:
    """The bytes of every released row version still say what they said."""
    paths = list(GOLDEN.glob(f"*/{name}.json"))
    assert paths
    for path in paths:
        assert again(name, path.read_bytes()) == SAMPLES[name]


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_what_is_written_is_read(name: str) -> None:
    """A row comes back equal from its own bytes."""
    assert again(name, encode(SAMPLES[name])) == SAMPLES[name]


def test_what_later_versions_added_is_read() -> None:
    """A row with everything that is remembered of a feed comes back equal; what an older version left out has its default."""
    feed = replace(
        FEED,
        credentials="0f0f",
        whole_at=1699990000.0,
        interval=120.0,
        pace=132.5,
        rhythm=Rhythm(at=1700000000.0, rate=0.01, peak=0.1, new_at=1699999000.0, gap=600.5, longest=36000.0, arrivals=9),
        wish=Wish(every=1800.0, skip_hours=(0, 23), skip_days=(6,)),
        moved_to="https://new.example.org/feed",
        move=Move(url="https://newer.example.org/feed", since=1699990000.0, polls=2),
    )
    assert decode(FeedRow, encode(feed)) == feed
    site = replace(SITE, refusals=3, paused_at=1700000000.0, free_at=1700003600.0)
    assert decode(SiteRow, encode(site)) == site


def again(name: str, value: bytes) -> FeedRow | ItemRow | SiteRow:
    if name == "poller_site":
        return decode(SiteRow, value)
    return decode(FeedRow, value) if name == "poller_feed" else decode(ItemRow, value)


@pytest.mark.parametrize("value", [None, b"", b"[]", b'{"v":1}', b'{"v":1,"url":5,"parser":1}'])
def test_other_bytes_are_refused(value: bytes | None) -> None:
    """What is not a row is a typed error."""
    with pytest.raises(DecodeError):
        decode(FeedRow, value)


def test_keys() -> None:
    """A feed's items stand under a prefix of their own, whatever their identities hold."""
    assert feed_of(feed_key("a.b-c")) == "a.b-c"
    assert feed_of(item_key("a", item_name("x/y\ud800"))) == "a"
    assert not item_key("ab", item_name("x")).startswith(item_key("a", ""))


def test_a_feed_that_catches_up() -> None:
    """What is still to be looked at after a gap comes back from its bytes, and what the items are known by."""
    pages = (Page(way=Way.ARCHIVE, url="https://example.org/7"), Page(way=Way.PAGED, number=2), Page(way=Way.ROBOTS))
    catching = CatchUp(pages=pages, since=1699990000.0, read=1, found=9)
    feed = replace(FEED, named_by=NamedBy.LINK, gaps=2, gap_at=1700000000.0, catching=catching)
    assert decode(FeedRow, encode(feed)) == feed
    withdrawn = replace(ITEM, words="f6" * 8, withdrawn=True)
    assert decode(ItemRow, encode(withdrawn)) == withdrawn
