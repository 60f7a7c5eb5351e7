"""Who is polled: brings the poller's rows in line with the files and the clock, and forgets what has left. Pure, over rows.

in the files, no row ─ welcome ─▶ due at once        row, not in the files ─ leave ─▶ 30 days ─ forget_feed ─▶ nothing
in both ────────────── welcome ─▶ as the files and the clock are now
"""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from typing import Final

from daemon.bus.base import Row
from daemon.errors import DecodeError
from daemon.feeds.pace.schedule import Pace
from daemon.feeds.pace.standing import sooner
from daemon.feeds.pace.turns import right_turn
from daemon.feeds.rows import FEED, KEPT, SITE, FeedRow, FeedState, decode, encode, feed_key, feed_of, items_prefix
from daemon.feeds.sources.load import Source
from daemon.net.answers import FetchOutcome
from daemon.stage.hop import Table

_PURGED_AT_ONCE: Final = 500
_PAUSE: Final = 1.0
"""Seconds between two portions of a feed that is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The feeds of one partition as the files want them. With another `parser`, nothing that was hashed holds.

    `named`: the ids of all feeds, of other partitions too.
    """

    sources: Iterable[Source]
    pace: Pace
    parser: int
    named: Container[str] = ()

    def bring_in_line(self, table: Table, now: float) -> int:
        """Rows for all feeds and no others; how many rows cannot be read: those stay as they are, and keep no other from it."""
        mine = {source.id: source for source in self.sources}
        left = [row for row in table.scan(FEED) if feed_of(row.key) not in mine]
        turns = [row for row in table.scan(SITE) if row.wake is None or row.wake > now]
        damaged = sum(not _done(leave, row, table, now, feed_of(row.key) in self.named) for row in left)
        damaged += sum(not _done(self._welcome, source, table, now) for source in mine.values())
        return damaged + sum(not _done(right_turn, row, table, now) for row in turns)

    def _welcome(self, source: Source, table: Table, now: float) -> None:
        key = feed_key(source.id)
        row = table.get(key)
        if row is None:
            url, credentials = source.address, source.credentials
            fresh = FeedRow(url=url, parser=self.parser, credentials=credentials, interval=source.interval, next_at=now)
            table.put(key, Row(source.site, key, encode(fresh), now))
            return
        old = decode(FeedRow, row.value)
        feed = self._returned(old, source, now)
        if feed is not old or row.wake is None:  # a second ticket does no harm, a feed without one would never be polled
            table.put(key, Row(source.site, key, encode(feed), feed.next_at))

    def _returned(self, feed: FeedRow, source: Source, now: float) -> FeedRow:
        """The row as the files want it: the same object when nothing is to be changed."""
        if feed.left_at is not None:
            feed = _begun_again(feed) if feed.elsewhere else feed
            feed = replace(feed, left_at=None, state=_state_before(feed))
        feed = _readdressed(feed, source, now)
        if feed.parser != self.parser:
            feed = replace(feed.unread(), parser=self.parser)
        return _on_time(sooner(feed, source, self.pace.of(source.site)), now)


def _state_before(feed: FeedRow) -> FeedState:
    """The state of a feed that is back, as its last poll left it."""
    if feed.polled_at is None:
        return FeedState.NEW
    if feed.outcome == FetchOutcome.GONE:
        return FeedState.GONE
    return FeedState.FAILING if feed.failures else FeedState.OK


def _readdressed(feed: FeedRow, source: Source, now: float) -> FeedRow:
    """With the files' address and credentials.

    An address that permanent redirects have led the feed to changes nothing else; other credentials end a move (feeds 12).
    """
    if feed.url == source.url != source.address:  # an older version kept the whole address, secrets and all
        feed = replace(feed, url=source.address)
    if feed.url != source.address and source.address in {feed.moved_to, _led_to(feed)}:
        feed = replace(feed, url=source.address, moved_to="", move=None)
    if feed.url != source.address:
        feed = replace(feed.unread(), url=source.address, moved_to="", move=None, sought_at=None, named="")
        feed = replace(feed, fetched=False, portions=0, failures=0, next_at=now, polled_at=None, catching=None)
    if feed.credentials != source.credentials:
        next_at = now if feed.failures else feed.next_at  # what was refused may be welcome now
        feed = replace(feed.unconditional(), credentials=source.credentials, failures=0, next_at=next_at)
        feed = replace(feed, moved_to="", move=None)  # what is sent now is for the configured address
    return feed


def _led_to(feed: FeedRow) -> str:
    """Where its last good polls were led, so that validators are of there; empty for nowhere else."""
    return feed.move.url if feed.move is not None else ""


def _begun_again(feed: FeedRow) -> FeedRow:
    """Another partition has told what came meanwhile, and this one cannot see that: the next window is read as a first one."""
    return replace(feed.unconditional(), fetched=False, portions=0, catching=None)


def _on_time(feed: FeedRow, now: float) -> FeedRow:
    """By a clock that may have been set back: a first poll is due at once, and any other pause begins now."""
    if feed.polled_at is None and feed.next_at > now:
        feed = replace(feed, next_at=now)
    if feed.polled_at is not None and feed.polled_at > now:
        feed = replace(feed, next_at=now + max(0.0, feed.next_at - feed.polled_at), polled_at=now)
    return feed


def _done(change: Callable[..., None], *arguments: object) -> bool:
    """Whether a row was brought in line; a damaged one is left as it is."""
    try:
        change(*arguments)
    except DecodeError:
        return False
    return True


def leave(row: Row, table: Table, now: float, elsewhere: bool = False) -> None:  # noqa: FBT001, FBT002 - through `_done`
    """The files no longer name the feed, or name it `elsewhere`: it stops, and is forgotten in 30 days."""
    feed = decode(FeedRow, row.value)
    if feed.left_at is None or elsewhere > feed.elsewhere:
        left_at = now if feed.left_at is None else feed.left_at
        left = replace(feed, left_at=left_at, state=FeedState.LEFT, elsewhere=elsewhere or feed.elsewhere)
        table.put(row.key, Row(row.lane, row.key, encode(left), left_at + KEPT))


def forget_feed(row: Row, table: Table, now: float) -> None:
    """Delete a feed that left, a bounded number of its items at a time."""
    feed = feed_of(row.key)
    doomed = [item.key for item, _ in zip(table.scan(items_prefix(feed)), range(_PURGED_AT_ONCE), strict=False)]
    for key in doomed:
        table.put(key, None)
    table.put(row.key, None if len(doomed) < _PURGED_AT_ONCE else replace(row, wake=now + _PAUSE))


def forget_item(row: Row, table: Table) -> None:
    """An item that left its feed's window 30 days ago."""
    table.put(row.key, None)
    key = feed_key(feed_of(row.key))
    holder = table.get(key)
    if holder is not None:
        feed = decode(FeedRow, holder.value)
        table.put(key, replace(holder, value=encode(replace(feed, kept=max(feed.kept - 1, 0)))))
