"""What feeds ask for, and which instants they leave free (feeds 9)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.feeds.pace.wishes import HOUR, Wish


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("every", "longest"),
    [((), 0.0), ((None, None), 0.0), ((60.0, 3600.0), 3600.0), ((-5.0, None), 0.0), ((float("inf"),), 604800.0)],
)
def test_the_longest_time_counts(every: tuple[float | None, ...], longest: float) -> None:
    """Feeds 9: of ttl and updatePeriod the longer one; nothing for what is no time; never more than can be stored."""
    assert Wish.of(every, (), ()).every == longest


def test_hours_and_days_are_read_leniently() -> None:
    """Feeds 9: hour 24 is midnight, and what is no hour or day says nothing."""
    wish = Wish.of((), [24, 3, 3, 25, -1], [6, 7, 0])
    assert (wish.skip_hours, wish.skip_days) == ((0, 3), (0, 6))


@pytest.mark.parametrize(
    ("hours", "days", "wanted", "given_"),
    [
        ((), (), "2026-11-26T10:30", "2026-11-26T10:30"),
        ((9,), (), "2026-11-26T10:30", "2026-11-26T10:30"),
        ((10, 11), (), "2026-11-26T10:30", "2026-11-26T12:00"),
        ((23, 24), (), "2026-11-26T23:59", "2026-11-27T01:00"),
        ((), (5, 6), "2026-11-28T12:00", "2026-11-30T00:00"),
        ((0,), (5, 6), "2026-11-28T12:00", "2026-11-30T01:00"),
        (range(24), (), "2026-11-26T10:30", "2026-11-26T10:30"),
        ((), range(7), "2026-11-26T10:30", "2026-11-26T10:30"),
    ],
)
def test_skipped_hours_and_days(hours: tuple[int, ...], days: tuple[int, ...], wanted: str, given_: str) -> None:
    """Feeds 9: the next hour that is not skipped, in GMT; a feed that skips all of the week is polled all the same."""
    assert Wish.of((), hours, days).allowed(at(wanted)) == at(given_)


@given(
    st.sets(st.integers(0, 24)),
    st.sets(st.integers(0, 6)),
    st.floats(0, 4e9),
)
def test_an_allowed_instant_stays(hours: set[int], days: set[int], instant: float) -> None:
    """Feeds 9: never earlier than asked, never more than a week later, and what is allowed is allowed as it stands."""
    wish = Wish.of((), hours, days)
    allowed = wish.allowed(instant)
    assert instant <= allowed <= instant + 7 * 24 * HOUR
    assert wish.allowed(allowed) == allowed
