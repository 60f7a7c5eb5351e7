"""The poller in a test's hands: rows that commit or do not, and results as a worker would bring them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from daemon.bus.base import Row
from daemon.bus.held import HeldRows
from daemon.bus.topics import partition_of
from daemon.feeds.jobs import Entry, PageJob, PollJob, PollResult, Window
from daemon.feeds.pace.schedule import Answer, Pace
from daemon.feeds.poller import Poller
from daemon.feeds.rows import FeedRow, decode, feed_key, site_key
from daemon.feeds.sources.load import Source
from daemon.messages.article import Item, RawArticle, Withdrawal
from daemon.messages.wire import decode as decode_message
from daemon.net.answers import FetchOutcome
from daemon.stage.hop import Effects
from daemon.stage.table import StepTable
from daemon.urls import without_credentials

PARTITIONS = 4
DAY = 86400.0


def source(id_: str = "one", url: str = "https://news.example.org/feed", site: str = "example.org") -> Source:
    return Source(id=id_, url=url, shown=without_credentials(url), site=site)


def item(id_: str, title: str = "A title", link: str | None = None, content: str = "") -> Item:
    return Item(id=id_, guid=id_, title=title, content=content, link=f"https://example.org/{id_}" if link is None else link)


@dataclass
class Desk:
    """One partition's rows under a poller; what a step decided takes effect when it is committed."""

    poller: Poller
    rows: HeldRows = field(default_factory=HeldRows)
    now: float = 1_000_000.0
    published: list[RawArticle] = field(default_factory=list)
    withdrawn: list[Withdrawal] = field(default_factory=list)

    def reconcile(self, site: str = "example.org") -> None:
        table = StepTable(self.rows)
        self.poller.reconcile(partition_of(site, PARTITIONS), PARTITIONS, table, self.now)
        self.rows.apply(table.changes())

    def feed(self, id_: str = "one") -> FeedRow:
        return decode(FeedRow, self.row(id_).value)

    def row(self, id_: str = "one") -> Row:
        row = self.rows.get(feed_key(id_))
        assert row is not None
        return row

    def job(self, id_: str = "one") -> PollJob:
        """What the feed's wake asks for when its poll is due."""
        catching = self.feed(id_).catching is not None
        job = self._asked(id_, max(self.now, self.feed(id_).next_at) if catching else self.now)
        assert isinstance(job, PollJob)
        return job

    def page_job(self, id_: str = "one") -> PageJob:
        """What it asks for before that, after a gap."""
        job = self._asked(id_, self.row(id_).wake or self.now)
        assert isinstance(job, PageJob)
        return job

    def _asked(self, id_: str, now: float) -> object:
        table = StepTable(self.rows)
        effects = self.poller.wake(self.row(id_), table, now)
        turn = table.get(site_key(self.row(id_).lane))
        if turn is not None and not effects.work:
            effects = self.poller.wake(turn, table, now)
        return effects.work[0].job

    def done(self, result: object, id_: str = "one", *, commit: bool = True) -> Effects:
        table = StepTable(self.rows)
        effects = self.poller.done(feed_key(id_), result, table, self.now)
        if commit:
            self.rows.apply(table.changes())
            said = [decode_message(record.value) for record in effects.out]
            self.published += [message for message in said if isinstance(message, RawArticle)]
            self.withdrawn += [message for message in said if isinstance(message, Withdrawal)]
        return effects

    def poll(
        self,
        items: Sequence[Item],
        id_: str = "one",
        *,
        left: int = 0,
        partial: bool = False,
        commit: bool = True,
        **changed: Any,
    ) -> Effects:
        """A good poll: the window holds these items; an item is known to the worker by the hash of all it says."""
        job = self.job(id_)
        hashes = [str(hash(one)) for one in items]
        entries = tuple(
            Entry(hash=element, item=one) for element, one in zip(hashes, items, strict=True) if element not in job.known
        )
        window = Window(known=job.known & frozenset(hashes), entries=entries, left=left, partial=partial)
        return self.done(replace(good(self.now), window=window, **changed), id_, commit=commit)

    def pass_time(self, until: float) -> None:
        """Wake every item row and every feed that left, as the runner would; polls due are left alone."""
        self.now = until
        while True:
            table = StepTable(self.rows)
            for row in self.rows.due(self.now, 10_000):
                self.poller.wake(row, table, self.now)
            if not table.changes():
                return
            self.rows.apply(table.changes())


def good(now: float, url: str = "https://news.example.org/feed") -> PollResult:
    return PollResult(url=url, outcome=FetchOutcome.OK, answer=Answer.GOOD, fetched_at=now, fresh=True, body="hash")


def desk(*sources: Source, parser: int = 1) -> Desk:
    made = Desk(Poller(sources or [source()], pace=Pace(), parser=parser))
    made.reconcile()
    return made
