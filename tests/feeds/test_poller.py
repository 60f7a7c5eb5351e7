"""The poller's decisions: what is news, what is an edit, what is remembered, and what commits together."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.bus.topics import partition_of
from daemon.errors import DecodeError
from daemon.feeds.jobs import PollResult
from daemon.feeds.pace.schedule import Answer, Pace
from daemon.feeds.pace.wishes import WEEK
from daemon.feeds.poller import Poller
from daemon.feeds.rows import ITEM, KEPT, MAX_WINDOW, FeedState, feed_key
from daemon.messages.article import Item, Moment
from daemon.messages.dead import DeadLetter
from daemon.net.answers import FetchOutcome
from daemon.stage.hop import Fact, Failed
from daemon.stage.table import StepTable
from tests.feeds.desk import DAY, PARTITIONS, Desk, desk, good, item, source


def ids(made: Desk) -> list[str]:
    return [raw.item.id for raw in made.published]


def test_a_new_feed_is_polled_at_once() -> None:
    """Feeds 15: a feed's first poll is due when its row is made, and asks unconditionally."""
    made = desk()
    assert [row.key for row in made.rows.due(made.now, 10)] == [feed_key("one")]
    assert (made.job().etag, made.job().known) == ("", frozenset())


def test_feeds_of_other_partitions_are_left_alone() -> None:
    """A partition polls the feeds whose site falls into it, so that each feed is polled by one process."""
    sources = [source(f"feed-{number}", f"https://{number}.com/", f"{number}.com") for number in range(20)]
    poller, counts = Poller(sources, pace=Pace(), parser=1), list[int]()
    for partition in range(PARTITIONS):
        table = StepTable(Desk(poller).rows)
        poller.reconcile(partition, PARTITIONS, table, 0.0)
        counts.append(len(table.changes()))
    assert sum(counts) == 20
    assert max(counts) < 20


def test_items_of_the_first_fetch_are_backfill() -> None:
    """Feeds 22: what a feed already held is marked; what comes later is news."""
    made = desk()
    made.poll([item("a"), item("b")])
    made.poll([item("c"), item("a"), item("b")])
    assert [(raw.item.id, raw.backfill) for raw in made.published] == [("a", True), ("b", True), ("c", False)]


def test_an_edit_keeps_the_articles_id() -> None:
    """Feeds 25: the same identity with other texts is a revision of the same article, and says which parts changed."""
    made = desk()
    made.poll([item("a", content="first")])
    seen = made.now
    made.now += DAY
    made.poll([item("a", title="Another title", content="second", link="https://example.org/moved")])
    first, second = made.published
    assert (first.first_at, second.first_at, second.fetched_at) == (seen, seen, made.now)
    assert (first.id, first.site) == (second.id, second.site)
    assert (first.edited, second.edited) == ((), ("title", "content"))
    assert not second.backfill


def test_a_document_taken_in_portions_is_one_window() -> None:
    """Feeds 27: while items are left, no condition is sent, the feed is polled again soon, its first fetch goes on."""
    made = desk()
    made.poll([item("a")], left=1, etag='"x"')
    feed, job = made.feed(), made.job()
    assert (feed.fetched, feed.body, job.etag, len(job.known)) == (False, "", "", 1)
    assert feed.next_at - made.now < 1.2 * Pace().shortest
    made.poll([item("a"), item("b")], etag='"x"')
    assert (made.feed().fetched, made.feed().body, made.job().etag) == (True, "hash", '"x"')
    assert made.feed().next_at - made.now > 1.2 * Pace().shortest
    made.poll([item("a"), item("b"), item("c")], left=1)
    assert [(raw.item.id, raw.backfill) for raw in made.published] == [("a", True), ("b", True), ("c", False)]


def test_a_document_that_never_ends_is_a_feed_like_others() -> None:
    """A first window that is other each time and never whole does not keep its feed silent, or hurried, for ever."""
    made = desk()
    for number in range(12):
        made.poll([item(str(number))], left=1, etag='"x"')
    assert made.feed().fetched
    assert not made.published[-1].backfill
    assert made.feed().next_at - made.now > 1.2 * Pace().shortest
    assert made.job().etag == ""


def test_other_changes_are_no_edit() -> None:
    """Feeds 25: tags, HTML and counters change without a revision."""
    made = desk()
    made.poll([item("a")])
    made.poll([replace(item("a"), tags=("x",), content_html="<p>other</p>", comments="https://example.org/c")])
    assert len(made.published) == 1


def test_an_article_without_a_usable_url_belongs_to_its_feed() -> None:
    """No link: the id is of feed and guid, the lane is the feed's site, and the URL stays empty."""
    made = desk()
    made.poll([item("a", link=""), item("b", link="javascript:alert(1)")])
    assert [(raw.url, raw.site) for raw in made.published] == [("", "example.org")] * 2
    assert made.published[0].id != made.published[1].id


def test_copies_of_one_url_meet() -> None:
    """Two feeds' items with one URL are one article in one lane, whoever saw it first."""
    made = desk(source("one"), source("two"))
    made.poll([item("a", link="https://www.other.org/x?utm_source=one")], "one")
    made.poll([item("b", link="http://other.org/x/")], "two")
    first, second = made.published
    assert (first.id, first.site) == (second.id, "other.org")


def test_a_failure_keeps_everything() -> None:
    """Feeds 16: after an error validators, window and items are as they were; only the schedule backs off."""
    made = desk()
    made.poll([item("a")], etag='"x"')
    before = made.feed()
    made.done(
        PollResult(
            url=before.url, outcome=FetchOutcome.TIMEOUT, answer=Answer.FAILED, fetched_at=made.now, etag="", fresh=False
        )
    )
    after = made.feed()
    kept = ("etag", "last_modified", "body", "window", "fetched", "success_at")
    assert {name: getattr(after, name) for name in kept} == {name: getattr(before, name) for name in kept}
    assert (after.state, after.failures, after.outcome) == (FeedState.FAILING, 1, "timeout")
    made.poll([item("a")])
    assert (made.feed().state, made.feed().failures) == (FeedState.OK, 0)


@pytest.mark.parametrize(
    ("fresh", "etag", "modified", "kept"),
    [
        (True, '"new"', "", ('"new"', "")),
        (True, "", "", ("", "")),
        (False, "", "", ('"old"', "then")),
        (False, '"new"', "", ('"new"', "then")),
    ],
)
def test_validators(fresh: bool, etag: str, modified: str, kept: tuple[str, str]) -> None:  # noqa: FBT001 - a table's column
    """Feeds 2: every 200 replaces both, clearing what it lacks; a 304 updates those present and keeps those absent."""
    made = desk()
    made.poll([item("a")], etag='"old"', last_modified="then")
    made.done(replace(good(made.now), fresh=fresh, etag=etag, last_modified=modified))
    assert (made.job().etag, made.job().last_modified) == kept
    assert made.feed().window


def test_gone_and_too_many() -> None:
    """Feeds 13 and 14: a 410 is looked at again in a week, Retry-After is waited for."""
    made = desk()
    made.done(PollResult(url=made.feed().url, outcome=FetchOutcome.GONE, answer=Answer.GONE, fetched_at=made.now))
    assert made.feed().state is FeedState.GONE
    assert made.feed().next_at >= made.now + WEEK
    made.done(
        PollResult(
            url=made.feed().url, outcome=FetchOutcome.TOO_MANY, answer=Answer.TOO_MANY, fetched_at=made.now, retry_after=7200.0
        )
    )
    assert made.feed().next_at >= made.now + 7200


def test_a_restart_neither_repeats_nor_hurries() -> None:
    """After a restart nothing known is published again, and no feed is polled before its stored time (feeds 8)."""
    made = desk()
    made.poll([item("a")])
    due = made.row().wake
    again = Desk(Poller([source()], pace=Pace(), parser=1), made.rows, made.now)
    again.reconcile()
    assert again.row().wake == due
    again.poll([item("a")])
    assert again.published == []


def test_a_kill_before_the_commit_loses_nothing() -> None:
    """Feeds 4: items, window and validators commit together: a step that did not commit is polled again from where it was."""
    made = desk()
    job = made.job()
    result = replace(good(made.now), etag='"x"', window=None)
    made.done(result, commit=False)
    assert made.job() == job
    made.poll([item("a")])
    assert ids(made) == ["a"]


def test_a_feed_that_left_stops_and_is_forgotten_in_time() -> None:
    """A feed the files no longer name is not polled; its rows last 30 days, and a return within them repeats nothing."""
    made = desk()
    made.poll([item("a")])
    made.poller.replace([])
    made.reconcile()
    assert made.feed().state is FeedState.LEFT
    assert made.row().wake == made.now + KEPT
    made.done(good(made.now))
    assert made.feed().attempt == 1
    made.poller.replace([source()])
    made.reconcile()
    made.poll([item("a")])
    assert ids(made) == ["a"]
    made.poller.replace([])
    made.reconcile()
    made.pass_time(made.now + KEPT)
    assert len(made.rows) == 0


def test_a_damaged_row_keeps_no_other_feed_from_the_files() -> None:
    """A row that cannot be read is counted and stays as it is; feeds that are new begin, and those that left stop."""
    made = Desk(Poller([source(name) for name in ("one", "two", "three")], pace=Pace(), parser=1))
    made.reconcile()
    made.rows.apply([replace(made.row("two"), value=b"damaged")])
    table = StepTable(made.rows)
    poller = Poller([source(name) for name in ("one", "two", "four")], pace=Pace(), parser=1)
    effects = poller.reconcile(partition_of("example.org", PARTITIONS), PARTITIONS, table, made.now)
    assert [(fact.labels["kind"], fact.amount) for fact in effects.facts] == [("damaged", 1)]
    assert {row.key for row in table.changes()} == {feed_key("three"), feed_key("four")}


def test_a_feed_with_many_items_is_forgotten_bit_by_bit() -> None:
    """However many items a feed had, one step deletes a bounded number of them."""
    made = desk()
    made.poll([item(str(number)) for number in range(1200)])
    made.poller.replace([])
    made.reconcile()
    table = StepTable(made.rows)
    made.now += KEPT
    made.poller.wake(made.row(), table, made.now)
    assert len(table.changes()) == 501
    for _ in range(3):
        made.pass_time(made.now + 1)
    assert len(made.rows) == 0


def test_another_address_starts_afresh() -> None:
    """Feeds 3: validators and hashes do not outlive the URL they came from; known items are still known."""
    made = desk()
    made.poll([item("a")], etag='"x"')
    moved = source(url="https://news.example.org/other")
    made.poller.replace([moved])
    made.reconcile()
    job = made.job()
    assert (job.url, job.etag, job.body, job.known) == (moved.url, "", "", frozenset())
    assert made.row().wake == made.now
    made.done(good(made.now))  # of the old address: dropped
    assert made.feed().attempt == 1
    made.poll([item("a"), item("b")], url=moved.url)
    assert ids(made) == ["a", "b"]


def test_another_parser_makes_no_edits() -> None:
    """Feeds 3: a new parser version reads the window again, and reading otherwise is no revision."""
    made = desk()
    made.poll([item("a")], etag='"x"')
    again = Desk(Poller([source()], pace=Pace(), parser=2), made.rows, made.now)
    again.reconcile()
    assert (again.job().etag, again.job().known) == ("", frozenset())
    again.poll([item("a", title="Read otherwise")])
    assert again.published == []
    again.poll([item("a", title="Edited")])
    assert [raw.edited for raw in again.published] == [("title",)]


def test_items_are_kept_while_in_the_window_and_30_days_after() -> None:
    """Feeds 25: nothing in the last window is forgotten however long it stands; what left it is, 30 days later."""
    made = desk()
    made.poll([item("a"), item("b")])
    made.pass_time(made.now + 90 * DAY)
    made.poll([item("a")])
    made.pass_time(made.now + 29 * DAY)
    made.poll([item("a"), item("b")])
    assert ids(made) == ["a", "b"]
    made.poll([item("a")])
    made.pass_time(made.now + 31 * DAY)
    assert sum(1 for _ in made.rows.scan(ITEM)) == 1
    made.poll([item("a"), item("b")])
    assert ids(made) == ["a", "b", "b"]


def test_a_feeds_row_is_bounded() -> None:
    """Feeds 20: a window holds 5,000 items, whatever a document holds; those behind them are counted, not remembered."""
    made = desk()
    effects = made.poll([item(str(number)) for number in range(MAX_WINDOW + 9)])
    assert Fact("rasid_items_total", {"outcome": "beyond"}, 9.0) in effects.facts
    assert (len(made.feed().window), len(made.published)) == (MAX_WINDOW, MAX_WINDOW)
    assert len(made.row().value or b"") < 500_000


def test_counts() -> None:
    """Each poll counts its outcome and its items; the delay of what was published, not of a first window."""
    made = desk()
    dated = replace(item("a"), published=Moment(at=made.now - 60, how="rfc822"))
    made.poll([dated])
    effects = made.poll([dated, replace(dated, id="b", guid="b"), item("c")])
    assert list(effects.facts) == [
        Fact("rasid_polls_total", {"outcome": "ok"}),
        Fact("rasid_fetch_delay_seconds", {}, 60.0),
        Fact("rasid_items_total", {"outcome": "new"}, 2.0),
        Fact("rasid_items_total", {"outcome": "known"}, 1.0),
    ]
    assert (made.feed().items, made.feed().kept) == (3, 3)


def test_one_identity_twice_in_a_window_is_one_item() -> None:
    """A document that holds an identity twice publishes its first, and does not call the second an edit."""
    made = desk()
    for _ in range(3):
        made.poll([item("a", title="First"), item("a", title="Second")])
    assert [(raw.item.title, raw.edited) for raw in made.published] == [("First", ())]


def test_an_item_too_large_to_travel_is_cut() -> None:
    """Nothing over 8 MiB travels: a giant item goes on without its HTML, cut and flagged."""
    made = desk()
    giant = "ب" * 1_000_000
    made.poll([replace(item("a", content=giant), summary=giant, content_html=giant)])
    cut = made.published[0].item
    assert len(cut.content) < len(giant)
    assert (cut.content_html, cut.notes) == ("", ("cut: too large to travel",))


def test_a_worker_that_broke_is_a_failure() -> None:
    """A bug in the work is counted and retried later; the feed is not stuck."""
    made = desk()
    made.done(Failed("KeyError"))
    assert (made.feed().outcome, made.feed().failures) == ("bug", 1)
    assert made.feed().next_at > made.now


def test_no_message_is_obeyed_yet() -> None:
    """Whatever stands on `feeds` without being a command is set aside, not swallowed."""
    letter = DeadLetter(topic="t", partition=0, offset=0, hop="h", reason="r", error="e", value="", at=0.0)
    with pytest.raises(DecodeError):
        desk().poller.decide(letter, StepTable(desk().rows), 0.0)


windows = st.lists(st.lists(st.sampled_from("abcdef"), unique=True, max_size=6), max_size=8)


@given(windows=windows, lost=st.sets(st.integers(0, 7)))
@settings(max_examples=150, deadline=None)
def test_known_items_are_never_published_twice(windows: Sequence[Sequence[str]], lost: set[int]) -> None:
    """Feeds 25, 27: in any order of windows, and with any steps lost before their commit, each item is published once."""
    made = desk()
    for number, window in enumerate(windows):
        if number in lost:
            made.done(good(made.now), commit=False)
            continue
        made.now += 300
        made.poll([item(name) for name in window])
    seen = {name for number, window in enumerate(windows) if number not in lost for name in window}
    assert sorted(ids(made)) == sorted(seen)
    assert made.feed().kept == len(seen)


@given(st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "y"])), max_size=4), max_size=6))
@settings(max_examples=100, deadline=None)
def test_edits_alternate(windows: Sequence[Sequence[tuple[str, str]]]) -> None:
    """Feeds 25: consecutive publications of one item always differ, whatever the windows say."""
    made = desk()
    for window in windows:
        made.poll([Item(id=id_, guid=id_, title=title, link="https://example.org/a") for id_, title in window])
    for id_ in "ab":
        titles = [raw.item.title for raw in made.published if raw.item.id == id_]
        assert all(one != other for one, other in pairwise(titles))


def test_a_clock_set_back_skips_no_poll() -> None:
    """The next poll is as far away as it was, however far the clock went; a second look changes nothing more."""
    made = desk()
    made.poll([item("a")])
    pause = made.feed().next_at - made.now
    made.now -= 10 * 365 * DAY
    made.reconcile()
    assert made.row().wake == made.feed().next_at == pytest.approx(made.now + pause)
    made.now += 1
    made.reconcile()
    assert made.feed().next_at == pytest.approx(made.now - 1 + pause)


def test_a_clock_set_back_holds_up_no_first_poll() -> None:
    """What was never polled is due at once by the clock as it is, a feed that is new and one whose URL is."""
    made = desk()
    made.now -= 10800
    made.reconcile()
    assert made.row().wake == made.feed().next_at == made.now
    made.poll([item("a")])
    made.now += 10800
    made.poller.replace([source(url="https://news.example.org/moved")])
    made.reconcile()
    made.now -= 10000
    made.reconcile()
    assert made.row().wake == made.feed().next_at == made.now
