"""When a feed is polled next. Pure: jitter is a hash of the feed's id and its count of polls, so a replay decides alike.

answer ─┬─ good          clamp(interval, min, max) ± 10 %                      feeds 8
        ├─ too many      Retry-After, or 15 min doubling; never earlier        feeds 14
        ├─ gone          a week                                                feeds 13
        └─ else          exponential with full jitter, at most a day           feeds 13
"""

from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import Final

DAY: Final = 86400.0
WEEK: Final = 7 * DAY
_ASKED_TO_WAIT: Final = 900.0
_JITTER: Final = 0.1
_MAX_DOUBLINGS: Final = 20


class Answer(Enum):
    """How a poll ended, as far as the next one is concerned."""

    GOOD = "good"
    TOO_MANY = "too many"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Bounds of all intervals, in seconds."""

    shortest: float = 60.0
    longest: float = 21600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """A poll that ended: the feed, its count of polls, its failures in a row (this one included), and what was asked for.

    `interval` is the configured one, in seconds.
    """

    feed: str
    attempt: int
    interval: float
    failures: int = 0
    retry_after: float | None = None


def next_poll(poll: Poll, answer: Answer, pace: Pace, now: float) -> float:
    """The instant of the feed's next poll."""
    chance = jitter(poll.feed, poll.attempt)
    regular = min(max(poll.interval, pace.shortest), pace.longest)
    if answer is Answer.GOOD:
        return now + regular * (1 - _JITTER + 2 * _JITTER * chance)
    doublings = min(max(poll.failures - 1, 0), _MAX_DOUBLINGS)
    if answer is Answer.TOO_MANY:
        asked = poll.retry_after if poll.retry_after is not None else max(_ASKED_TO_WAIT, regular) * 2.0**doublings
        return now + min(max(asked, regular), DAY) * (1 + _JITTER * chance)
    if answer is Answer.GONE:
        return now + WEEK * (1 + _JITTER * chance)
    ceiling = min(2 * regular * 2.0**doublings, DAY)
    return now + max(pace.shortest, ceiling * chance)


def jitter(feed: str, attempt: int) -> float:
    """A number from 0 to 1, evenly spread, the same for the same feed and attempt."""
    digest = blake2b(f"{feed}\x1f{attempt}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
