"""The memory engine keeps the rules of the bus, in virtual time."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from daemon.bus.base import Bus, Lease, Step
from daemon.bus.memory import MemoryBus, MemoryStore
from daemon.bus.topics import DAY, RAW
from daemon.clock import LoopClock
from tests.bus.conformance import Conformance
from tests.bus.crash_rules import CrashRules
from tests.bus.engine import GROUP, HERE, everything, holding, lane_of, record, take_all

pytestmark = pytest.mark.virtual_time


class MemoryEngine:
    """See `tests.bus.engine.Engine`."""

    patience = 30.0

    def __init__(self) -> None:
        self._store = MemoryStore(clock=LoopClock())
        self._open: list[MemoryBus] = []

    async def open(self, *, service: bool = True) -> MemoryBus:
        bus = await MemoryBus(self._store).__aenter__()
        self._open.append(bus)
        return bus

    async def close(self, bus: Bus) -> None:
        await _own(bus).__aexit__(None, None, None)

    async def crash(self, bus: Bus) -> None:
        _own(bus).crash()

    async def usurp(self, bus: Bus) -> Bus:
        return await self.open()

    async def age(self, bus: Bus) -> None:
        await asyncio.sleep(8 * DAY)
        for partition in range(bus.partitions(RAW)):
            self._store._trim(RAW, partition)  # else it is done with every 256th record

    def buffered(self, lease: Lease) -> int:
        return 0

    async def end(self) -> None:
        for bus in self._open:
            await self.close(bus)


def _own(bus: Bus) -> MemoryBus:
    assert isinstance(bus, MemoryBus)
    return bus


@pytest.fixture
async def engine() -> AsyncIterator[MemoryEngine]:
    engine = MemoryEngine()
    yield engine
    await engine.end()


class TestMemory(Conformance, CrashRules):
    """The suite on dicts and lists."""


async def test_a_second_process_is_given_its_share(engine: MemoryEngine) -> None:
    """Two processes hold two partitions each; when one ends in good order, the other is given all."""
    first, second = await engine.open(), await engine.open()
    async with holding(first, RAW, GROUP, engine.patience) as one:
        leases = await one.all()
        async with holding(second, RAW, GROUP, engine.patience) as two:
            async with asyncio.timeout(1.0):
                await asyncio.gather(leases[1].leaving.wait(), leases[3].leaving.wait())
            await one.leave(1)
            await one.leave(3)
            assert (await two.lease(1)).partition == 1
            assert (await two.lease(3)).partition == 3
            assert not leases[0].leaving.is_set()
        for partition in (1, 3):
            assert (await one.lease(partition)).partition == partition


async def test_pauses_grow_and_end(engine: MemoryEngine) -> None:
    """A lease that breaks again and again is offered after 0.1 s, doubling up to 5 s, and at once after a good end."""
    bus, loop = await engine.open(), asyncio.get_running_loop()
    pauses = []
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        for _ in range(8):
            await holder.lease(HERE)
            await holder.leave(HERE, ValueError("again"))
            left = loop.time()
            await holder.lease(HERE)
            pauses.append(round(loop.time() - left, 3))
        await (await holder.lease(HERE)).commit(Step(0))
        await holder.leave(HERE, ValueError("once"))
        left = loop.time()
        await holder.lease(HERE)
        pauses.append(round(loop.time() - left, 3))
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 0.1]


async def test_old_records_go_once_consumed(engine: MemoryEngine) -> None:
    """Records older than their topic keeps them are forgotten, but none that its group has yet to take."""
    bus = await engine.open()
    lane = lane_of(HERE, bus)
    await bus.publish([record(n, lane, at=float(n)) for n in range(300)])
    await asyncio.sleep(8 * DAY)
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        taken = await take_all(await holder.lease(HERE), 200, engine.patience)
        await (await holder.lease(HERE)).commit(Step(taken[-1].offset + 1))
    await bus.publish([record(n, lane, at=8 * DAY) for n in range(300, 600)])
    assert [stored.key for stored in await everything(bus, RAW)] == [b"k%d" % n for n in range(200, 600)]
