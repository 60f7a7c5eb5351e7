"""What follows when a feed's window had rolled over between two polls: it is polled more often for a while (feeds 22). Pure."""

from dataclasses import replace
from typing import Final

from daemon.feeds.pace.wishes import DAY
from daemon.feeds.rows import FeedRow

_MOST: Final = 6
"""Halvings; the shortest interval bounds them, too."""


def with_gap(feed: FeedRow, now: float) -> FeedRow:
    """The row once a gap was found: one halving more than is in force."""
    return replace(feed, gaps=min(halvings(feed, now) + 1, _MOST), gap_at=now)


def halvings(feed: FeedRow, now: float) -> int:
    """How often the feed's interval is halved: as often as there were gaps, less one for each day since the last."""
    days = 0 if feed.gap_at is None else max(0.0, now - feed.gap_at) // DAY
    return max(0, feed.gaps - int(days))
