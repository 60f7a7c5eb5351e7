"""“Poll now”: what the poller makes of it, and what whoever asked can read of that in the feed's row. Pure.

PollNow ─ obey ─┬─ a site that wants to be left alone: refused, and until when (feeds 14)
                └─ else: due now, in its site's turn (feeds 15)
row ─ answer_of ─▶ not taken yet │ refused │ waits for its poll │ polled, and how
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from daemon.bus.base import Row
from daemon.feeds.pace.turns import paused_until
from daemon.feeds.rows import FeedRow, decode, encode, feed_key, site_key
from daemon.messages.command import PollNow
from daemon.net.answers import REFUSALS
from daemon.stage.hop import Table

_REMEMBERED: Final = 8
"""Commands a row remembers: more people than wait for one feed at a time."""


class Stage(StrEnum):
    """How far a command has come."""

    SENT = "sent"
    REFUSED = "refused"
    DUE = "due"
    POLLED = "polled"


@dataclass(frozen=True, slots=True)
class Reply:
    """`until`: when the site may be asked again, where the command was refused. `feed`: the row, where there is one."""

    stage: Stage
    until: float | None = None
    feed: FeedRow | None = None


def obey(command: PollNow, table: Table, now: float) -> None:
    """Make the feed due, unless its pause was asked for by the site; note in its row what was done."""
    key = feed_key(command.feed)
    row = table.get(key)
    if row is None:
        return
    feed = decode(FeedRow, row.value)
    if feed.left_at is not None:
        return
    asked, free_at = (*feed.asked, command.id)[-_REMEMBERED:], _free_at(feed, table.get(site_key(row.lane)), now)
    feed = replace(feed, asked=asked, asked_after=feed.attempt, refused_until=free_at)
    if feed.refused_until is None and feed.next_at > now:
        feed = replace(feed, next_at=now)
    # A row without a wake stands in its site's queue already.
    wake = row.wake if row.wake is None else min(row.wake, feed.next_at)
    table.put(key, Row(row.lane, key, encode(feed), wake))


def answer_of(command: PollNow, row: Row | None) -> Reply:
    """What has become of the command so far. Raises `NewerRow`, `DecodeError`."""
    if row is None:
        return Reply(Stage.SENT)
    feed = decode(FeedRow, row.value)
    if command.id not in feed.asked:
        return Reply(Stage.SENT, feed=feed)
    if feed.attempt > feed.asked_after:
        return Reply(Stage.POLLED, feed=feed)
    if feed.refused_until is not None:
        return Reply(Stage.REFUSED, feed.refused_until, feed)
    return Reply(Stage.DUE, feed=feed)


def _free_at(feed: FeedRow, site: Row | None, now: float) -> float | None:
    """Until when the feed, or all of its site, is to be left alone; None when it may be asked."""
    return feed.next_at if feed.outcome in REFUSALS and feed.next_at > now else paused_until(site, now)
