"""What polling at a feed's own pace costs and gives, beside a fixed interval: polls a day, how long news waits. Virtual time.

    python -m benchmarks.pace [DAYS]

Feeds post at random (Poisson) at the rates named, some by day only; 40 items in a window; each answer a 304 or a 200.
"""

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, quantiles

from daemon.feeds.pace.rhythm import Rhythm, adaptive_interval, begun, observed
from daemon.feeds.pace.schedule import Answer, Pace, Poll, next_poll

DAY = 86400.0
HOUR = 3600.0
WINDOW = 40
PACE = Pace()


@dataclass(frozen=True, slots=True)
class Kind:
    """How feeds of a kind post: items a day, and within how many hours of it."""

    name: str
    items: float
    hours: float = 24.0


KINDS = (
    Kind("a wire, 30 an hour", 720),
    Kind("a paper, 6 an hour by day", 96, 16),
    Kind("a site, 10 a day by day", 10, 12),
    Kind("a blog, 2 a week", 2 / 7),
    Kind("an archive, 1 a year", 1 / 365),
)


def posts(kind: Kind, days: float, chance: random.Random) -> list[float]:
    """The instants of its items."""
    times, at = list[float](), 0.0
    while True:
        at += chance.expovariate(kind.items / DAY * 24 / kind.hours)
        if at >= days * DAY * kind.hours / 24:
            return times
        day, seconds = divmod(at, kind.hours * HOUR)
        times.append(day * DAY + seconds)


def polled(times: Sequence[float], days: float, interval: float | None) -> tuple[int, list[float]]:
    """Polls, and for each item how long it waited for its poll."""
    rhythm: Rhythm = begun(0.0, 0.0)
    now, count, taken, waits = 0.0, 0, 0, list[float]()
    while now < days * DAY:
        count += 1
        new = 0
        while taken + new < len(times) and times[taken + new] <= now:
            waits.append(now - times[taken + new])
            new += 1
        taken += new
        rhythm = observed(rhythm, new, now) if count > 1 else rhythm
        adaptive = adaptive_interval(rhythm, window=WINDOW, usual=PACE.usual, now=now)
        poll = Poll(feed="f", attempt=count, interval=interval, adaptive=adaptive, first=count == 1)
        now = next_poll(poll, Answer.GOOD, PACE, now)
    return count, waits


def main(days: float) -> None:
    """A line for each kind of feed."""
    chance = random.Random(1)
    print(f"{'feed':28} {'polls a day':>24} {'news waits, median':>24} {'p95':>24}")
    print(f"{'':28} {'own pace':>12}{'5 min':>12} {'own pace':>12}{'5 min':>12} {'own pace':>12}{'5 min':>12}")
    for kind in KINDS:
        times = posts(kind, days, chance) or [days * DAY / 2]
        cells = []
        for interval in (None, 300.0):
            count, waits = polled(times, days, interval)
            cut = quantiles(waits, n=20) if len(waits) > 1 else [mean(waits)] * 19
            cells.append((count / days, cut[9], cut[18]))
        own, fixed = cells
        shown = " ".join(f"{one:12.0f}{other:12.0f}" for one, other in zip(own, fixed, strict=True))
        print(f"{kind.name:28} {shown}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
