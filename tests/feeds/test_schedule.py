"""When a feed is polled next."""

from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.feeds.schedule import DAY, WEEK, Answer, Pace, Poll, jitter, next_poll

PACE = Pace(shortest=60.0, longest=21600.0)


def delay(answer: Answer, poll: Poll) -> float:
    return next_poll(poll, answer, PACE, now=1000.0) - 1000.0


@pytest.mark.parametrize(
    ("interval", "regular"),
    [(300, 300), (1, 60), (100_000, 21600)],
)
def test_regular_polls(interval: float, regular: float) -> None:
    """Feeds 8: the configured interval, clamped, give or take a tenth."""
    delays = [delay(Answer.GOOD, Poll(feed="f", attempt=n, interval=interval)) for n in range(200)]
    assert min(delays) >= regular * 0.9
    assert max(delays) <= regular * 1.1
    assert mean(delays) == pytest.approx(regular, rel=0.02)


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
