"""When a feed is polled next. Pure: jitter is a hash of the feed's id and its count of polls, so a replay decides alike.

answer ─┬─ good          clamp(max(adaptive, hints), min, max) ± 10 %; the operator's own interval instead     feeds 8
        │   the first    a whole interval is spread over, so that a thousand new feeds do not come back together  feeds 15
        ├─ too many      Retry-After, or 15 min doubling; never earlier                                        feeds 14
        ├─ gone          a week                                                                                feeds 13
        └─ else          exponential with full jitter, at most a day                                           feeds 13
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from typing import Final

from daemon.feeds.pace.wishes import DAY, NO_WISH, WEEK, Wish

_ASKED_TO_WAIT: Final = 900.0
JITTER: Final = 0.1
_MAX_DOUBLINGS: Final = 20


class Answer(Enum):
    """How a poll ended, as far as the next one is concerned."""

    GOOD = "good"
    TOO_MANY = "too many"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Bounds of all intervals, in seconds; `sites` has those of sites that the operator gave their own.

    `usual`: between polls of a feed that has news now and then. `plain`: the least of feeds without validators (feeds 11).
    `max_hint`: how long a feed's own wish is followed at most. `gap`: the pause between two requests to the site, where it is
    other than everywhere. `alone`: “too many” is said to one feed, and not to all of its site (feeds 14).
    """

    shortest: float = 60.0
    longest: float = 21600.0
    usual: float = 300.0
    plain: float = 900.0
    max_hint: float = 21600.0
    gap: float | None = None
    alone: bool = False
    sites: Mapping[str, "Pace"] = field(default_factory=dict)

    def of(self, site: str) -> "Pace":
        """The bounds that hold for feeds of the site."""
        return self.sites.get(site, self)

    def bounded(self, seconds: float) -> float:
        return min(max(seconds, self.shortest), self.longest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """A poll that ended: the feed, its count of polls, its failures in a row (this one included), and what was asked for.

    `interval`: the operator's own for this feed; where there is none, `adaptive`, `wish`, `fresh_for` (how long the answer
    says it holds) and `plain` (the feed gives no validators) decide. `hurried`: its document goes on, so that it is polled
    as soon as may be. `halvings`: how often all of that is halved, since news was missed (feeds 22). `first`: there was no
    poll before.
    """

    feed: str
    attempt: int
    interval: float | None = None
    adaptive: float = 0.0
    wish: Wish = NO_WISH
    fresh_for: float | None = None
    plain: bool = False
    hurried: bool = False
    halvings: int = 0
    first: bool = False
    failures: int = 0
    retry_after: float | None = None


def next_poll(poll: Poll, answer: Answer, pace: Pace, now: float) -> float:
    """The instant of the feed's next poll."""
    chance = jitter(poll.feed, poll.attempt)
    if answer is Answer.GOOD:
        return _next_regular(poll, pace, now, chance)
    regular = pace.bounded(pace.usual if poll.interval is None else poll.interval)
    if answer is Answer.TOO_MANY:
        asked = pause(poll.retry_after, poll.failures)
        if poll.retry_after is None:
            asked = min(max(asked, regular * _doubled(poll.failures)), DAY)
        return now + max(asked, regular) * (1 + JITTER * chance)
    if answer is Answer.GONE:
        return now + WEEK * (1 + JITTER * chance)
    ceiling = min(2 * regular * _doubled(poll.failures), DAY)
    return now + max(pace.shortest, ceiling * chance)


def pause(retry_after: float | None, failures: int) -> float:
    """Seconds that whoever said “too many” wants to be left alone: as it said, or 15 minutes, doubling; a day at most."""
    return min(_ASKED_TO_WAIT * _doubled(failures) if retry_after is None else max(retry_after, 0.0), DAY)


def regular_interval(poll: Poll, pace: Pace) -> float:
    """Between polls that go well, before jitter."""
    if poll.hurried:
        return pace.shortest
    often = 2.0**poll.halvings
    if poll.interval is not None:
        return pace.bounded(poll.interval / often)
    hint = min(max(poll.wish.every, poll.fresh_for or 0.0), pace.max_hint)
    return pace.bounded(max(poll.adaptive, hint, pace.plain if poll.plain else 0.0) / often)


def _next_regular(poll: Poll, pace: Pace, now: float, chance: float) -> float:
    regular = regular_interval(poll, pace)
    latest = now + pace.longest * (1 + JITTER)
    if poll.first and not poll.hurried:
        soonest = min(pace.shortest, regular * (1 - JITTER))
        at = now + soonest + (regular * (1 + JITTER) - soonest) * chance
    else:
        at = now + regular * (1 - JITTER + 2 * JITTER * chance)
    if poll.hurried or poll.interval is not None or pace.max_hint <= 0:
        return at
    allowed = poll.wish.allowed(at)
    if allowed > at:  # not all feeds of the world at the stroke of the hour
        allowed += min(regular, _ASKED_TO_WAIT) * chance
    return max(at, min(allowed, latest, now + pace.max_hint * (1 + JITTER)))


def _doubled(failures: int) -> float:
    return 2.0 ** min(max(failures - 1, 0), _MAX_DOUBLINGS)


def jitter(feed: str, attempt: int) -> float:
    """A number from 0 to 1, evenly spread, the same for the same feed and attempt."""
    digest = blake2b(f"{feed}\x1f{attempt}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
