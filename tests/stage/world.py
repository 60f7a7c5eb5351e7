"""A store, a hop and virtual time for the runner's tests, and what was observed."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from daemon.bus.memory import MemoryBus, MemoryStore
from daemon.clock import LoopClock
from daemon.messages.dead import DeadLetter
from daemon.messages.wire import decode as decode_message
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
        runner.get_loop().set_exception_handler(_unless_killed)
        runner.run(story)


def _unless_killed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Nobody looks after the tasks of a process that was killed."""
    if not isinstance(context.get("exception"), Killed):
        loop.default_exception_handler(context)
