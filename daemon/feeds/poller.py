"""Hop 1: decides which feed is polled when, and which of its items are news. Pure: `polling.py` does what it asks for.

    files ─ reconcile ─▶ rows ─ wake ─▶ PollJob ─ (PollWorker) ─▶ PollResult ─ done ─▶ RawArticle, rows, next wake
                                 └─ turns.py, where a site has several feeds

Validators, window and item rows commit together with the items, so a crash refetches and never loses (feeds 4).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from daemon.bus.base import Row
from daemon.bus.topics import partition_of
from daemon.errors import DecodeError
from daemon.feeds.gaps import halvings, with_gap
from daemon.feeds.harvest import Harvest, gather
from daemon.feeds.jobs import PollJob, PollOutcome, PollResult
from daemon.feeds.rows import (
    FEED,
    ITEM,
    KEPT,
    SITE,
    FeedRow,
    FeedState,
    Seen,
    decode,
    encode,
    feed_key,
    feed_of,
    items_prefix,
    site_named,
)
from daemon.feeds.schedule import Answer, Pace, Poll, next_poll
from daemon.feeds.sources import Source
from daemon.feeds.turns import end_turn, next_turn, wait_turn
from daemon.messages.wire import AnyMessage
from daemon.stage.hop import NOTHING, Effects, Fact, Failed, Hop, Table, Time, Work
from daemon.urls import FILE_SITE

_PURGED_AT_ONCE: Final = 500
_PAUSE: Final = 1.0
"""Seconds between two portions of a feed that is forgotten."""

_MOST_PORTIONS: Final = 8
"""Polls in a row that may hurry for what a document still holds, and be one first fetch: a document may never end."""

_STATES: Final = {Answer.GOOD: FeedState.OK, Answer.GONE: FeedState.GONE}


class Poller(Hop[AnyMessage, AnyMessage]):
    """The first hop. Its topic carries nothing but commands; what is polled comes from the files, by `sources`."""

    name = "poller"
    time = Time.WALL

    def __init__(self, sources: Iterable[Source], *, pace: Pace, parser: int) -> None:
        """`parser` is the version of the parser: with another one, validators and window hashes no longer hold."""
        self.replace(sources)
        self._pace = pace
        self._parser = parser

    def replace(self, sources: Iterable[Source]) -> None:
        """Take over the feeds of a reload; each partition's `reconcile` is to follow."""
        self._sources = {source.id: source for source in sources}
        counts = Counter(source.site for source in self._sources.values() if source.site != FILE_SITE)
        self._shared = frozenset(site for site, count in counts.items() if count > 1)

    def prepare(self, batch: Sequence[AnyMessage]) -> Sequence[AnyMessage]:
        return batch

    def decide(self, item: AnyMessage, table: Table, now: float) -> Effects:  # noqa: ARG002 - the hop's shape
        """There is no command yet. Raises `DecodeError`, so that whatever stands here is set aside."""
        raise DecodeError("the poller obeys no such message", subject=type(item).__name__)

    def reconcile(self, partition: int, partitions: int, table: Table, now: float) -> Effects:
        """Bring the feeds of this partition in line with the files and the clock. A feed's first poll is due at once."""
        mine = {id_: source for id_, source in self._sources.items() if partition_of(source.site, partitions) == partition}
        left = [row for row in table.scan(FEED) if feed_of(row.key) not in mine]
        damaged = sum(not _done(_leave, row, table, now) for row in left)
        damaged += sum(not _done(self._welcome, source, table, now) for source in mine.values())
        for row in list(table.scan(SITE)):
            if row.wake is not None and row.wake > now:  # a turn is always due when it is put: the clock was set back
                table.put(row.key, replace(row, wake=now))
        facts = [Fact("rasid_hop_failures_total", {"hop": self.name, "kind": "damaged"}, damaged)] if damaged else []
        return Effects(facts=facts)

    def _welcome(self, source: Source, table: Table, now: float) -> None:
        key = feed_key(source.id)
        row = table.get(key)
        if row is None:
            fresh = FeedRow(url=source.address, parser=self._parser, next_at=now)
            table.put(key, Row(source.site, key, encode(fresh), now))
            return
        old = decode(FeedRow, row.value)
        feed = self._returned(old, source, now)
        if feed is not old or row.wake is None:  # a second ticket does no harm, a feed without one would never be polled
            table.put(key, Row(source.site, key, encode(feed), feed.next_at))

    def _returned(self, feed: FeedRow, source: Source, now: float) -> FeedRow:
        """The row as the files want it: the same object when nothing is to be changed."""
        if feed.left_at is not None:
            feed = replace(feed, left_at=None, state=FeedState.OK if feed.fetched else FeedState.NEW)
        if feed.url == source.url != source.address:  # an older version kept the whole address, secrets and all
            feed = replace(feed, url=source.address)
        if feed.url != source.address or feed.parser != self._parser:
            moved = feed.url != source.address
            unhashed = tuple(Seen(hash="", item=seen.item) for seen in feed.window)
            feed = replace(feed, url=source.address, parser=self._parser, etag="", last_modified="", body="", window=unhashed)
            if moved:
                feed = replace(feed, fetched=False, portions=0, failures=0, next_at=now, polled_at=None)
        if feed.polled_at is None and feed.next_at > now:  # the clock was set back: a first poll is due at once
            feed = replace(feed, next_at=now)
        if feed.polled_at is not None and feed.polled_at > now:  # and any other pause begins now
            feed = replace(feed, next_at=now + max(0.0, feed.next_at - feed.polled_at), polled_at=now)
        return feed

    def wake(self, row: Row, table: Table, now: float) -> Effects:
        if row.key.startswith(ITEM):
            return _forget_item(row, table)
        if row.key.startswith(SITE):
            return self._turn(row, table)
        feed = decode(FeedRow, row.value)
        source = self._sources.get(feed_of(row.key))
        if feed.left_at is not None:
            return _forget_feed(row, table, now)
        if source is None:
            _leave(row, table, now)
            return NOTHING
        if source.site in self._shared:
            table.put(row.key, replace(row, wake=None))
            wait_turn(source.site, source.id, table, now)
            return NOTHING
        return Effects(work=[Work(row.key, _job(source, feed))])

    def _turn(self, row: Row, table: Table) -> Effects:
        """The site is free: the next of its feeds that wait is polled."""
        site = site_named(row.key)

        def waits(feed: str) -> bool:
            source, waiting = self._sources.get(feed), table.get(feed_key(feed))
            return source is not None and source.site == site and waiting is not None and waiting.wake is None

        feed = next_turn(site, table, waits)
        waiting = table.get(feed_key(feed))
        if waiting is None:
            return NOTHING
        return Effects(work=[Work(row.key, _job(self._sources[feed], decode(FeedRow, waiting.value)))])

    def done(self, key: bytes, result: object, table: Table, now: float) -> Effects:
        id_ = end_turn(site_named(key), table, now) if key.startswith(SITE) else feed_of(key)
        key, source = feed_key(id_), self._sources.get(id_)
        row = table.get(key)
        if row is None or source is None:
            return NOTHING
        feed = decode(FeedRow, row.value)
        if not isinstance(result, PollResult):
            detail = result.error if isinstance(result, Failed) else f"a poll gave {type(result).__name__}"
            result = PollResult(url=source.url, outcome=PollOutcome.BUG, answer=Answer.FAILED, fetched_at=now, detail=detail)
        if feed.left_at is not None or result.url != source.url or feed.url != source.address:
            return NOTHING  # the feed left or moved meanwhile; its row says what comes next
        harvest = gather(source, feed, result, table, now, parser=self._parser)
        after = self._after(feed, source, result, harvest, now)
        table.put(key, Row(row.lane, key, encode(after), after.next_at))
        facts = [Fact("rasid_polls_total", {"outcome": result.outcome}), *harvest.facts]
        return Effects(out=harvest.out, facts=facts, notices=harvest.notices)

    def _after(self, feed: FeedRow, source: Source, result: PollResult, harvest: Harvest, now: float) -> FeedRow:
        """The feed's row once a poll has ended."""
        good = result.answer is Answer.GOOD
        failures = 0 if good else feed.failures + 1
        if result.window is not None:
            feed = _read(feed, harvest, result)
            feed = with_gap(feed, now) if harvest.gap else feed
        poll = Poll(
            feed=source.id,
            attempt=feed.attempt + 1,
            interval=self._pace.shortest if good and _goes_on(feed.portions) else source.interval / 2 ** halvings(feed, now),
            failures=failures,
            retry_after=result.retry_after,
        )
        feed = replace(
            feed,
            attempt=feed.attempt + 1,
            failures=failures,
            state=_STATES.get(result.answer, FeedState.FAILING),
            next_at=next_poll(poll, result.answer, self._pace, now),
            polled_at=result.fetched_at,
            outcome=result.outcome,
            detail=result.detail,
            success_at=result.fetched_at if good else feed.success_at,
            items=feed.items + harvest.new,
            kept=feed.kept + harvest.kept,
        )
        return _validators(feed, result) if good else feed


def _job(source: Source, feed: FeedRow) -> PollJob:
    return PollJob(
        feed=source.id,
        url=source.url,
        language=source.language,
        user_agent=source.user_agent,
        delta=source.delta,
        headers=source.headers,
        etag=feed.etag,
        last_modified=feed.last_modified,
        body=feed.body,
        known=feed.hashes(),
    )


def _read(feed: FeedRow, harvest: Harvest, result: PollResult) -> FeedRow:
    """With the window that was read. Until it was read as a whole, it is read again, and a first fetch goes on."""
    portions = feed.portions + 1 if result.window is not None and result.window.left else 0
    return replace(
        feed,
        window=harvest.window,
        named_by=harvest.named_by,
        portions=portions,
        fetched=feed.fetched or not _goes_on(portions),
        body="" if portions else result.body,
    )


def _goes_on(portions: int) -> bool:
    return 0 < portions < _MOST_PORTIONS


def _validators(feed: FeedRow, result: PollResult) -> FeedRow:
    """Of a 200 both, absent ones cleared; of a 304 those present (feeds 2). None while a document is read in portions."""
    if feed.portions:
        return replace(feed, etag="", last_modified="")
    if result.fresh:
        return replace(feed, etag=result.etag, last_modified=result.last_modified)
    return replace(feed, etag=result.etag or feed.etag, last_modified=result.last_modified or feed.last_modified)


def _done(change: Callable[..., None], *arguments: object) -> bool:
    """Whether a row was brought in line: a damaged one stays as it is, and keeps no other from it."""
    try:
        change(*arguments)
    except DecodeError:
        return False
    return True


def _leave(row: Row, table: Table, now: float) -> None:
    """The files no longer name the feed: it stops, and is forgotten in 30 days."""
    feed = decode(FeedRow, row.value)
    if feed.left_at is None:
        left = replace(feed, left_at=now, state=FeedState.LEFT)
        table.put(row.key, Row(row.lane, row.key, encode(left), now + KEPT))


def _forget_feed(row: Row, table: Table, now: float) -> Effects:
    """Delete a feed that left, a bounded number of its items at a time."""
    feed = feed_of(row.key)
    doomed = [item.key for item, _ in zip(table.scan(items_prefix(feed)), range(_PURGED_AT_ONCE), strict=False)]
    for key in doomed:
        table.put(key, None)
    table.put(row.key, None if len(doomed) < _PURGED_AT_ONCE else replace(row, wake=now + _PAUSE))
    return NOTHING


def _forget_item(row: Row, table: Table) -> Effects:
    """An item that left its feed's window 30 days ago."""
    table.put(row.key, None)
    key = feed_key(feed_of(row.key))
    holder = table.get(key)
    if holder is not None:
        feed = decode(FeedRow, holder.value)
        table.put(key, replace(holder, value=encode(replace(feed, kept=max(feed.kept - 1, 0)))))
    return NOTHING
