"""What people are shown of feeds."""

from collections.abc import Callable
from dataclasses import replace

from daemon.bus.base import Row
from daemon.feeds.listing import feed_lines, feed_table
from daemon.feeds.pace.rhythm import Rhythm
from daemon.feeds.rows import FeedRow, FeedState, NamedBy, SiteRow, encode, feed_key, site_key
from tests.feeds.desk import source

NOW = 1_700_000_000.0
OK = FeedRow(
    url="https://news.example.org/feed",
    parser=1,
    state=FeedState.OK,
    next_at=NOW + 180,
    polled_at=NOW - 120,
    success_at=NOW - 120,
    outcome="ok",
    items=7,
    fetched=True,
)
Change = Callable[[FeedRow], FeedRow]


def row(id_: str, feed: FeedRow) -> Row:
    return Row("example.org", feed_key(id_), encode(feed), feed.next_at)


def test_feeds_joined_with_their_rows() -> None:
    """Each configured feed has a line, polled or not; one that left the files says so and has no next poll."""
    sources = [source("one"), source("two", "https://example.org/two")]
    lines = feed_lines(sources, [row("gone", OK), row("one", OK), Row("s", b"item/one/x", b"?")], NOW)
    assert [(line.id, line.state, line.items) for line in lines] == [("one", "ok", 7), ("two", "new", 0), ("gone", "left", 7)]
    assert (lines[0].last_success, lines[0].next_poll) == ("2023-11-14T22:11:20Z", "2023-11-14T22:16:20Z")
    assert (lines[1].next_poll, lines[2].next_poll) == (None, None)


def test_a_feed_that_moved_to_another_site() -> None:
    """Of two rows of one feed, in two partitions, the one that is polled is shown."""
    left = replace(OK, left_at=NOW, state=FeedState.LEFT, items=1)
    for rows in ([row("one", left), row("one", OK)], [row("one", OK), row("one", left)]):
        assert [line.items for line in feed_lines([source("one")], rows, NOW)] == [7]


def test_the_table() -> None:
    """On a terminal: a heading, a line a feed with times as distances, a failure's reason below, and no query of a URL.

    A feed that nobody fills any more is `ok`: when something new last came stands beside it.
    """
    failing = replace(OK, state=FeedState.FAILING, failures=3, outcome="timeout", detail="no answer", next_at=NOW + 7200)
    dead = replace(OK, rhythm=Rhythm(at=NOW, new_at=NOW - 400 * 86400))
    sources = [source("one"), source("two", "https://example.org/two?token=secret"), source("three")]
    text = feed_table(feed_lines(sources, [row("one", dead), row("two", failing)], NOW), NOW)
    assert [line.split() for line in text.splitlines()] == [
        ["feed", "state", "last", "success", "last", "outcome", "next", "poll", "last", "new", "items", "url"],
        ["one", "ok", "2m", "ago", "ok", "in", "3m", "400d", "ago", "7", "https://news.example.org/feed"],
        ["two", "failing", "2m", "ago", "timeout", "(×3)", "in", "2h", "-", "7", "https://example.org/two?…"],
        ["no", "answer"],
        ["three", "new", "-", "-", "-", "-", "0", "https://news.example.org/feed"],
    ]


def test_a_feed_that_left_tells_no_secret() -> None:
    """Of its address, which only the row still knows, neither credentials nor query are shown."""
    (line,) = feed_lines([], [row("gone", replace(OK, url="https://user:pass@example.org/feed?key=secret"))], NOW)
    assert line.url == "https://example.org/feed?…"


def test_a_feed_that_is_switched_off() -> None:
    """It is listed as one that left, and that it may stand in the files all the same is said."""
    text = feed_table(feed_lines([], [row("gone", OK)], NOW), NOW)
    assert text.splitlines()[-1] == "    not in the files any more, or switched off there"


def test_a_site_that_is_left_alone() -> None:
    """Feeds 14: no feed of it is polled before the end of the pause; the list says so, and why, of each of them."""
    pause = encode(SiteRow(refusals=1, paused_at=NOW, free_at=NOW + 3600))
    late = replace(OK, next_at=NOW + 7200)
    rows = [row("one", OK), row("two", late), Row("example.org", site_key("example.org"), pause, NOW + 3600)]
    lines = feed_lines([source("one"), source("two")], rows, NOW)
    assert [line.next_poll for line in lines] == ["2023-11-14T23:13:20Z", "2023-11-15T00:13:20Z"]
    assert [line.left_alone for line in lines] == ["2023-11-14T23:13:20Z"] * 2
    assert feed_table(lines, NOW).count("\n    its site wants to be left alone, until 2023-11-14T23:13:20Z") == 2
    assert [line.left_alone for line in feed_lines([source("one")], rows[:1], NOW)] == [None]


def test_a_feed_that_has_gone_quiet() -> None:
    """What is out of a feed's habits is said: how often it posts, how long it has not; one that is in them has no remark."""
    habits = Rhythm(at=NOW, new_at=NOW - 19 * 3600, gap=7200.0, longest=9 * 3600.0, arrivals=40)
    quiet, night = replace(OK, rhythm=habits), replace(OK, rhythm=replace(habits, new_at=NOW - 8 * 3600))
    lines = feed_lines([source("one"), source("two")], [row("one", quiet), row("two", night)], NOW)
    assert [(line.silent, line.posts_every, line.last_new) for line in lines] == [
        (True, 7200, "2023-11-14T03:13:20Z"),
        (False, 7200, "2023-11-14T14:13:20Z"),
    ]
    assert [line for line in feed_table(lines, NOW).splitlines() if line.startswith(" ")] == [
        "    posts every 2h, silent for 19h"
    ]


def test_a_feed_that_has_moved() -> None:
    """Feeds 12: the address that is really asked is shown, without what may be secret in it."""
    moved = replace(OK, moved_to="https://user:pass@new.example.org/feed?key=secret")
    lines = feed_lines([source("one")], [row("one", moved)], NOW)
    assert lines[0].moved_to == "https://new.example.org/feed?…"
    assert "has moved to https://new.example.org/feed?…: correct the file" in feed_table(lines, NOW)


def test_a_feed_that_shows_too_little_or_changes_its_ids() -> None:
    """Feeds 22, 24: news that was missed of late is told with when, and what items are known by when it is not their ids."""
    odd, long_ago = replace(OK, gap_at=NOW - 7200, named_by=NamedBy.WORDS), replace(OK, gap_at=NOW - 30 * 86400)
    lines = feed_lines([source("one"), source("two")], [row("one", odd), row("two", long_ago)], NOW)
    assert [(line.last_gap, line.known_by) for line in lines] == [
        ("2023-11-14T20:13:20Z", "title_and_date"),
        ("2023-10-15T22:13:20Z", "id"),
    ]
    assert [line for line in feed_table(lines, NOW).splitlines() if line.startswith(" ")] == [
        "    items were missed between two polls, 2h ago: shorten its interval",
        "    its ids do not last: items are known by their title and date",
    ]
