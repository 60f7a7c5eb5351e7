"""Hop 1: decides which feed is polled when, and which of its items are news. Pure: `polling.py` does what it asks for.

    files ─ reconcile ─▶ rows ─ wake ─▶ PollJob ─ (PollWorker) ─▶ PollResult ─ done ─▶ RawArticle, rows, next wake
                                 └─ turns.py, where a site has several feeds

Validators, window and item rows commit together with the items, so a crash refetches and never loses (feeds 4).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from daemon.bus.base import Row
from daemon.bus.topics import partition_of
from daemon.errors import DecodeError
from daemon.feeds.asked import obey
from daemon.feeds.elsewhere.catchup import looked_at, page_job, wake_of
from daemon.feeds.items.harvest import gather
from daemon.feeds.jobs import PageJob, PageResult, PollJob, PollOutcome, PollResult
from daemon.feeds.pace.refusals import Refusals
from daemon.feeds.pace.schedule import Answer, Pace
from daemon.feeds.pace.standing import after_poll, job_for
from daemon.feeds.pace.turns import next_turn, paused_until, wait_turn
from daemon.feeds.roster import Roster, forget_feed, forget_item, leave
from daemon.feeds.rows import FEED, ITEM, SITE, FeedRow, decode, encode, feed_key, feed_of, site_key, site_named
from daemon.feeds.sources.load import Source
from daemon.feeds.survey import count_states
from daemon.messages.command import PollNow
from daemon.messages.wire import AnyMessage
from daemon.stage.hop import NOTHING, Effects, Fact, Failed, Hop, Scan, Table, Time, Work
from daemon.urls import FILE_SITE


class Poller(Hop[AnyMessage, AnyMessage]):
    """The first hop. Its topic carries nothing but commands; what is polled comes from the files, by `sources`."""

    name = "poller"
    time = Time.WALL

    def __init__(self, sources: Iterable[Source], *, pace: Pace, parser: int) -> None:
        """`parser` is the version of the parser: with another one, validators and window hashes no longer hold."""
        self._pace = pace
        self._parser = parser
        self._partitions = 1
        self.replace(sources)

    def replace(self, sources: Iterable[Source], pace: Pace | None = None) -> None:
        """Take over the feeds, and the bounds, of a reload; each partition's `reconcile` is to follow."""
        self._pace = pace or self._pace
        self._sources = {source.id: source for source in sources}
        counts = Counter(source.site for source in self._sources.values() if source.site != FILE_SITE)
        self._shared = frozenset(site for site, count in counts.items() if count > 1)

    def prepare(self, batch: Sequence[AnyMessage]) -> Sequence[AnyMessage]:
        return batch

    def decide(self, item: AnyMessage, table: Table, now: float) -> Effects:
        """Obey a command. Raises `DecodeError` for anything else, so that it is set aside."""
        if not isinstance(item, PollNow):
            raise DecodeError("the poller obeys no such message", subject=type(item).__name__)
        obey(item, table, now)
        return NOTHING

    def reconcile(self, partition: int, partitions: int, table: Table, now: float) -> Effects:
        """Bring the feeds of this partition in line with the files and the clock. A feed's first poll is due at once."""
        self._partitions = partitions  # of a bus there is one count
        mine = [source for source in self._sources.values() if partition_of(source.site, partitions) == partition]
        roster = Roster(sources=mine, pace=self._pace, parser=self._parser, named=self._sources)
        damaged = roster.bring_in_line(table, now)
        facts = [Fact("rasid_hop_failures_total", {"hop": self.name, "kind": "damaged"}, damaged)] if damaged else []
        return Effects(facts=facts)

    def wake(self, row: Row, table: Table, now: float) -> Effects:
        if row.key.startswith(ITEM):
            forget_item(row, table)
            return NOTHING
        if row.key.startswith(SITE):
            return self._turn(row, table, now)
        feed = decode(FeedRow, row.value)
        source = self._sources.get(feed_of(row.key))
        if feed.left_at is not None:
            forget_feed(row, table, now)
            return NOTHING
        if source is None:
            leave(row, table, now)
            return NOTHING
        return self._due(row, feed, source, table, now)

    def _due(self, row: Row, feed: FeedRow, source: Source, table: Table, now: float) -> Effects:
        """A feed's time has come: it is asked, waits for its site's turn, or until its site may be asked."""
        if source.site in self._shared:
            table.put(row.key, replace(row, wake=None))
            wait_turn(source.site, source.id, table, now)
            return NOTHING
        if free_at := paused_until(table.get(site_key(source.site)), now):
            table.put(row.key, replace(row, wake=free_at))
            return NOTHING
        return Effects(work=[Work(row.key, _job(source, feed, now))])

    def _turn(self, row: Row, table: Table, now: float) -> Effects:
        """The site is free: the next of its feeds that wait is polled."""
        site = site_named(row.key)

        def waits(feed: str) -> bool:
            source, waiting = self._sources.get(feed), table.get(feed_key(feed))
            return source is not None and source.site == site and waiting is not None and waiting.wake is None

        feed = next_turn(site, table, waits)
        waiting = table.get(feed_key(feed))
        if waiting is None:
            return NOTHING
        return Effects(work=[Work(row.key, _job(self._sources[feed], decode(FeedRow, waiting.value), now))])

    def done(self, key: bytes, result: object, table: Table, now: float) -> Effects:
        id_ = self._turn_ended(key, result, table, now)
        key, source = feed_key(id_), self._sources.get(id_)
        row = table.get(key)
        if row is None or source is None:
            return NOTHING
        feed = decode(FeedRow, row.value)
        if not isinstance(result, PollResult | PageResult):
            feed = replace(feed, catching=None)  # it may have been a page that broke the worker
            detail = result.error if isinstance(result, Failed) else f"a poll gave {type(result).__name__}"
            result = PollResult(url=source.url, outcome=PollOutcome.BUG, answer=Answer.FAILED, fetched_at=now, detail=detail)
        if feed.left_at is not None or result.url != source.url or feed.url != source.address:
            return NOTHING  # the feed left or was given another address meanwhile; its row says what comes next
        if isinstance(result, PageResult):
            return self._page(row, source, feed, result, table, now)
        harvest = gather(source, feed, result, table, now, parser=self._parser)
        after = after_poll(feed, source, result, harvest, self._pace.of(source.site), now)
        table.put(key, Row(row.lane, key, encode(after.feed), wake_of(source, after.feed, now, polled=True)))
        repaired = [Fact("rasid_feeds_repaired_total")] if result.window is not None and result.window.repaired else []
        facts = [Fact("rasid_polls_total", {"outcome": result.outcome}), *repaired, *harvest.facts]
        return Effects(out=harvest.out, facts=facts, notices=after.notices)

    def _page(self, row: Row, source: Source, feed: FeedRow, result: PageResult, table: Table, now: float) -> Effects:
        """An older page was looked at, between two polls."""
        caught = looked_at(source, feed, result, table, now, parser=self._parser)
        table.put(row.key, Row(row.lane, row.key, encode(caught.feed), wake_of(source, caught.feed, now, polled=False)))
        return Effects(out=caught.out, facts=caught.facts)

    def survey(self, scan: Scan, now: float) -> Sequence[Fact]:
        return [Fact("rasid_feeds", {"state": state}, count) for state, count in count_states(scan(FEED), now).items()]

    def _turn_ended(self, key: bytes, result: object, table: Table, now: float) -> str:
        """The feed that was asked for; what its site said, or another one that it led to, is noted."""
        if key.startswith(SITE):
            site = site_named(key)
            return self._refusals(site).shared_turn(site, result, table, now)
        source = self._sources.get(feed_of(key))
        if source is not None:
            self._refusals(source.site).own_turn(source.site, result, table, now)
        return feed_of(key)

    def _refusals(self, site: str) -> Refusals:
        return Refusals(self._pace, lambda other: self._together(site, other))

    def _together(self, site: str, other: str) -> bool:
        """Whether the rows of both lie in one partition."""
        return partition_of(site, self._partitions) == partition_of(other, self._partitions)


def _job(source: Source, feed: FeedRow, now: float) -> PollJob | PageJob:
    return page_job(source, feed, now) or job_for(source, feed, now)
