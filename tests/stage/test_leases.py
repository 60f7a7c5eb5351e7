"""Leases that are lost, taken back or broken under the runner: what was not committed happened not at all, and all goes on."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from daemon.bus.base import Lease, Record, Row, Rows, Step
from daemon.bus.memory import MemoryBus
from daemon.errors import BusError, Lost, TooLarge
from daemon.stage.runner import Stage
from tests.stage.hops import Echo
from tests.stage.world import World, serve, virtually


class FailingLease:
    """Another lease, but for what `FailingBus.commit_fails` raises."""

    def __init__(self, lease: Lease, bus: "FailingBus") -> None:
        self._lease = lease
        self._bus = bus
        self.partition, self.partitions, self.position = lease.partition, lease.partitions, lease.position
        self.rows: Rows = lease.rows
        self.leaving = lease.leaving

    async def take(self, limit: int) -> Sequence[Record]:
        return await self._lease.take(limit)

    def lag(self) -> int:
        return self._lease.lag()

    async def commit(self, step: Step) -> None:
        if step.next_offset is not None and self._bus.failures:
            raise self._bus.failures.pop(0)
        await self._lease.commit(step)


class FailingBus(MemoryBus):
    """The memory bus, whose commits of a position raise what stands in `failures`, one after the other."""

    failures: list[Exception]

    async def leases(self, topic: str, group: str) -> AsyncGenerator[AbstractAsyncContextManager[Lease], None]:
        async for offer in super().leases(topic, group):
            yield self._failing(offer)

    @asynccontextmanager
    async def _failing(self, offer: AbstractAsyncContextManager[Lease]) -> AsyncIterator[Lease]:
        async with offer as lease:
            yield FailingLease(lease, self)


async def over(world: World, failures: Sequence[Exception], hop: Echo) -> None:
    """Run the hop on a failing bus until it has published three texts."""
    bus = FailingBus(world.store)
    bus.failures = list(failures)
    async with bus:
        stage = Stage(world.kit(hop), bus)
        running = asyncio.create_task(stage.run())
        await world.until(3)
        stage.stop()
        await running


@pytest.mark.parametrize("error", [Lost("fenced"), BusError("no answer in time"), RuntimeError("a bug of an engine")])
def test_a_step_that_was_not_committed_happened_not_at_all(error: Exception) -> None:
    """After a commit that failed, in whatever way, the lease is opened again and its records pass once."""

    async def story() -> None:
        world = World()
        await world.put("a", "b", "c")
        await over(world, [error] * 2, Echo())
        assert await world.texts() == ["A", "B", "C"]
        assert world.counts["rasid_articles_total"] == 3
        assert world.counts["rasid_leases_lost_total"] == 2

    virtually(story())


@pytest.mark.parametrize("error", [Lost("fenced"), BusError("no answer in time")])
def test_trouble_of_the_bus_is_no_records_fault(error: Exception) -> None:
    """However often the bus fails at one offset, no record becomes a suspect, none is set aside."""

    async def story() -> None:
        world = World()
        await world.put("a", "b", "c")
        await over(world, [error] * 20, Echo())
        assert await world.texts() == ["A", "B", "C"]
        assert await world.dead() == []

    virtually(story())


def test_a_step_too_large_for_the_bus_is_tried_one_by_one() -> None:
    """Its opens count: at the third the records are stepped alone, and pass."""

    async def story() -> None:
        world = World()
        await world.put("a", "b", "c")
        taken: list[int] = []

        class Watching(Echo):
            def prepare(self, batch: Sequence[str]) -> Sequence[str]:
                taken.append(len(batch))
                return super().prepare(batch)

        await over(world, [TooLarge("9 MB are too many")] * 2, Watching())
        assert taken == [3, 3, 1, 1, 1]
        assert await world.texts() == ["A", "B", "C"]

    virtually(story())


async def troubles(failures: Sequence[Exception]) -> list[str | None]:
    """What the stage said was wrong, looked at again and again until the record has passed; the last is of after that."""
    world = World()
    bus = FailingBus(world.store)
    bus.failures = list(failures)
    async with bus:
        stage = Stage(world.kit(Echo()), bus)
        running = asyncio.create_task(stage.run())
        await world.put("a")
        seen = []
        while not await world.texts():
            seen.append(stage.trouble)
            await asyncio.sleep(0.001)
        seen.append(stage.trouble)
        stage.stop()
        await running
    return seen


def test_trouble_is_said_and_forgiven() -> None:
    """A partition that broke is trouble until those that are held have committed again."""

    async def story() -> None:
        seen = await troubles([RuntimeError("a bug of an engine")])
        assert "a partition broke: RuntimeError" in seen
        assert seen[-1] is None

    virtually(story())


def test_a_partition_that_gets_nowhere_is_said() -> None:
    """Errors of the bus that follow each other without a commit are trouble of the hop, in one sentence, until one succeeds."""

    async def story() -> None:
        seen = await troubles([BusError("there is no such topic", subject="matches")] * 5)
        assert (seen[0], seen[-1]) == (None, None)
        assert seen[-2] == "partition 0 gets nowhere: matches: there is no such topic"

    virtually(story())


def test_the_answer_to_work_of_a_lost_lease_is_dropped() -> None:
    """Work that outlives its lease tells nobody; the heir of the lease starts it again, and only that answer counts."""

    async def story() -> None:
        world = World()
        await world.put("work x")
        answers = iter(["of the zombie", "of the heir"])
        begun = [asyncio.Event(), asyncio.Event()]
        numbers = iter(range(2))

        async def work(_job: object) -> object:
            number = next(numbers)
            begun[number].set()
            await asyncio.sleep(5)
            return next(answers) if number else "of the zombie"

        first, second = MemoryBus(world.store), MemoryBus(world.store)
        zombie = asyncio.create_task(Stage(world.kit(Echo(), work), first).run())
        await begun[0].wait()
        first.crash()
        heir = Stage(world.kit(Echo(), work), second)
        running = asyncio.create_task(heir.run())
        next(answers)
        assert await world.until(1) == ["work/X gave of the heir"]
        await asyncio.sleep(60)
        assert await world.texts() == ["work/X gave of the heir"]
        heir.stop()
        await running
        zombie.cancel()
        await asyncio.gather(zombie, return_exceptions=True)

    virtually(story())


def test_a_lease_that_is_wanted_elsewhere_is_left_in_order() -> None:
    """When another process joins, one moves to it: what was in hand is committed first, and every record passes once."""

    async def story() -> None:
        world = World(partitions=4)
        await world.put(*(f"a{number}" for number in range(40)))
        buses = [MemoryBus(world.store) for _ in range(2)]
        stages = [Stage(world.kit(Echo(), records=1), bus) for bus in buses]
        running = [asyncio.create_task(stages[0].run())]
        await world.until(5)
        running.append(asyncio.create_task(stages[1].run()))
        await world.put(*(f"b{number}" for number in range(40)))
        assert len(await world.until(80)) == 80
        for stage in stages:
            stage.stop()
        await asyncio.gather(*running)
        assert len(set(await world.texts())) == 80
        assert world.counts.get("rasid_leases_lost_total", 0) == 0

    virtually(story())


def test_work_in_flight_is_bounded() -> None:
    """However many rows are due, no more than `in_flight` pieces of work are under way; all get their turn."""

    async def story() -> None:
        world = World()
        await world.put(*(f"work {number}" for number in range(30)))
        flying, most = 0, 0

        async def work(_job: object) -> object:
            nonlocal flying, most
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(1)
            flying -= 1
            return "done"

        async def life(_stage: Stage[str, str]) -> None:
            await world.until(30)

        await serve(world, world.kit(Echo(), work, in_flight=4), life)
        assert most == 4

    virtually(story())


class Broken(Executor):
    """A pool that died at its second piece of work, as a process pool says it, and is back for the fourth."""

    def __init__(self) -> None:
        self._pieces = 0

    def submit(self, work: Any, /, *args: Any, **_: Any) -> Future[Any]:
        self._pieces += 1
        future: Future[Any] = Future()
        if self._pieces in (2, 3):
            future.set_exception(BrokenProcessPool("a process of the pool was terminated abruptly"))
        else:
            future.set_result(work(*args))
        return future


def test_a_broken_pool_is_not_poison() -> None:
    """While what prepares records is broken the lease is left and opened again; no record is set aside or blamed for it."""

    async def story() -> None:
        world = World()

        async def life(_stage: Stage[str, str]) -> None:
            for count, text in enumerate("abc", 1):
                await world.put(text)
                await world.until(count)

        await serve(world, replace(world.kit(Echo()), executor=Broken()), life)
        assert await world.texts() == ["A", "B", "C"]
        assert await world.dead() == []

    virtually(story())


def test_a_pool_that_was_shut_down_is_not_poison() -> None:
    """Nor is an executor that takes nothing more: the records stay where they are."""

    async def story() -> None:
        world = World()
        await world.put("a")
        executor = ThreadPoolExecutor(1)
        executor.shutdown()

        async def life(stage: Stage[str, str]) -> None:
            while stage.trouble is None:  # noqa: ASYNC110 - virtual time
                await asyncio.sleep(0.01)
            assert stage.trouble == "a partition broke: ExecutorGone"

        await serve(world, replace(world.kit(Echo()), executor=executor), life)
        assert await world.texts() == []
        assert await world.dead() == []

    virtually(story())


def test_steps_are_counted() -> None:
    """Records in and out, rows set and removed, and the time of each step are counted once it has committed."""

    async def story() -> None:
        world = World()
        await world.put("a", "b")
        totals: dict[str, float] = {}

        def observe(name: str, labels: Any = None, amount: float = 1.0) -> None:
            key = name + (labels or {}).get("direction", "")
            totals[key] = totals.get(key, 0) + (1 if name.endswith("_seconds") else amount)

        async def life(_stage: Stage[str, str]) -> None:
            await world.until(2)

        await serve(world, replace(world.kit(Echo(), records=1), observe=observe), life)
        assert totals["rasid_hop_records_totalin"] == totals["rasid_hop_records_totalout"] == 2
        assert totals["rasid_hop_rows_total"] >= 2
        assert totals["rasid_hop_step_seconds"] >= 2

    virtually(story())


def test_rows_are_as_committed() -> None:
    """What an uncommitted step put into rows is not there when the lease opens again."""

    async def story() -> None:
        world = World()
        await world.put("a", "b", "c")
        await over(world, [Lost("fenced")] * 2, Echo())
        counts = [row async for row in MemoryBus(world.store).state("echo") if row.key == b"count"]
        assert counts == [Row("lane", b"count", b"3")]

    virtually(story())
