"""Feeds of one site take turns: one poll in flight, nobody else's place taken, nobody left out, whatever dies."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.bus.held import HeldRows
from daemon.bus.memory import MemoryBus, MemoryStore
from daemon.bus.topics import FEEDS
from daemon.clock import LoopClock
from daemon.feeds.jobs import PollJob, PollResult
from daemon.feeds.pace.schedule import Pace
from daemon.feeds.poller import Poller
from daemon.feeds.rows import SITE, TURN, feed_key
from daemon.feeds.sources.load import Source
from daemon.messages.wire import decode
from daemon.stage.hop import Failed
from daemon.stage.partition import Kit
from daemon.stage.runner import Stage
from daemon.stage.table import StepTable
from daemon.urls import site_of
from tests.feeds.desk import good, source
from tests.virtual import VirtualLoop

PACE: Final = Pace()
SLOW: Final = 30.0
DAY: Final = 86400.0


def crowd(count: int) -> list[Source]:
    return [
        replace(source(f"f{number}", f"https://slow.example/{number}", "slow.example"), interval=DAY) for number in range(count)
    ]


class Net:
    """Sites that answer at once, or after 30 s; remembers what was polled and how much of a site was in flight at once."""

    def __init__(self) -> None:
        self.clock = LoopClock(1000.0)
        self.store = MemoryStore(partitions=1, clock=self.clock)
        self.polled: list[tuple[float, str]] = []
        self.flying: Counter[str] = Counter()
        self.most = 0

    async def __call__(self, job: PollJob) -> PollResult:
        site = site_of(job.url)
        self.flying[site] += 1
        self.most = max(self.most, self.flying[site])
        try:
            await asyncio.sleep(SLOW if site == "slow.example" else 0.1)
        finally:
            self.flying[site] -= 1
        self.polled.append((self.clock.now(), job.feed))
        return good(self.clock.now(), job.url)

    async def live(self, sources: Sequence[Source], seconds: float, *, kill: bool = False) -> None:
        """One life of the poller."""
        bus = MemoryBus(self.store)
        stage = Stage(
            Kit(Poller(sources, pace=Pace(longest=DAY), parser=1), FEEDS, decode, self.clock, _observe, work=self), bus
        )
        running = asyncio.create_task(stage.run())
        await asyncio.sleep(seconds)
        if kill:
            bus.crash()
            running.cancel()
        else:
            stage.stop()
        await asyncio.gather(running, return_exceptions=True)

    def times(self) -> dict[str, float]:
        return {feed: at for at, feed in reversed(self.polled)}


def _observe(name: str, labels: Mapping[str, str] | None = None, amount: float = 1.0) -> None:
    """Nobody looks at metrics here."""


def virtually(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story)


def test_many_feeds_of_a_slow_site_hold_nobody_up() -> None:
    """Feeds 15: 300 due feeds of one slow site take one place in flight: another site's feed is polled at once."""

    async def story() -> None:
        net = Net()
        await net.live([*crowd(300), source("other", "https://quick.example/", "quick.example")], 301 * SLOW)
        assert net.most == 1
        assert net.times()["other"] < 1002.0
        crowded = [feed for _, feed in net.polled if feed != "other"]
        assert sorted(crowded[:300]) == sorted(f"f{number}" for number in range(300))

    virtually(story())


def test_a_crash_costs_nobody_the_turn() -> None:
    """After kills in the middle of polls, each feed is polled once; only what was in flight is asked again."""

    async def story() -> None:
        net = Net()
        for seconds in (95.0, 40.0, 10.0):
            await net.live(crowd(12), seconds, kill=True)
        await net.live(crowd(12), 20 * SLOW)
        assert net.most == 1
        assert sorted(feed for _, feed in net.polled[:12]) == sorted(f"f{number}" for number in range(12))

    virtually(story())


def test_files_need_no_turns() -> None:
    """What is read from files is no site: such feeds are polled side by side."""
    sources = [source(f"f{number}", f"file:{number}.xml", "file") for number in range(3)]
    desk = Turns(sources)
    assert len(desk.wake()) == 3


class Turns:
    """A poller's rows, woken and answered by hand; work in flight by its key."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.poller = Poller(sources, pace=PACE, parser=1)
        self.rows = HeldRows()
        self.now = 1000.0
        self.flying: dict[bytes, PollJob] = {}
        self.polled: Counter[str] = Counter()
        self.load(sources)

    def load(self, sources: Sequence[Source]) -> None:
        self.poller.replace(sources)
        table = StepTable(self.rows)
        self.poller.reconcile(0, 1, table, self.now)
        self.rows.apply(table.changes())

    def wake(self) -> dict[bytes, PollJob]:
        """Fire what is due, as the runner would."""
        table = StepTable(self.rows)
        while (row := table.next_due(self.now, self.flying.keys())) is not None:
            for work in self.poller.wake(row, table, self.now).work:
                assert isinstance(work.job, PollJob)
                self.flying[work.key] = work.job
        self.rows.apply(table.changes())
        return self.flying

    def answer(self, *, broken: bool = False) -> None:
        """All that is in flight ends."""
        for key, job in list(self.flying.items()):
            table = StepTable(self.rows)
            self.poller.done(key, Failed("x") if broken else good(self.now, job.url), table, self.now)
            self.rows.apply(table.changes())
            self.polled[job.feed] += 1
        self.flying.clear()


def test_a_poll_that_never_ends_goes_to_the_end() -> None:
    """A feed whose result is lost again and again does not keep its site's other feeds from their turns."""
    turns = Turns(crowd(3))
    first = []
    for _ in range(4):
        first += [job.feed for job in turns.wake().values()]
        turns.flying.clear()
    assert sorted(first[:3]) == ["f0", "f1", "f2"]
    assert first[3] == first[0]


@pytest.mark.parametrize("broken", [False, True])
def test_a_feed_that_leaves_loses_its_turn(broken: bool) -> None:  # noqa: FBT001 - a table's column
    """Feeds that left are passed over, also while their poll is in flight; a queue that ends leaves no rows."""
    turns = Turns(crowd(4))
    turns.wake()
    turns.load([*crowd(2), source("f2", "https://elsewhere.example/", "elsewhere.example")])
    for _ in range(4):
        turns.answer(broken=broken)
        turns.wake()
    assert {"f0", "f1", "f2"} <= turns.polled.keys()
    assert [*turns.rows.scan(SITE), *turns.rows.scan(TURN)] == []


@given(st.lists(st.sampled_from(["wake", "answer", "broken", "crash", "all", "some", "one", "later"]), max_size=30))
@settings(max_examples=200, deadline=None)
def test_nobody_is_left_out(story: Sequence[str]) -> None:
    """Whatever happens in whatever order: one poll of the site at a time, and in the end each feed is polled."""
    files = {"all": crowd(5), "some": crowd(3), "one": crowd(1)}
    turns = Turns(crowd(5))
    for step in story:
        if step == "wake":
            turns.wake()
        elif step in ("answer", "broken"):
            turns.answer(broken=step == "broken")
        elif step == "crash":
            turns.flying.clear()
        elif step == "later":
            turns.now += 400.0
        else:
            turns.poller.replace(files[step])
            turns.wake()
            turns.load(files[step])
        assert sum(key.startswith(SITE) for key in turns.flying) <= 1
    turns.load(crowd(5))
    turns.polled.clear()
    for _ in range(40):
        turns.now += 2 * PACE.longest
        turns.wake()
        turns.answer()
    assert turns.polled.keys() == {f"f{number}" for number in range(5)}
    assert all(turns.rows.get(feed_key(f"f{number}")) is not None for number in range(5))
