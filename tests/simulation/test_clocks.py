"""The clock is set, by −1 h, +1 d or +10 y: for less than ten minutes, for a while, or for good."""

import asyncio
import random

import pytest

from daemon.bus.topics import TOPICS
from daemon.clock import JUMP
from tests.simulation.clocks import play
from tests.simulation.laws import judge
from tests.simulation.loop import SeededLoop, clocks_of
from tests.simulation.process import Sense
from tests.simulation.sense import make_sense
from tests.simulation.world import JUMPS, Kind, World

LASTS = JUMP - 60.0
BEFORE = 900.0


@pytest.fixture(scope="module")
def sense() -> Sense:
    return make_sense()


@pytest.fixture(scope="module")
def steady(sense: Sense) -> World:
    """What comes of it when the clock does not jump."""
    return lived(0.0, sense)


def lived(jump: float, sense: Sense) -> World:
    """Articles come, the clock jumps for almost ten minutes, articles come, and it is put right again."""
    loop = SeededLoop(random.Random(7))
    with clocks_of(loop), asyncio.Runner(loop_factory=lambda: loop) as runner:
        world = World(7, Kind(steady=True), sense, loop)
        runner.run(story(world, jump))
        assert runner.run(judge(world)) == []
    return world


async def story(world: World, jump: float) -> None:
    process = world.start()
    remembered: set[bytes] = set()
    start = world.offset
    for minute in range(60):
        now = 60.0 * minute
        if minute % 3 == 0 and minute < 36:
            world.press.write(start + now)
        world.offset = start + (jump if BEFORE <= now < BEFORE + LASTS else 0.0)
        await asyncio.sleep(60.0)
        remembered |= lasting(world) if now < BEFORE else set()
        assert remembered <= lasting(world)
    assert world.unfinished() == []
    await process.stop(20.0)


def lasting(world: World) -> set[bytes]:
    """Keys of rows that live for days."""
    groups = [topic.group for topic in TOPICS.values() if topic.group]
    rows = [row.key for group in groups for place in world.store.places(group) for row in place.rows.scan()]
    return {key for key in rows if key.startswith((b"item/", b"article/", b"story", b"member", b"entry"))}


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_changes_nothing(jump: float, sense: Sense, steady: World) -> None:
    """Clock jumps of -1 h, +1 d, +10 y, put right within ten minutes: every poll and every message is as without them."""
    jumped = lived(jump, sense)
    assert len(jumped.press.written) == 12
    assert jumped.outside.took == steady.outside.took
    for feed, polls in steady.outside.polled.items():
        assert jumped.outside.polled[feed] == pytest.approx(polls, abs=0.01)


@pytest.mark.parametrize("seed", range(8))
def test_a_clock_that_is_set(seed: int, sense: Sense) -> None:
    """No poll is skipped, no message comes late, twice or never, whatever the clock does and whenever the service starts."""
    play(seed, sense).check()
