"""Whose turn it is among the due feeds of one site: one poll in flight, the others wait in a queue of rows (feeds 15).

    a feed is due ─ wait_turn ─▶ ticket ─ the site's row wakes: next_turn ─▶ its poll ─ end_turn ─▶ the site's row wakes again

So however many feeds a site has, they take one place among the polls in flight. The work belongs to the site's row: that
is what makes it one. Pure, over rows; whatever dies, the feed still has its ticket or stands in the site's row.
"""

from collections.abc import Callable
from dataclasses import replace

from daemon.bus.base import Row
from daemon.feeds.rows import SiteRow, decode, encode, site_key, ticket_key
from daemon.stage.hop import Table


def wait_turn(site: str, feed: str, table: Table, now: float) -> None:
    """Give the feed a ticket behind all others of its site."""
    key = site_key(site)
    row = table.get(key)
    queue = SiteRow() if row is None else decode(SiteRow, row.value)
    queue = _with_ticket(site, queue, feed, table)
    table.put(key, Row(site, key, encode(queue), now if row is None else row.wake))


def next_turn(site: str, table: Table, waits: Callable[[str], bool]) -> str:
    """The feed to be polled now; empty, and no row any more, when none is left that still `waits`.

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
    table.put(key, replace(row, value=encode(queue)) if queue.feed else None)
    return queue.feed


def end_turn(site: str, table: Table, now: float) -> str:
    """The feed whose poll has ended; the site is free for the next."""
    key = site_key(site)
    row = table.get(key)
    if row is None:
        return ""
    queue = decode(SiteRow, row.value)
    free = replace(queue, feed="")
    table.put(key, replace(row, value=encode(free), wake=now) if free.first < free.after else None)
    return queue.feed


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
