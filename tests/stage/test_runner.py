"""The runner on the memory bus, in virtual time: nothing lost, nothing doubled, whatever dies or is slow."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import pytest

from daemon.bus.base import Record
from daemon.bus.memory import MemoryBus, MemoryStore
from daemon.bus.topics import partition_of
from daemon.clock import LoopClock
from daemon.messages.dead import DeadLetter
from daemon.messages.wire import decode as decode_message
from daemon.stage.hop import Effects, Table, Time
from daemon.stage.partition import Kit, Limits
from daemon.stage.runner import Stage
from tests.stage.hops import Echo, decode, record
from tests.virtual import VirtualLoop


class Killed(BaseException):
    """Stands in for kill -9 in the middle of a decision: nothing of the runner may handle it."""


class World:
    """A store, and the counts of what was observed."""

    def __init__(self, partitions: int = 1) -> None:
        self.clock = LoopClock(1000.0)
        self.store = MemoryStore(partitions=partitions, clock=self.clock)
        self.counts: dict[str, float] = {}

    def observe(self, name: str, labels: Mapping[str, str] | None = None, amount: float = 1.0) -> None:
        self.counts[name] = self.counts.get(name, 0.0) + amount

    def kit(self, hop: Echo, work: Callable[[object], Awaitable[object]] | None = None, **limits: float) -> Kit[str, str]:
        return Kit(hop, "in", decode, self.clock, self.observe, work=work, limits=Limits(**limits))  # type: ignore[arg-type]

    async def put(self, *texts: str) -> None:
        for text in texts:
            self.store.append([record(text, self.clock.now(), lane=text)])

    async def texts(self, topic: str = "out") -> list[str]:
        return [(entry.value or b"").decode() async for entry in MemoryBus(self.store).read(topic)]

    async def dead(self) -> list[DeadLetter]:
        letters = [decode_message(entry.value) async for entry in MemoryBus(self.store).read("deadletter")]
        return [letter for letter in letters if isinstance(letter, DeadLetter)]

    async def until(self, count: int, topic: str = "out") -> list[str]:
        async with asyncio.timeout(600):
            while len(texts := await self.texts(topic)) < count:  # noqa: ASYNC110 - virtual time
                await asyncio.sleep(0.01)
        return texts


async def serve(world: World, kit: Kit[str, str], life: Callable[[Stage[str, str]], Awaitable[None]]) -> Stage[str, str]:
    """Run a stage while `life` goes on, then stop it in good order."""
    async with MemoryBus(world.store) as bus:
        stage = Stage(kit, bus)
        running = asyncio.create_task(stage.run())
        await life(stage)
        stage.stop()
        await running
    return stage


def virtually(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story)


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


class Deadly(Echo):
    """Kills its process at the text `deadly`: its bus is a crashed one then, and nothing else of it goes on."""

    def __init__(self, bus: MemoryBus) -> None:
        super().__init__()
        self.died = asyncio.Event()
        self._bus = bus

    def decide(self, item: str, table: Table, now: float) -> Effects:
        if item == "DEADLY":
            self._bus.crash()
            self.died.set()
            raise Killed
        return super().decide(item, table, now)


def test_a_record_that_kills_the_process_is_set_aside() -> None:
    """Three opens without a commit, then steps of one: the killer becomes a dead letter, its neighbours pass once."""

    async def live(world: World) -> bool:
        """One life of the process; whether it was killed."""
        async with MemoryBus(world.store) as bus:
            hop = Deadly(bus)
            running = asyncio.create_task(Stage(world.kit(hop), bus).run())
            ends = [asyncio.create_task(hop.died.wait()), asyncio.create_task(world.until(4))]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in (running, *ends):
                task.cancel()
            await asyncio.wait({running, *ends})
            return hop.died.is_set()

    async def story() -> None:
        world = World()
        await world.put("a", "b", "deadly", "c", "d")
        deaths = 0
        while await live(world):
            deaths += 1
            assert deaths < 10
        assert await world.texts() == ["A", "B", "C", "D"]
        assert [letter.reason for letter in await world.dead()] == ["killer"]
        assert deaths == 5

    virtually(story())


class OneThread(Executor):
    """Does one thing after another; at the text `hang` it never comes to an end, and so never to what is behind it."""

    def __init__(self) -> None:
        self.hanging = asyncio.Event()

    def submit(self, work: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if any("hang" in batch for batch in args):
            self.hanging.set()
        if not self.hanging.is_set():
            future.set_result(work(*args))
        return future


def test_only_what_is_handled_when_the_process_dies_is_to_blame() -> None:
    """Of the suspects of all partitions one at a time is tried: those that waited behind a killer pass."""

    async def live(world: World) -> bool:
        """One life of the process; whether it hung, and was killed for it."""
        async with MemoryBus(world.store) as bus:
            thread = OneThread()
            running = asyncio.create_task(Stage(replace(world.kit(Echo()), executor=thread), bus).run())
            ends = [asyncio.create_task(thread.hanging.wait()), asyncio.create_task(world.until(3))]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(1)  # virtual: until everyone waits
            bus.crash()
            for task in (running, *ends):
                task.cancel()
            await asyncio.wait({running, *ends})
            return thread.hanging.is_set()

    async def story() -> None:
        world = World(partitions=4)
        for lane, text in enumerate(("hang", "a", "b", "c")):
            place = next(name for name in map(str, range(100)) if partition_of(name, 4) == lane)
            world.store.append([record(text, world.clock.now(), lane=place)])
        deaths = 0
        while await live(world):
            deaths += 1
            assert deaths < 10
        assert sorted(await world.texts()) == ["A", "B", "C"]
        assert [(letter.reason, letter.partition) for letter in await world.dead()] == [("killer", 0)]

    virtually(story())


def test_a_hop_stops_rather_than_drain_the_stream() -> None:
    """When dead letters become the rule, the hop stops and says so; what it has not committed stays in its topic."""

    async def story() -> None:
        world = World()
        await world.put(*(f"boom {number}" for number in range(100)))

        async def life(stage: Stage[str, str]) -> None:
            async with asyncio.timeout(600):
                while stage.stopped is None:  # noqa: ASYNC110 - virtual time
                    await asyncio.sleep(1)

        stage = await serve(world, world.kit(Echo(), records=10), life)
        assert stage.stopped is not None
        assert "could not be handled" in stage.stopped
        assert len(await world.dead()) <= 20

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
