"""Where a feed lives when its address redirects for good (feeds 12). Pure, over the feed's row.

301, 308 to T ─ parsed there, items in common,
                or 304 to validators of there ─▶ 3 polls over 7 days ─┐
              ├─ only http became https ──────── at once ─────────────┼─▶ T is asked instead
old address 404, 410, and T was proved ───────── at once ─────────────┘      │
configured address ◀──────── T fails for good (404, 410, ten times) ─────────┘

The files keep what they say, and so does the lane. What a poll did not find to be this feed is never moved to.
"""

from dataclasses import replace
from typing import Final

from daemon.feeds.jobs import PollOutcome, PollResult
from daemon.feeds.pace.schedule import Answer
from daemon.feeds.pace.wishes import WEEK
from daemon.feeds.rows import FeedRow, Move, Seen
from daemon.feeds.sources.load import Source
from daemon.net.answers import FetchOutcome
from daemon.urls import is_usable

_POLLS: Final = 3
_SECONDS: Final = WEEK
_PATIENCE: Final = 10
_LOST: Final = frozenset({FetchOutcome.NOT_FOUND, FetchOutcome.GONE})


def followed(feed: FeedRow, source: Source, result: PollResult, window: tuple[Seen, ...]) -> FeedRow:
    """The row with what a poll says of where the feed lives; `window` is what was read, the row still has the one before."""
    if result.answer is Answer.GOOD:
        return _found(feed, source, result, window)
    if feed.moved_to and (result.outcome in _LOST or feed.failures + 1 >= _PATIENCE):
        return replace(feed.unconditional(), moved_to="", move=None)
    if feed.move is not None and feed.move.polls and result.outcome in _LOST and not result.redirected:
        return _moved(feed, feed.move.url)
    return feed


def _found(feed: FeedRow, source: Source, result: PollResult, window: tuple[Seen, ...]) -> FeedRow:
    target, asked = result.moved, feed.moved_to or source.url
    if not target or target == asked or not _may_lead(source, target):
        return feed if feed.move is None else replace(feed, move=None)
    if target == _secured(asked):
        return _moved(feed, target)
    begun = Move(url=target, since=result.fetched_at, polls=0)
    move = feed.move if feed.move is not None and feed.move.url == target else begun
    if not _is_the_feed(feed, result, window):
        unproved = begun if result.window is not None else None
        return replace(feed, move=move if move.polls else unproved)
    move = replace(move, polls=move.polls + 1)
    proved = move.polls >= _POLLS and result.fetched_at - move.since >= _SECONDS
    return _moved(feed, target) if proved else replace(feed, move=move)


def _is_the_feed(feed: FeedRow, result: PollResult, window: tuple[Seen, ...]) -> bool:
    """Whether what was read there has items of the window before, or is what was read there before.

    So says a 304 once the validators are of there; one that is given to those of the old address says nothing.
    """
    if result.window is None:
        was_there = feed.move is not None and feed.move.url == result.moved
        return was_there or result.outcome == PollOutcome.UNCHANGED
    return not {seen.item for seen in feed.window}.isdisjoint(seen.item for seen in window)


def _moved(feed: FeedRow, target: str) -> FeedRow:
    """Validators stay: they came from there."""
    return replace(feed, moved_to="" if target == feed.url else target, move=None)


def _may_lead(source: Source, target: str) -> bool:
    """A feed with credentials or other secrets in its address never moves: they are for that address, and for no row."""
    return is_usable(target) and not source.credentials and source.address == source.url


def _secured(url: str) -> str:
    return f"https:{url[5:]}" if url[:5].lower() == "http:" else ""
