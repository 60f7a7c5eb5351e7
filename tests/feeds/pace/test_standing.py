"""What an answer means for its feed: validators that grow stale, intervals that change, feeds that end, hints that stay."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.feeds.jobs import Outcome, PollOutcome, PollResult
from daemon.feeds.pace.schedule import Answer, Pace
from daemon.feeds.pace.turns import paused_until
from daemon.feeds.pace.wishes import WEEK
from daemon.feeds.parse.parsed import Hints
from daemon.feeds.poller import Poller
from daemon.feeds.rows import FeedState, encode, site_key
from daemon.feeds.sources.load import Source
from daemon.messages.article import Moment
from daemon.net.answers import FetchOutcome
from tests.feeds.desk import DAY, Desk, desk, good, item, source

URL = source().url
HOUR = 3600.0


def steady(feed: Source | None = None, **validators: Any) -> Desk:
    """A feed that was polled twice, so that what comes next is regular."""
    made = desk(feed or source())
    for _ in range(2):
        made.poll([item("a")], **(validators or {"etag": '"x"'}))
    return made


def unchanged(made: Desk, **changed: Any) -> None:
    made.done(replace(good(made.now), outcome=FetchOutcome.NOT_MODIFIED, fresh=False, **changed))


def waits(made: Desk) -> float:
    return made.feed().next_at - made.now


def test_validators_grow_stale_in_eight_days() -> None:
    """Feeds 3: a server that said 304 for eight days is asked without conditions, until a whole answer has come."""
    made = steady()
    for _ in range(7):
        made.now += DAY
        unchanged(made)
        assert made.job().etag == '"x"'
    made.now += DAY
    assert (made.job().etag, made.job().last_modified) == ("", "")
    made.done(PollResult(url=URL, outcome=FetchOutcome.TIMEOUT, answer=Answer.FAILED, fetched_at=made.now))
    assert made.job().etag == ""
    made.done(replace(good(made.now), etag='"y"', outcome=PollOutcome.UNCHANGED))
    assert made.job().etag == '"y"'


def test_rows_that_do_not_know_when_a_whole_answer_came() -> None:
    """Feeds 3: the eight days of a feed that an older version polled begin with its next 304."""
    made = steady()
    made.rows.apply([replace(made.row(), value=encode(replace(made.feed(), whole_at=None)))])
    assert made.job().etag == '"x"'
    unchanged(made)
    made.now += 8 * DAY
    assert made.job().etag == ""


def test_other_credentials_ask_afresh() -> None:
    """Feeds 3: validators belong to credentials; a feed that was refused is tried with new ones at once."""
    made = steady()
    made.poller.replace([replace(source(), credentials="0f")])
    before = made.row().wake
    made.reconcile()
    assert (made.job().etag, made.job().body, len(made.job().known), made.row().wake) == ("", "", 1, before)
    made.done(PollResult(url=URL, outcome=FetchOutcome.UNAUTHORIZED, answer=Answer.FAILED, fetched_at=made.now))
    made.poller.replace([replace(source(), credentials="1e")])
    made.reconcile()
    assert made.row().wake == made.now


@pytest.mark.parametrize(
    ("before", "after", "polled_after"),
    [(3600.0, 120.0, 120.0), (3600.0, None, 300.0), (None, 120.0, 120.0), (120.0, 3600.0, 120.0), (120.0, 120.0, 120.0)],
)
def test_an_interval_that_changes(before: float | None, after: float | None, polled_after: float) -> None:
    """Feeds 8: a shorter interval takes effect at once, counted from the last poll; a longer one, at the next poll."""
    made = steady(replace(source(), interval=before))
    made.poller.replace([replace(source(), interval=after)])
    made.now += 1
    made.reconcile()
    assert waits(made) + 1 == pytest.approx(polled_after, rel=0.11)
    stored = made.row()
    made.reconcile()
    assert made.row() == stored


def test_a_pause_outlasts_a_change_of_interval() -> None:
    """Feeds 8 and 14: Retry-After is not shortened by an edit of the files."""
    made = steady(replace(source(), interval=3600.0))
    made.done(
        PollResult(url=URL, outcome=FetchOutcome.TOO_MANY, answer=Answer.TOO_MANY, fetched_at=made.now, retry_after=7200.0)
    )
    made.poller.replace([replace(source(), interval=60.0)])
    made.reconcile()
    assert waits(made) >= 7200


def test_hints_outlive_a_304() -> None:
    """Feeds 9: what the document asked for holds while it is not sent again; what an answer's headers say, for that answer."""
    made = steady()
    made.poll([item("a"), item("b")], etag='"x"', hints=Hints(ttl=1800.0, skip_hours=frozenset({3})))
    unchanged(made)
    assert waits(made) == pytest.approx(1800, rel=0.11)
    unchanged(made, fresh_for=2 * HOUR)
    assert waits(made) == pytest.approx(2 * HOUR, rel=0.11)
    made.poll([item("a")], etag='"x"', hints=Hints())
    assert waits(made) == pytest.approx(300, rel=0.11)


def test_a_feed_without_validators_is_polled_seldomer() -> None:
    """Feeds 11: 15 minutes at least where each answer is whole, unless the operator or the site has a pace of its own."""
    assert waits(steady(last_modified="then")) == pytest.approx(300, rel=0.11)
    assert waits(steady(etag="")) == pytest.approx(900, rel=0.11)
    assert waits(steady(replace(source(), interval=60.0), etag="")) == pytest.approx(60, rel=0.11)
    tuned = Desk(Poller([source()], pace=Pace(sites={"example.org": Pace(plain=0.0)}), parser=1))
    tuned.reconcile()
    for _ in range(2):
        tuned.poll([item("a")])
    assert waits(tuned) == pytest.approx(300, rel=0.11)


def test_a_busy_feed_comes_to_its_floor_and_a_dead_one_to_its_ceiling() -> None:
    """Feeds 10: items by the minute are looked for by the minute; a feed whose newest item is a year old, four times a day."""
    made = desk()
    for number in range(60):
        made.now += 60
        made.poll([item(str(number + each)) for each in range(20)], etag='"x"')
    assert waits(made) == pytest.approx(60, rel=0.11)
    made = desk()
    made.now += 400 * DAY
    old = replace(item("a"), published=Moment(at=made.now - 365 * DAY, how="rfc822"))
    made.poll([old], etag='"x"')
    unchanged(made)
    assert waits(made) == pytest.approx(6 * HOUR, rel=0.11)


def test_a_feed_that_is_gone_is_told_once_and_looked_at_weekly() -> None:
    """Feeds 13: 410 stops a feed for a week, tells its operator once, and is over when the feed is back."""
    made, told = steady(), []
    for _ in range(3):
        gone = PollResult(url=URL, outcome=FetchOutcome.GONE, answer=Answer.GONE, fetched_at=made.now)
        told.append([notice.event for notice in made.done(gone).notices])
        assert made.feed().state is FeedState.GONE
        assert WEEK <= waits(made) <= 1.1 * WEEK
        made.now = made.feed().next_at
    assert told == [["feed_gone"], [], []]
    made.poll([item("b"), item("a")], etag='"x"')
    assert (made.feed().state, made.feed().failures) == (FeedState.OK, 0)
    assert waits(made) == pytest.approx(300, rel=0.11)


@pytest.mark.parametrize(
    "outcome",
    [
        FetchOutcome.NOT_FOUND,
        FetchOutcome.UNAUTHORIZED,
        FetchOutcome.FORBIDDEN,
        FetchOutcome.SERVER_ERROR,
        FetchOutcome.TLS,
        FetchOutcome.DNS,
        PollOutcome.HTML,
    ],
)
def test_soft_failures_never_stop_a_feed(outcome: Outcome) -> None:
    """Feeds 13: whatever fails is tried again within a day, for ever, and one success is enough to forget it."""
    made = steady()
    for _ in range(60):
        made.done(PollResult(url=URL, outcome=outcome, answer=Answer.FAILED, fetched_at=made.now))
        assert Pace().shortest <= waits(made) <= DAY
        made.now = made.feed().next_at
    made.poll([item("b"), item("a")], etag='"x"')
    assert waits(made) == pytest.approx(300, rel=0.11)


def test_portions_are_no_rush() -> None:
    """Feeds 10 and 27: what one large document leaves to the next polls does not count as items that came between them."""
    made = steady()
    made.poll([item(str(number)) for number in range(100)], left=50, etag='"x"')
    peak = made.feed().rhythm.peak
    made.now += 60
    made.poll([item(str(number)) for number in range(150)], etag='"x"')
    assert made.feed().rhythm.peak <= peak


answers = st.sampled_from(["new", "same", "unchanged", "too_many", "retry", "gone", "failed", "bug"])


@given(st.lists(st.tuples(answers, st.floats(0, 2.0)), max_size=25))
@settings(max_examples=150, deadline=None)
def test_any_sequence_of_answers(story: Sequence[tuple[str, float]]) -> None:
    """Feeds 8, 13, 14: after any answers, late or on time, the next poll is within bounds, and a restart changes nothing."""
    made, pace = desk(), Pace()
    for number, (answer, late) in enumerate(story):
        free_at = paused_until(made.rows.get(site_key("example.org")), made.now) or 0.0
        made.now = max(made.now, made.feed().next_at, free_at) + late * HOUR
        play(made, answer, number)
        longest = {"gone": WEEK}.get(answer, DAY)
        assert 0.9 * pace.shortest - 1 <= waits(made) <= 1.1 * longest
        if answer == "retry":
            assert waits(made) >= 5000
        stored = made.row()
        again = Desk(Poller([source()], pace=pace, parser=1), made.rows, made.now)
        again.reconcile()
        assert again.row() == stored


def play(made: Desk, answer: str, number: int) -> None:
    if answer in ("new", "same"):
        made.poll([item(str(number) if answer == "new" else "a")], etag='"x"')
    elif answer == "unchanged":
        unchanged(made)
    else:
        kind = {"too_many": Answer.TOO_MANY, "retry": Answer.TOO_MANY, "gone": Answer.GONE}.get(answer, Answer.FAILED)
        asked = 5000.0 if answer == "retry" else None
        made.done(PollResult(url=URL, outcome=FetchOutcome.DNS, answer=kind, fetched_at=made.now, retry_after=asked))
