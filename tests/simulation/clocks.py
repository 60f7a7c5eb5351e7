"""A machine whose clock is set, forward or back, for a while or for good: no poll is skipped, nothing is told late or again.

    an hour as usual ─ the clock is set ─ an hour ─ (set back again ─ an hour) ─ an hour        restarts between, or one life

Articles appear all the time. Their publishers agree with the clock that the service goes by.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from consumers.compile import Compiled
from consumers.enricher import Enricher
from daemon.messages.alert import Delivery, Told
from tests.simulation.hands import Hands
from tests.simulation.plain import START, World
from tests.virtual import VirtualLoop

JUMPS: Final = (-3600.0, 86_400.0, 315_360_000.0)
WATCHLIST: Final = """
desk: test
actors:
  - {id: jane-roe, names: Jane Roe, severity: normal}
"""
HOUR: Final = 3600.0
LONGEST_PAUSE: Final = 180.0
"""Three times the feeds' interval, between two polls of one feed."""
LATEST: Final = 900.0
"""Seconds in which the last articles must have arrived: polled, grouped for 90 s, sent with some failures."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`pause`: the longest between two polls of a feed, in seconds. `dead`: messages given up."""

    jump: float
    published: int
    lost: int
    doubled: int
    repeats: int
    doubtful: int
    dead: int
    pause: float

    def check(self) -> None:
        assert (self.lost, self.doubled, self.dead) == (0, 0, 0), self
        assert self.repeats <= self.doubtful, self
        assert self.pause < LONGEST_PAUSE, self


def play(seed: str, understanding: tuple[Enricher, Compiled]) -> Verdict:
    """One story. The seed draws the jump, whether it is taken back, and whether the service is restarted in between."""
    hands = Hands(START)
    world = World(seed, *understanding, clock=hands)
    world.unreachable = 0.0
    jump, back, restart = world.chance.choice(JUMPS), world.chance.random() < 0.5, world.chance.random() < 0.5
    turns = (0.0, jump, -jump, 0.0) if back else (0.0, jump, 0.0)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(_lives(world, hands, turns) if restart else _life(world, hands, turns))
        return runner.run(_judge(world, jump))


async def _lives(world: World, hands: Hands, turns: tuple[float, ...]) -> None:
    """A life an hour; the clock may also have been set while no process ran."""
    for turn in turns:
        asleep = world.chance.random() < 0.5
        hands.turn(turn if asleep else 0.0)
        hands.restart()
        await _life(world, hands, (0.0 if asleep else turn,))


async def _life(world: World, hands: Hands, turns: tuple[float, ...]) -> None:
    async def events() -> None:
        for turn in turns:
            await _publish(world, world.chance.uniform(0.0, HOUR / 4))
            hands.turn(turn)
            await _publish(world, HOUR)
        while len(world.arrived()) < len(world.published):  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(1.0)

    happening = asyncio.create_task(events())
    await world.live(happening.done, len(turns) * 1.25 * HOUR + LATEST)
    happening.cancel()
    await asyncio.gather(happening, return_exceptions=True)


async def _publish(world: World, seconds: float) -> None:
    """An article now and then, for so long."""
    end = asyncio.get_running_loop().time() + seconds
    while (left := end - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(min(left, world.chance.uniform(1.0, HOUR / 3)))
        world.publish(world.chance.choice(list(world.feeds)))


async def _judge(world: World, jump: float) -> Verdict:
    sent = await world.sent()
    told = Counter(outcome.url for outcome in await world.outcomes() if outcome.outcome is Told.TOLD)
    arrived = Counter(entry.message for entry in sent if entry.outcome is Delivery.DELIVERED)
    return Verdict(
        jump=jump,
        published=len(world.published),
        lost=len({item.link for item in world.published} - told.keys()) + max(0, len(told) - len(arrived)),
        doubled=told.total() - len(told) + arrived.total() - len(arrived),
        repeats=world.took.total() - len(world.took),
        doubtful=sum(entry.doubtful for entry in sent),
        dead=sum(entry.outcome is Delivery.DEAD for entry in sent) + await world.dead(),
        pause=max(later - earlier for polls in world.polled.values() for earlier, later in pairwise(polls)),
    )
