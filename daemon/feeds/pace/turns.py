"""Whose turn it is among the due feeds of one site: one poll in flight, the others wait in a queue of rows (feeds 15).

    a feed is due ─ wait_turn ─▶ ticket ─ the site's row wakes: next_turn ─▶ its poll ─ end_turn ─▶ the site's row wakes again

So however many feeds a site has, they take one place among the polls in flight. The work belongs to the site's row: that
is what makes it one. A site that said “too many” is left alone by all of its feeds: the row wakes later (feeds 14).
Pure, over rows; whatever dies, the feed still has its ticket or stands in the site's row.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from daemon.bus.base import Row
from daemon.feeds.pace.schedule import JITTER, jitter, pause
from daemon.feeds.pace.wishes import DAY
from daemon.feeds.rows import SiteRow, decode, encode, site_key, ticket_key
from daemon.stage.hop import Table

_REMEMBERED: Final = DAY
"""Seconds after a pause for which a site's refusals count, when nobody asks it meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a turn ended: well or not, whether the site said “too many” to all of its feeds, and for how long (seconds).

    `gap`: how long it is to be left alone in any case.
    """

    good: bool = False
    refused: bool = False
    retry_after: float | None = None
    gap: float = 0.0


def wait_turn(site: str, feed: str, table: Table, now: float) -> None:
    """Give the feed a ticket behind all others of its site."""
    key = site_key(site)
    row = table.get(key)
    queue = SiteRow() if row is None else decode(SiteRow, row.value)
    queue = _with_ticket(site, queue, feed, table)
    since = now if row is None or row.wake is None else min(now, row.wake)
    table.put(key, Row(site, key, encode(queue), since if queue.feed else max(since, queue.free_at)))


def next_turn(site: str, table: Table, waits: Callable[[str], bool]) -> str:
    """The feed to be polled now; empty when none is left that still `waits`, and no row any more.

    A feed whose poll never ended (a crash, a bug) goes to the end of the queue, so that it cannot hold up the others.
    """
    key = site_key(site)
    row = table.get(key)
    if row is None:
        return ""
    queue = decode(SiteRow, row.value)
    if queue.feed:
        queue = _with_ticket(site, replace(queue, feed=""), queue.feed, table)
    while not queue.feed and queue.first < queue.after:
        queue = _without_ticket(site, queue, table, waits)
    if queue.feed:
        table.put(key, replace(row, value=encode(queue)))
    else:
        _rest(row, queue, table)
    return queue.feed


def end_turn(site: str, table: Table, now: float, ending: Ending = Ending(good=True)) -> str:
    """The feed whose poll has ended; the site is free for the next, unless it wants to be left alone."""
    key = site_key(site)
    row = table.get(key)
    if row is None:
        return ""
    queue = decode(SiteRow, row.value)
    free = replace(_left_alone(site, queue, ending, now), feed="")
    if free.first < free.after:
        table.put(key, replace(row, value=encode(free), wake=max(now, free.free_at)))
    else:
        _rest(replace(row, wake=now), free, table)
    return queue.feed


def leave_alone(site: str, table: Table, now: float, ending: Ending) -> None:
    """A feed that is the only one of its site, and needs no turns, was told “too many”: who joins it is to know."""
    row = table.get(site_key(site))
    queue = _left_alone(site, SiteRow() if row is None else decode(SiteRow, row.value), ending, now)
    wake = row.wake if row is not None and queue.feed else queue.free_at
    table.put(site_key(site), Row(site, site_key(site), encode(queue), wake))


def paused_until(row: Row | None, now: float) -> float | None:
    """Until when the site of this row wants to be left alone by all of its feeds; None when it may be asked."""
    queue = SiteRow() if row is None else decode(SiteRow, row.value)
    return queue.free_at if queue.refusals and queue.free_at > now else None


def right_turn(row: Row, table: Table, now: float) -> None:
    """The clock may have been set back: a pause is as long as it was, and begins now; a turn without one is due."""
    queue = decode(SiteRow, row.value)
    if queue.paused_at > now:
        queue = replace(queue, paused_at=now, free_at=now + max(0.0, queue.free_at - queue.paused_at))
    late = queue.free_at if queue.feed or queue.first < queue.after else queue.free_at + _REMEMBERED
    wake = min(row.wake if row.wake is not None else now, max(now, late))
    if wake != row.wake:
        table.put(row.key, replace(row, value=encode(queue), wake=wake))


def _left_alone(site: str, queue: SiteRow, ending: Ending, now: float) -> SiteRow:
    refusals = 0 if ending.good else queue.refusals + ending.refused
    seconds = ending.gap
    if ending.refused:
        seconds = max(seconds, pause(ending.retry_after, refusals) * (1 + JITTER * jitter(site, refusals)))
    queue = replace(queue, refusals=refusals)
    return replace(queue, paused_at=now, free_at=now + seconds) if seconds else queue


def _rest(row: Row, queue: SiteRow, table: Table) -> None:
    """Nobody waits: the row goes, once the site's pause is over and its refusals are a day old."""
    end = queue.free_at + (_REMEMBERED if queue.refusals else 0.0)
    table.put(row.key, replace(row, value=encode(queue), wake=end) if row.wake is not None and end > row.wake else None)


def _with_ticket(site: str, queue: SiteRow, feed: str, table: Table) -> SiteRow:
    key = ticket_key(site, queue.after)
    table.put(key, Row(site, key, feed.encode()))
    return replace(queue, after=queue.after + 1)


def _without_ticket(site: str, queue: SiteRow, table: Table, waits: Callable[[str], bool]) -> SiteRow:
    """The first ticket taken off; its feed stands in the row if it still waits."""
    key = ticket_key(site, queue.first)
    ticket = table.get(key)
    table.put(key, None)
    feed = ticket.value.decode() if ticket is not None and ticket.value is not None else ""
    return replace(queue, first=queue.first + 1, feed=feed if feed and waits(feed) else "")
