"""When a feed is polled next."""

from collections import Counter
from dataclasses import replace
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.feeds.pace.schedule import Answer, Pace, Poll, jitter, next_poll
from daemon.feeds.pace.wishes import DAY, HOUR, WEEK, Wish

PACE = Pace(shortest=60.0, longest=21600.0)


def delay(answer: Answer, poll: Poll) -> float:
    return next_poll(poll, answer, PACE, now=1000.0) - 1000.0


def regular(poll: Poll, pace: Pace = PACE) -> float:
    """What lies between polls that go well, seen over many of them."""
    polls = [replace(poll, attempt=n) for n in range(400)]
    delays = [next_poll(each, Answer.GOOD, pace, 1000.0) - 1000.0 for each in polls]
    assert min(delays) >= mean(delays) * 0.89
    assert max(delays) <= mean(delays) * 1.11
    return mean(delays)


@pytest.mark.parametrize(
    ("poll", "seconds"),
    [
        (Poll(feed="f", attempt=1, adaptive=300.0), 300),
        (Poll(feed="f", attempt=1, adaptive=0.0), 60),
        (Poll(feed="f", attempt=1, adaptive=100_000.0), 21600),
        (Poll(feed="f", attempt=1, adaptive=300.0, plain=True), 900),
        (Poll(feed="f", attempt=1, adaptive=300.0, fresh_for=1800.0), 1800),
        (Poll(feed="f", attempt=1, adaptive=300.0, fresh_for=10.0, wish=Wish(every=3600.0)), 3600),
        (Poll(feed="f", attempt=1, adaptive=300.0, wish=Wish(every=604800.0)), 7200),
        (Poll(feed="f", attempt=1, adaptive=300.0, plain=True, hurried=True, wish=Wish(every=3600.0)), 60),
        (Poll(feed="f", attempt=1, interval=120.0, adaptive=300.0, plain=True, fresh_for=1800.0, wish=Wish(every=9e9)), 120),
        (Poll(feed="f", attempt=1, adaptive=300.0, fresh_for=1800.0, halvings=2), 450),
        (Poll(feed="f", attempt=1, adaptive=300.0, plain=True, halvings=1), 450),
        (Poll(feed="f", attempt=1, adaptive=300.0, plain=True, fresh_for=3600.0, halvings=6), 60),
        (Poll(feed="f", attempt=1, interval=120.0, halvings=6), 60),
        (Poll(feed="f", attempt=1, interval=1.0, adaptive=300.0), 60),
        (Poll(feed="f", attempt=1, interval=100_000.0, adaptive=300.0), 21600),
    ],
)
def test_regular_polls(poll: Poll, seconds: float) -> None:
    """Feeds 8, 9, 11: clamp(max(adaptive, hints up to their cap), min, max), ± a tenth; or the operator's interval.

    After gaps (feeds 22) it is halved, whatever it came from.
    """
    assert regular(poll, replace(PACE, max_hint=7200.0)) == pytest.approx(seconds, rel=0.02)


def test_hints_can_be_switched_off() -> None:
    """Feeds 9: where the operator wants it, a feed's wishes are not heard, its hours neither."""
    wish = Wish(every=3600.0, skip_hours=tuple(range(23)))
    assert regular(Poll(feed="f", attempt=1, adaptive=300.0, fresh_for=1800.0, wish=wish), replace(PACE, max_hint=0.0)) < 310


@pytest.mark.parametrize("attempt", range(20))
def test_skipped_hours_are_skipped(attempt: int) -> None:
    """Feeds 9: a poll that would fall into a skipped hour comes later, not at the stroke of the hour; capped like hints."""
    now = 10 * HOUR  # the first day's, GMT
    poll = Poll(feed="f", attempt=attempt, adaptive=300.0, wish=Wish(skip_hours=(10, 11)))
    assert 12 * HOUR < next_poll(poll, Answer.GOOD, PACE, now) < 12.25 * HOUR
    never = replace(poll, wish=Wish(skip_hours=tuple(range(10, 24))))
    assert next_poll(never, Answer.GOOD, replace(PACE, max_hint=HOUR), now) <= now + 1.1 * HOUR


def test_ten_thousand_new_feeds_spread() -> None:
    """Feeds 15: all polled at once first, they come back evenly within one interval, and not in a burst."""
    polls = [Poll(feed=f"feed-{n}", attempt=1, adaptive=300.0, first=True) for n in range(10_000)]
    seconds = Counter(int(next_poll(poll, Answer.GOOD, PACE, 0.0)) for poll in polls)
    assert (min(seconds), max(seconds)) == (60, 329)
    assert max(seconds.values()) < 2 * 10_000 / 300
    again = [next_poll(replace(poll, interval=120.0), Answer.GOOD, PACE, 0.0) for poll in polls]
    assert (int(min(again)), int(max(again))) == (60, 131)
    assert max(Counter(map(int, again)).values()) < 2 * 10_000 / 72


def test_failures_back_off() -> None:
    """Feeds 13: exponential with full jitter, never under the shortest interval, never over a day, for ever."""
    for failures in (1, 2, 5, 10, 100, 100_000):
        polls = [Poll(feed="f", attempt=n, interval=300.0, failures=failures) for n in range(100)]
        delays = [delay(Answer.FAILED, poll) for poll in polls]
        assert min(delays) >= PACE.shortest
        assert max(delays) <= min(DAY, 300.0 * 2 ** min(failures, 20))
    assert mean(delays) == pytest.approx(DAY / 2, rel=0.2)


@pytest.mark.parametrize(
    ("failures", "asked", "least"),
    [(1, 7200.0, 7200.0), (1, 0.0, 300.0), (1, 1e9, DAY), (1, None, 900.0), (2, None, 1800.0), (50, None, DAY)],
)
def test_too_many(failures: int, asked: float | None, least: float) -> None:
    """Feeds 14: never before Retry-After, capped at a day; without it at least 15 minutes, doubling."""
    delays = [
        delay(Answer.TOO_MANY, Poll(feed="f", attempt=n, interval=300.0, failures=failures, retry_after=asked))
        for n in range(50)
    ]
    assert min(delays) >= least
    assert max(delays) <= least * 1.1


def test_gone() -> None:
    """Feeds 13: a feed that is gone is looked at again in a week."""
    assert WEEK <= delay(Answer.GONE, Poll(feed="f", attempt=1, interval=300.0, failures=1)) <= WEEK * 1.1


@given(st.text(), st.integers(0, 10**9))
def test_jitter(feed: str, attempt: int) -> None:
    """Jitter is no randomness: the same feed and attempt give the same number from 0 to 1."""
    assert 0 <= jitter(feed, attempt) < 1
    assert jitter(feed, attempt) == jitter(feed, attempt)


def test_feeds_spread() -> None:
    """Feeds 8: feeds that failed together do not come back together."""
    assert len({round(jitter(f"feed-{number}", 1), 3) for number in range(100)}) > 80


finite = st.floats(0, 1e12)
polls = st.builds(
    Poll,
    feed=st.text(max_size=5),
    attempt=st.integers(0, 10**6),
    interval=st.none() | finite,
    adaptive=finite,
    wish=st.builds(
        Wish.of,
        st.lists(finite, max_size=2),
        st.sets(st.integers(0, 24)),
        st.sets(st.integers(0, 6)),
    ),
    fresh_for=st.none() | finite,
    plain=st.booleans(),
    hurried=st.booleans(),
    halvings=st.integers(0, 6),
    first=st.booleans(),
    failures=st.integers(0, 1000),
    retry_after=st.none() | finite,
)
paces = st.builds(
    Pace,
    shortest=st.floats(0, 3600),
    longest=st.floats(3600, 1e6),
    usual=st.floats(0, 1e6),
    plain=st.floats(0, 1e4),
    max_hint=st.floats(0, 1e6),
)


@given(polls, st.sampled_from(Answer), paces, st.floats(0, 4e9))
def test_bounds(poll: Poll, answer: Answer, pace: Pace, now: float) -> None:
    """Feeds 8, 13, 14: whatever a poll said, the next is within its bounds, never before Retry-After, the same each time."""
    at = next_poll(poll, answer, pace, now)
    assert at == next_poll(poll, answer, pace, now)
    waits, slack = at - now, 1e-6 * max(1.0, now)
    most = {Answer.GOOD: pace.longest, Answer.GONE: WEEK, Answer.TOO_MANY: max(DAY, pace.longest), Answer.FAILED: DAY}[answer]
    assert pace.shortest * 0.9 - slack <= waits <= max(most, pace.shortest) * 1.1 + slack
    if answer is Answer.TOO_MANY and poll.retry_after is not None:
        assert waits >= min(poll.retry_after, DAY) - slack
