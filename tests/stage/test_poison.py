"""Records that kill, hang or fill the dead letters: who is set aside, who passes, and when the hop stops."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

from daemon.bus.memory import MemoryBus
from daemon.bus.topics import partition_of
from daemon.stage.hop import Effects, Table
from daemon.stage.runner import Stage
from tests.stage.hops import Echo, record
from tests.stage.world import Killed, World, serve, virtually


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


def test_where_no_record_waits_none_is_suspected() -> None:
    """However often the process dies over an idle partition, what comes later is taken as ever, beside all other work."""
    taken: list[int] = []

    class Watching(Echo):
        def prepare(self, batch: Sequence[str]) -> Sequence[str]:
            taken.append(len(batch))
            return super().prepare(batch)

    async def story() -> None:
        world = World()
        for _ in range(6):
            bus = MemoryBus(world.store)
            running = asyncio.create_task(Stage(world.kit(Watching()), bus).run())
            await asyncio.sleep(5)
            bus.crash()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await asyncio.sleep(60)

        async def life(_stage: Stage[str, str]) -> None:
            await world.put("a", "b", "c")
            await world.until(3)

        await serve(world, world.kit(Watching()), life)
        assert taken == [3]

    virtually(story())
