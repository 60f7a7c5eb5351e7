"""Static members of a group: a process with a name of its own keeps its place while it is away, unless it leaves."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from dataclasses import replace

import pytest

from daemon.bus.base import Bus, Lease, Row, Step
from daemon.bus.kafka.timing import Timing
from daemon.bus.topics import ARTICLES, RAW
from daemon.config.models import KafkaSettings
from daemon.errors import BusError, BusRefused
from tests.bus.engine import GROUP
from tests.bus.kafka_engine import PATIENCE, QUICK, KafkaEngine, settings, until
from tests.servers.kafka import Cluster

pytestmark = pytest.mark.kafka
Named = Callable[[str, Timing], KafkaEngine]
DEFAULT = Timing()
LONG_SESSION = replace(QUICK, session=DEFAULT.session)


@pytest.fixture
async def named(broker: Cluster) -> AsyncIterator[Named]:
    """Makes the engine of a process by its instance name; all on the same four partitions."""
    to, made = settings(broker, partitions=4), list[KafkaEngine]()

    def make(instance: str, timing: Timing) -> KafkaEngine:
        made.append(KafkaEngine(KafkaSettings.model_validate(dict(to) | {"instance": instance}), timing))
        return made[-1]

    yield make
    for engine in made:
        await engine.close_all()


class Worker:
    """Holds what it is given, and gives back what it is asked for, as the stage runner does."""

    def __init__(self, bus: Bus, topic: str = RAW, group: str = GROUP) -> None:
        self.held: dict[int, Lease] = {}
        self.serving = asyncio.create_task(self._serve(bus, topic, group))

    async def _serve(self, bus: Bus, topic: str, group: str) -> None:
        holders: set[asyncio.Task[None]] = set()
        try:
            async with aclosing(bus.leases(topic, group)) as offers:
                async for offer in offers:
                    holders.add(asyncio.create_task(self._hold(offer)))
        finally:
            for holder in holders:
                holder.cancel()
            await asyncio.gather(*holders, return_exceptions=True)

    async def _hold(self, offer: AbstractAsyncContextManager[Lease]) -> None:
        with suppress(BusError):
            async with offer as lease:
                self.held[lease.partition] = lease
                try:
                    await lease.leaving.wait()
                finally:
                    del self.held[lease.partition]

    async def end(self) -> None:
        self.serving.cancel()
        await asyncio.gather(self.serving, return_exceptions=True)


@asynccontextmanager
async def working(*buses: Bus) -> AsyncIterator[list[Worker]]:
    """One worker a bus, once the four partitions are shared out evenly."""
    workers = [Worker(bus) for bus in buses]
    try:
        await until(lambda: all(len(worker.held) == 4 // len(workers) for worker in workers))
        yield workers
    finally:
        for worker in workers:
            await worker.end()


async def commit(lease: Lease) -> None:
    await lease.commit(Step(None, (), [Row("lane", b"row", b"v")]))


@pytest.mark.parametrize("dies", [0, 1])
async def test_who_comes_back_in_time_stalls_nobody(named: Named, dies: int) -> None:
    """Killed and started again, be it the group's leader or not, a process works on within 2 s of its start.

    The leases of others stay as they are meanwhile, and once it leaves in order they are given all.
    """
    engines = [named("a", LONG_SESSION), named("b", LONG_SESSION)]
    buses = [await engine.open() for engine in engines]
    async with working(*buses) as workers:
        alive = workers[1 - dies]
        kept = dict(alive.held)
        await engines[dies].crash(buses[dies])
        buses[dies] = await engines[dies].open()
        begun = time.monotonic()
        heir = Worker(buses[dies])
        await until(lambda: len(heir.held) == 2)
        for lease in heir.held.values():
            await commit(lease)
        assert time.monotonic() - begun < 2.0
        assert alive.held == kept
        for lease in kept.values():
            await commit(lease)
        await heir.end()
        await until(lambda: len(alive.held) == 4)


async def test_who_leaves_hands_over_at_once(named: Named) -> None:
    """An orderly stop moves the partitions within 5 s by the default timing, although one that is gone is missed for 20."""
    async with working(await named("stays", DEFAULT).open(), await named("leaves", DEFAULT).open()) as (stays, leaves):
        begun = time.monotonic()
        await leaves.end()
        await until(lambda: len(stays.held) == 4)
        assert time.monotonic() - begun < 5.0


async def test_two_of_one_name(named: Named) -> None:
    """Where two processes of several hops use one name, one is refused, with a sentence; the other has all partitions again.

    Which of them does not matter, but never both, in whatever hop it is noticed first.
    """
    engines = [named("twin", QUICK) for _ in range(2)]
    buses = [await engine.open() for engine in engines]
    twins = [(Worker(bus), Worker(bus, ARTICLES, "matcher")) for bus in buses]
    ends = [worker.serving for twin in twins for worker in twin]
    done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
    refused = next(number for number, twin in enumerate(twins) if any(worker.serving in done for worker in twin))
    with pytest.raises(BusRefused, match=r"another process calls itself twin too \(bus.kafka.instance\)"):
        next(iter(done)).result()
    for worker in twins[refused]:
        await worker.end()
    await engines[refused].close(buses[refused])
    survivors = twins[1 - refused]
    await until(lambda: all(len(worker.held) == 4 for worker in survivors))
    assert not any(worker.serving.done() for worker in survivors)
    for worker in survivors:
        await worker.end()
