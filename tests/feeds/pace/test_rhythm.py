"""The rhythm of feeds: how often they are looked at, and when they have gone quiet."""

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.feeds.pace.rhythm import UNHEARD, Rhythm, adaptive_interval, begun, observed, silence
from daemon.feeds.pace.wishes import DAY, HOUR

MINUTE = 60.0
START = 1_000_000.0


def lived(times: Iterable[float], *, every: float, until: float) -> Rhythm:
    """The rhythm at `until` of a feed that posted at these times (from the start on) and was polled so often."""
    posts, rhythm, at = iter(sorted(times)), begun(START, START), START
    coming = next(posts, None)
    while at < START + until:
        at += every
        new = 0
        while coming is not None and START + coming <= at:
            new, coming = new + 1, next(posts, None)
        rhythm = observed(rhythm, new, at)
    return rhythm


def interval(rhythm: Rhythm, *, window: int = 40, now: float | None = None) -> float:
    return adaptive_interval(rhythm, window=window, usual=300.0, now=rhythm.at or 0.0 if now is None else now)


def steadily(spacing: float, until: float) -> Iterator[float]:
    return (number * spacing for number in range(1, int(until / spacing)))


@pytest.mark.parametrize("spacing", [10.0, 60.0, 150.0, 600.0])
def test_a_busy_feed_is_looked_at_four_times_an_item(spacing: float) -> None:
    """Feeds 10: the pace follows what a feed brings, whatever it was polled at before."""
    for every in (60.0, 300.0):
        looked = interval(lived(steadily(spacing, DAY), every=every, until=DAY))
        assert looked == pytest.approx(spacing / 4, rel=0.15)


def test_a_busy_feed_calms_down() -> None:
    """Feeds 10: after a rush the usual pace is back within a day."""
    rush = lived([number * 20.0 for number in range(180)], every=MINUTE, until=HOUR)
    assert interval(rush) < 30
    later = lived([*(number * 20.0 for number in range(180)), 20 * HOUR], every=MINUTE, until=21 * HOUR)
    assert interval(later) == 300


def test_a_small_window_does_not_roll_over() -> None:
    """Feeds 10: half of the window may be new after the busiest time of late, which is remembered over the calm after it."""
    burst = [8 * HOUR + number * 10.0 for number in range(30)]
    rhythm = lived(burst, every=300.0, until=14 * HOUR)
    assert rhythm.peak * interval(rhythm, window=10) <= 0.5 * 10
    assert interval(rhythm, window=10) < 100 < interval(rhythm, window=1000)


@pytest.mark.parametrize(("silent", "looked"), [(HOUR, 300.0), (DAY, DAY / 200), (30 * DAY, 30 * DAY / 200)])
def test_an_idle_feed_is_left_in_peace(silent: float, looked: float) -> None:
    """Feeds 10: the longer nothing came, the seldomer it is sought: what breaks a silence is found in a 200th of it."""
    rhythm = lived([HOUR], every=300.0, until=2 * HOUR)
    assert interval(rhythm, now=START + HOUR + silent) == pytest.approx(looked)


def test_a_first_window_says_how_long_a_feed_has_been_idle() -> None:
    """Feeds 10: a feed whose newest item is a year old is not polled every five minutes, and its items are no rush."""
    assert interval(begun(START - 365 * DAY, START)) > 6 * HOUR
    assert interval(begun(START - HOUR, START)) == 300
    assert begun(START + DAY, START).new_at == START


def test_what_rolls_over_halves_the_interval() -> None:
    """Feeds 22: where the whole window is new, the next look comes in half the time at most."""
    rhythm = observed(begun(START, START), 40, START + 600.0)
    assert interval(rhythm) <= 300.0


def test_a_clock_set_back_breaks_nothing() -> None:
    """A poll earlier than the one before says nothing of rates; habits stay, and time goes on from there."""
    rhythm = lived(steadily(HOUR, 3 * DAY), every=300.0, until=3 * DAY)
    back = observed(rhythm, 1, START)
    assert (back.at, back.new_at, back.gap, back.rate) == (START, START, rhythm.gap, rhythm.rate)


DAYTIME = [day * DAY + 7 * HOUR + number * 2 * HOUR for day in range(14) for number in range(8)]
"""A post every two hours from 7 to 21 o'clock: ten hours' pause at night."""


def test_posts_every_two_hours_silent_for_nineteen() -> None:
    """A feed that is quiet for longer than its habits is odd; in its habits, the night among them, it is not."""
    rhythm = lived(DAYTIME, every=300.0, until=14 * DAY)
    judged = {hours: silence(rhythm, START + DAYTIME[-1] + hours * HOUR) for hours in (1, 10, 15, 21, 30)}
    assert {hours: quiet.odd for hours, quiet in judged.items() if quiet} == {
        1: False,
        10: False,
        15: False,
        21: True,
        30: True,
    }
    quiet = judged[21]
    assert quiet is not None
    assert quiet.lasts == pytest.approx(21 * HOUR, abs=300)
    assert quiet.usual == pytest.approx(3 * HOUR, rel=0.4)


def test_no_night_is_odd_to_a_feed_that_knows_nights() -> None:
    """Polled through four weeks of days, nights and weekends, a feed is called silent on its first weekend at most."""
    days = [week * 7 + day for week in range(4) for day in range(5)]
    posts = [day * DAY + hour * HOUR for day in days for hour in range(1, 11)]
    rhythm, at, odd = begun(START, START), START, set[int]()
    while at < START + 28 * DAY:
        at += 900.0
        new = sum(START + post <= at for post in posts[:5])
        posts = posts[new:]
        rhythm = observed(rhythm, new, at)
        quiet = silence(rhythm, at)
        if quiet is not None and quiet.odd:
            odd.add(int((at - START - 2 * HOUR) // (7 * DAY)))
    assert odd <= {0}


@pytest.mark.parametrize("posts", [[], [HOUR], [number * HOUR for number in range(1, 7)]])
def test_a_feed_without_habits_is_not_judged(posts: list[float]) -> None:
    """Few items are no habit, however long nothing came since."""
    assert silence(lived(posts, every=300.0, until=DAY), START + 365 * DAY) is None


def test_a_stir_is_no_silence() -> None:
    """A feed that posts by the minute is not called silent after ten of them."""
    rhythm = lived(steadily(MINUTE, 6 * HOUR), every=MINUTE, until=6 * HOUR)
    quiet = silence(rhythm, START + 6 * HOUR + 50 * MINUTE)
    assert quiet is not None
    assert not quiet.odd


@given(st.lists(st.tuples(st.floats(-1e6, 1e7), st.integers(0, 5000)), max_size=40), st.integers(0, 5000))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_the_numbers_hold(polls: list[tuple[float, int]], window: int) -> None:
    """Rates, gaps and intervals stay finite and not negative, whatever the clock and the feed do."""
    rhythm, at = UNHEARD, START
    for passed, new in polls:
        at += passed
        rhythm = observed(rhythm, new, at)
        assert 0 <= interval(rhythm, window=window) < 1e12
        quiet = silence(rhythm, at)
        assert quiet is None or (quiet.lasts >= 0 and 0 <= quiet.usual < 1e12)
