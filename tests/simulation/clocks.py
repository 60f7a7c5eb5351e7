"""A machine whose clock is set, forward or back, for a while or for good: no poll is skipped, nothing is told late or again.

    an hour as usual ─ the clock is set ─ an hour ─ (set back again ─ an hour) ─ an hour        restarts between, or one life

Articles appear all the time. Their publishers agree with the clock that the service goes by.
"""

import asyncio
import random
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from alerts.channels.base import SendReason
from daemon.bus.topics import ALERTS
from daemon.messages.alert import Sent
from tests.simulation.laws import DOUBTFUL, judge
from tests.simulation.loop import SeededLoop, clocks_of
from tests.simulation.process import Process, Sense
from tests.simulation.world import JUMPS, Kind, World

HOUR: Final = 3600.0
LONGEST_PAUSE: Final = 180.0
"""Three times the feeds' interval, between two polls of one feed."""
LATEST: Final = 900.0
"""Seconds in which the last articles must have arrived: polled, grouped for 2 minutes, sent with some failures."""
_STOPPING: Final = 20.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`wrong`: what breaks the laws of `laws`, or came late. `pause`: the longest between two polls of a feed, in seconds."""

    jump: float
    published: int
    wrong: Sequence[str]
    repeats: int
    doubtful: int
    gave_up: int
    pause: float

    def check(self) -> None:
        assert (self.wrong, self.gave_up) == ([], 0), self
        assert self.pause < LONGEST_PAUSE, self


def play(seed: int | str, sense: Sense) -> Verdict:
    """One story. The seed draws the jump, whether it is taken back, and whether the service is restarted in between."""
    loop = SeededLoop(random.Random(f"loop.{seed}"))
    with clocks_of(loop), asyncio.Runner(loop_factory=lambda: loop) as runner:
        world = World(seed, Kind(steady=False, jumps=JUMPS), sense, loop)
        world.outside.unreachable = 0.0
        jump, story = _drawn(world)
        late = runner.run(story)
        return _verdict(world, jump, late + runner.run(judge(world)))


def _drawn(world: World) -> tuple[float, Coroutine[Any, Any, list[str]]]:
    jump, back, restart = world.chance.choice(JUMPS), world.chance.random() < 0.5, world.chance.random() < 0.5
    turns = (0.0, jump, -jump, 0.0) if back else (0.0, jump, 0.0)
    return jump, _lives(world, turns) if restart else _life(world, turns)


async def _lives(world: World, turns: tuple[float, ...]) -> list[str]:
    """A life an hour; the clock may also have been set while no process ran."""
    late: list[str] = []
    for turn in turns:
        asleep = world.chance.random() < 0.5
        world.jump(turn if asleep else 0.0)
        late += await _life(world, (0.0 if asleep else turn,))
    return late


async def _life(world: World, turns: tuple[float, ...]) -> list[str]:
    """What was not done in time at its end."""
    process = world.start()
    for turn in turns:
        await _publish(world, process, world.chance.uniform(0.0, HOUR / 4))
        world.jump(turn)
        await _publish(world, process, HOUR)
    end = world.loop.time() + LATEST
    while (late := world.unfinished()) and world.loop.time() < end:  # noqa: ASYNC110 - virtual time
        await asyncio.sleep(5.0)
    await process.stop(_STOPPING)
    return late


async def _publish(world: World, process: Process, seconds: float) -> None:
    """An article now and then, for so long."""
    end = world.loop.time() + seconds
    while (left := end - world.loop.time()) > 0:
        await asyncio.sleep(min(left, world.chance.uniform(1.0, HOUR / 3)))
        world.press.write(process.clock.now())


def _verdict(world: World, jump: float, wrong: Sequence[str]) -> Verdict:
    reasons = [entry.reason for entry in world.messages(ALERTS) if isinstance(entry, Sent)]
    return Verdict(
        jump=jump,
        published=len(world.press.written),
        wrong=wrong,
        repeats=world.outside.took.total() - len(world.outside.took),
        doubtful=sum(reason in DOUBTFUL for reason in reasons),
        gave_up=reasons.count(SendReason.GAVE_UP),
        pause=max(later - earlier for polls in world.outside.polled.values() for earlier, later in pairwise(polls)),
    )
