"""What happens in a made-up world: many short lives, and at last one in good weather that is left to finish."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, Final

from tests.simulation.bus import Weather
from tests.simulation.loop import SeededLoop, clocks_of
from tests.simulation.process import Process, Sense
from tests.simulation.world import World, kind_of

ENOUGH: Final = 1800.0
"""Seconds in which the last process must have finished, besides what jumps of the clock set back."""
STOPPING: Final = 20.0
_CALM: Final = Weather(slowest=0.05)
_WEATHERS: Final = (
    Weather(),
    Weather(slowest=0.4, deadly=20),
    Weather(slowest=0.8, failing=20, deadly=10),
    Weather(slowest=0.8, failing=100, deadly=40),
)


async def _happen(world: World, moments: int) -> None:
    for _ in range(moments):
        world.weather = world.chance.choice(_WEATHERS)
        for _ in range(world.chance.randrange(3)):
            world.chance.choices(
                (
                    lambda: world.press.write(world.now()),
                    lambda: world.press.copy(world.now()),
                    world.press.syndicate,
                    world.press.edit,
                    world.poison,
                ),
                (8, 4, 2, 4, 1),
            )[0]()
        await _befall(world)
        await asyncio.sleep(world.chance.choice((1.0, 20.0, 90.0)) * world.chance.random())


async def _befall(world: World) -> None:
    """Something that happens to a process, or to the clock."""
    living = world.living()
    if len(living) < 1 + world.chance.randrange(3):
        world.start()
    elif world.kind.outages and world.chance.random() < 0.1:
        for process in living:
            process.kill()
        await asyncio.sleep(world.chance.choice(world.kind.outages))
    elif world.kind.jumps and world.chance.random() < 0.1:
        world.jump(world.chance.choice(world.kind.jumps))
    else:
        process = world.chance.choice(living)
        fate = world.chance.random()
        if fate < 0.6:
            process.kill()
        elif fate < 0.75:
            await process.stop(STOPPING)
        elif not world.kind.steady:
            await _freeze(world, process)


async def _freeze(world: World, process: Process) -> None:
    """Frozen for a while; the others go on. If it was missed meanwhile, it is a zombie when it wakes, and notices later."""
    process.freeze()
    await asyncio.sleep(world.chance.uniform(0.1, 10.0))
    missed = world.chance.random() < 0.8
    if missed:
        process.miss()
        if len(world.living()) == 1:
            world.start()
        await asyncio.sleep(world.chance.uniform(0.1, 60.0))
    process.thaw()
    world.zombies += missed
    if missed:
        await asyncio.sleep(world.chance.uniform(0.0, 20.0))
        process.rejoin()


async def _finish(world: World) -> list[str]:
    """All is well from now on: one process must bring everything to its end."""
    world.weather, world.outside.calm = _CALM, True
    for process in world.living():
        process.kill()
    last = world.start()
    loop = asyncio.get_running_loop()
    end = loop.time() + ENOUGH - sum(jump for jump in world.jumps if jump < 0)
    while (unfinished := world.unfinished()) and loop.time() < end:
        await asyncio.sleep(5.0)
        last = world.start() if last.ended else last
    await last.stop(STOPPING)
    return [f"never finished: {what}" for what in unfinished[:5]]


def live(
    seed: int, sense: Sense, judge: Callable[[World], Coroutine[Any, Any, list[str]]], moments: int = 24
) -> tuple[World, list[str]]:
    """One world from beginning to end, and what was wrong with it."""
    loop = SeededLoop(random.Random(~seed))
    with clocks_of(loop), asyncio.Runner(loop_factory=lambda: loop) as runner:
        world = World(seed, kind_of(seed), sense, loop)
        try:
            runner.run(_happen(world, moments))
            wrong = runner.run(_finish(world))
            wrong += runner.run(judge(world))
        finally:
            loop.thaw_all()
    return world, wrong
