"""How often a feed brings something new, as its polls saw it; how often to look, and when it has gone quiet. Pure.

new items of each poll ─ observed ─▶ Rhythm ─┬─ adaptive_interval (feeds 10)
                                             └─ silence: “posts every 2 h, silent for 19 h”

Publishers' dates do not enter, but for one: a first window says how long ago its feed had last had something to say.
"""

from dataclasses import dataclass, replace
from math import exp
from typing import Final

from daemon.feeds.pace.wishes import DAY, HOUR

_MEMORY: Final = 3 * HOUR
"""How far the rate looks back: through a day and its night it follows, through a quiet half hour it does not."""

_PEAK_HALVES: Final = DAY
_PAUSE_HALVES: Final = 14 * DAY
"""Within a fortnight a pause has come again, or counts half: nights and weekends stay known, an outage fades."""

_LOOKS_PER_ITEM: Final = 4
_LOOKS_PER_SILENCE: Final = 200
_WINDOW_SHARE: Final = 0.5
_WEIGHT: Final = 0.125
_ENOUGH: Final = 8
"""Arrivals from which on a feed has habits."""

_USUAL_MANY: Final = 6
_LONGEST_MANY: Final = 2
_SHORTEST_SILENCE: Final = HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """What is remembered, in seconds and items a second, as of `at`, the last poll that counted.

    `rate`: of the last hours; `peak`: the highest between two polls of late. An arrival is a poll that brought something new:
    `new_at` is the last one, `gap` the usual time between two, `longest` the longest pause of late.
    """

    at: float | None = None
    rate: float = 0.0
    peak: float = 0.0
    new_at: float | None = None
    gap: float = 0.0
    longest: float = 0.0
    arrivals: int = 0


UNHEARD: Final = Rhythm()


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """How long a feed has had nothing new, how long it usually has (seconds), and whether that is out of its habits."""

    lasts: float
    usual: float
    odd: bool


def begun(newest: float, now: float) -> Rhythm:
    """After a first window, whose newest item is of `newest`: its items say nothing of how fast they came."""
    return Rhythm(at=now, new_at=min(newest, now))


def observed(rhythm: Rhythm, new: int, now: float) -> Rhythm:
    """After a poll that brought so many new items. A clock that was set back makes it begin anew, with its habits kept."""
    if rhythm.at is None or rhythm.new_at is None or now <= rhythm.at:
        return replace(rhythm, at=now, new_at=now if new or rhythm.new_at is None else min(rhythm.new_at, now))
    passed, faded = now - rhythm.at, _faded(rhythm, now)
    if not new:
        return faded
    rate = faded.rate + new / passed * (1 - exp(-passed / _MEMORY))
    return _arrived(replace(faded, rate=rate, peak=max(faded.peak, new / passed)), now - rhythm.new_at)


def _faded(rhythm: Rhythm, now: float) -> Rhythm:
    """As of `now`, if nothing came since `at`."""
    passed = now - rhythm.at if rhythm.at is not None and now > rhythm.at else 0.0
    return replace(
        rhythm,
        at=now,
        rate=rhythm.rate * exp(-passed / _MEMORY),
        peak=rhythm.peak * 0.5 ** (passed / _PEAK_HALVES),
        longest=rhythm.longest * 0.5 ** (passed / _PAUSE_HALVES),
    )


def _arrived(rhythm: Rhythm, pause: float) -> Rhythm:
    weight = max(_WEIGHT, 1 / (rhythm.arrivals + 1))
    return replace(
        rhythm,
        new_at=rhythm.at,
        gap=rhythm.gap + (pause - rhythm.gap) * weight,
        longest=max(rhythm.longest, pause),
        arrivals=rhythm.arrivals + 1,
    )


def adaptive_interval(rhythm: Rhythm, *, window: int, usual: float, now: float) -> float:
    """Seconds between polls that suit the feed, not yet bounded. `window`: how many items it holds.

    Short enough that half of the window at most is new after the busiest time of late, so that nothing rolls out of it unseen
    (feeds 10), and that a busy feed is looked at four times an item. `usual` for all others; one that is idle is looked at
    two hundred times in its silence, so what breaks it is found within a two-hundredth of what it lasted.
    """
    quiet = now - rhythm.new_at if rhythm.new_at is not None else 0.0
    interval = max(usual, quiet / _LOOKS_PER_SILENCE)
    if now != rhythm.at:
        rhythm = _faded(rhythm, now)
    if rhythm.rate > 0:
        interval = min(interval, 1 / (rhythm.rate * _LOOKS_PER_ITEM))
    if rhythm.peak > 0:
        interval = min(interval, _WINDOW_SHARE * max(window, 1) / rhythm.peak)
    return interval


def silence(rhythm: Rhythm, now: float) -> Silence | None:
    """How quiet the feed is; None while too little is known of its habits.

    Odd is what lasts longer than six usual gaps and two of the longest pauses of late: so the night is not, once one was seen.
    """
    if rhythm.arrivals < _ENOUGH or rhythm.new_at is None:
        return None
    lasts = max(0.0, now - rhythm.new_at)
    bound = max(_USUAL_MANY * rhythm.gap, _LONGEST_MANY * rhythm.longest, _SHORTEST_SILENCE)
    return Silence(lasts=lasts, usual=rhythm.gap, odd=lasts > bound)
