"""The runner on the memory bus, in virtual time: nothing lost, nothing doubled, whatever dies or is slow."""

import asyncio
from dataclasses import replace

import pytest

from daemon.bus.base import Record
from daemon.bus.memory import MemoryBus
from daemon.clock import LoopClock
from daemon.stage.hop import Effects, Table, Time
from daemon.stage.runner import Stage
from tests.stage.hops import Echo, record
from tests.stage.world import World, serve, virtually


def test_records_pass_once_over_several_lives() -> None:
    """A stop in good order and a new start: every record once, none again."""

    async def story() -> None:
        world = World(partitions=3)
        await world.put(*(f"a{number}" for number in range(50)))

        async def life(_stage: Stage[str, str]) -> None:
            await world.until(50)

        await serve(world, world.kit(Echo(), records=7), life)
        await world.put("b")

        async def second(_stage: Stage[str, str]) -> None:
            await world.until(51)

        await serve(world, world.kit(Echo(), records=7), second)
        assert sorted(await world.texts()) == sorted([f"A{number}" for number in range(50)] + ["B"])
        assert world.counts["rasid_articles_total"] == 51

    virtually(story())


def test_a_record_that_raises_is_set_aside_and_the_partition_moves_on() -> None:
    """Undecodable, unpreparable and raising records are dead letters; their neighbours pass."""

    async def story() -> None:
        world = World()
        await world.put("one", "boom", "unready", "two")
        world.store.append([Record("in", "x", b"bad", b"\xff", 1.0)])
        await world.put("three")

        async def life(_stage: Stage[str, str]) -> None:
            await world.until(3)

        await serve(world, world.kit(Echo()), life)
        assert await world.texts() == ["ONE", "TWO", "THREE"]
        assert [letter.reason for letter in await world.dead()] == ["raised", "raised", "undecodable"]

    virtually(story())


def test_work_starts_after_its_step_and_its_result_is_a_step() -> None:
    """The row that asked is committed before the work begins; the answer comes to `done` and is published."""

    async def story() -> None:
        world = World()
        await world.put("work x", "one")
        rows_at_start: list[bytes] = []

        async def work(job: object) -> object:
            rows_at_start.extend([row.key async for row in MemoryBus(world.store).state("echo")])
            await asyncio.sleep(30)
            return f"answer to {job}"

        async def life(_stage: Stage[str, str]) -> None:
            await world.until(2)

        await serve(world, world.kit(Echo(), work), life)
        assert b"work/X" in rows_at_start
        assert await world.texts() == ["ONE", "work/X gave answer to X"]

    virtually(story())


def test_work_that_raises_is_told_to_the_hop() -> None:
    """A worker's bug is a result of its own kind, not an end of the hop."""

    async def story() -> None:
        world = World()
        await world.put("work x")

        async def work(_job: object) -> object:
            raise RuntimeError("a bug")

        async def life(_stage: Stage[str, str]) -> None:
            await world.until(1)

        await serve(world, world.kit(Echo(), work), life)
        assert await world.texts() == ["work/X gave Failed(error='RuntimeError: a bug')"]

    virtually(story())


def test_slow_work_blocks_no_lane() -> None:
    """Records go on passing while work outside takes its time."""

    async def story() -> None:
        world = World()

        async def work(_job: object) -> object:
            await asyncio.sleep(3600)
            return None

        async def life(_stage: Stage[str, str]) -> None:
            await world.put("work x")
            await world.put(*(f"n{number}" for number in range(20)))
            started = world.clock.now()
            await world.until(20)
            assert world.clock.now() - started < 60

        await serve(world, world.kit(Echo(), work, patience=1.0), life)

    virtually(story())


@pytest.mark.parametrize("seconds", [3.0, 20.0])
def test_leaving_waits_for_work_in_flight_but_not_for_ever(seconds: float) -> None:
    """Results that come within 8 s of leaving are committed; later ones are dropped with their lease."""

    async def story() -> None:
        world = World()
        begun = asyncio.Event()

        async def work(_job: object) -> object:
            begun.set()
            await asyncio.sleep(seconds)
            return "late"

        async def life(_stage: Stage[str, str]) -> None:
            await world.put("work x")
            await begun.wait()

        started = world.clock.now()
        await serve(world, world.kit(Echo(), work), life)
        assert world.clock.now() - started < 10
        assert await world.texts() == (["work/X gave late"] if seconds < 8 else [])

    virtually(story())


def test_timers_survive_a_restart() -> None:
    """Restoring the rows restores the timers."""

    async def story() -> None:
        world = World()
        await world.put("timer 1500")

        async def first(_stage: Stage[str, str]) -> None:
            while not [row async for row in MemoryBus(world.store).state("echo") if row.key.startswith(b"timer")]:  # noqa: ASYNC110 - virtual time
                await asyncio.sleep(0.01)

        async def second(_stage: Stage[str, str]) -> None:
            await world.until(1)

        await serve(world, world.kit(Echo()), first)
        await serve(world, world.kit(Echo()), second)
        assert await world.texts() == ["timer/1500 at 1500"]

    virtually(story())


class Coarse(LoopClock):
    """Goes on a little with every look, and a little slower than the loop's timers: as clocks do beside a real loop's."""

    def __init__(self, start: float) -> None:
        super().__init__(start)
        self._looks = 0

    def now(self) -> float:
        self._looks += 1
        return super().now() - 1e-4 * asyncio.get_running_loop().time() + 3e-5 * self._looks


def test_a_wake_between_two_looks_at_the_clock_is_not_missed() -> None:
    """A row that falls due after a step looked for due rows and before the lease goes to wait is woken at once."""

    async def story() -> None:
        world, count = World(), 40
        await world.put(*(f"timer {1001 + number}" for number in range(count)))

        async def life(_stage: Stage[str, str]) -> None:
            await world.until(count)

        await serve(world, replace(world.kit(Echo()), clock=Coarse(1000.0)), life)
        fired = [text.removeprefix("timer/").split(" at ") for text in await world.texts()]
        assert [(due, late) for due, at in fired if (late := float(at) - float(due)) > 0.5] == []

    virtually(story())


def test_a_record_driven_hop_that_is_behind_keeps_the_records_time() -> None:
    """After an outage, timers fire where they stood among the records, not all at once by the wall."""

    async def story() -> None:
        world = World()
        await asyncio.sleep(10_000)
        old = [record("timer 20", 10.0), record("a", 15.0), record("b", 30.0), record("timer 40", 35.0)]
        world.store.append(old)

        async def life(_stage: Stage[str, str]) -> None:
            await world.until(4)

        await serve(world, world.kit(Echo(time=Time.RECORDS), records=1), life)
        assert await world.texts() == ["A", "timer/20 at 20", "B", "timer/40 at 40"]

    virtually(story())


def test_reconcile_runs_on_open_and_on_reload() -> None:
    """A hop brings its rows in line when a lease opens and whenever configuration was reloaded."""
    calls: list[int] = []

    class Reconciling(Echo):
        def reconcile(self, partition: int, partitions: int, table: Table, now: float) -> Effects:
            calls.append(partition)
            return super().reconcile(partition, partitions, table, now)

    async def story() -> None:
        world = World(partitions=2)

        async def life(stage: Stage[str, str]) -> None:
            await asyncio.sleep(1)
            assert sorted(calls) == [0, 1]
            stage.reconcile()
            await asyncio.sleep(1)

        await serve(world, world.kit(Reconciling()), life)
        assert sorted(calls) == [0, 0, 1, 1]

    virtually(story())


def test_a_reconcile_that_raised_is_tried_again() -> None:
    """What kept the rows from being brought in line may be over a minute later; until then everything else goes on."""
    calls: list[float] = []

    async def story() -> None:
        world = World()

        class Failing(Echo):
            def reconcile(self, partition: int, partitions: int, table: Table, now: float) -> Effects:
                calls.append(now)
                if len(calls) == 1:
                    raise RuntimeError("not now")
                return super().reconcile(partition, partitions, table, now)

        async def life(_stage: Stage[str, str]) -> None:
            await world.put("a")
            await world.until(1)
            await asyncio.sleep(100)

        await serve(world, world.kit(Failing()), life)
        assert len(calls) == 2
        assert calls[1] - calls[0] == pytest.approx(60.0, abs=1.0)

    virtually(story())
