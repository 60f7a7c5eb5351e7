"""Many short lives of the whole pipeline: whatever is killed when, nothing is lost and nothing told twice."""

import asyncio
from collections import Counter

import pytest

from consumers.compile import Compiled
from consumers.enricher import Enricher
from daemon.messages.alert import Delivery, Told
from tests.simulation.world import World, understand
from tests.virtual import VirtualLoop

WATCHLIST = """
desk: test
actors:
  - {id: jane-roe, names: Jane Roe, severity: high}
"""


@pytest.fixture(scope="module")
def understanding() -> tuple[Enricher, Compiled]:
    """Models and automata are the same in every life: built once."""
    return understand(WATCHLIST)


async def story(world: World, lives: int) -> None:
    """Articles appear in life after life, each killed at some instant; the last one is left to finish."""
    for _ in range(lives):
        for _ in range(world.chance.randrange(3)):
            world.publish(world.chance.choice(list(world.feeds)))
        await world.live(lambda: False, longest=world.chance.uniform(0.05, 90.0))
    finished = await world.live(lambda: len(world.arrived()) == len(world.published), longest=3 * 3600.0)
    assert finished, f"after all kills: {len(world.arrived())} of {len(world.published)} arrived"


@pytest.mark.parametrize("seed", range(12))
def test_kills_lose_nothing_and_double_nothing(seed: int, understanding: tuple[Enricher, Compiled]) -> None:
    """Each article published is one finding told once; repeats at the edge are at most what was doubtful and counted."""
    world = World(seed, *understanding)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story(world, lives=15))
        outcomes, sent = runner.run(world.outcomes()), runner.run(world.sent())
        assert runner.run(world.dead()) == 0
    told = Counter(outcome.url for outcome in outcomes if outcome.outcome is Told.TOLD)
    assert told == Counter(item.link for item in world.published)
    arrived = Counter(entry.message for entry in sent if entry.outcome is Delivery.DELIVERED)
    assert set(arrived.values()) <= {1}
    assert len(arrived) == len(world.published)
    repeats = sum(world.took.values()) - len(world.took)
    doubtful = sum(entry.doubtful for entry in sent)
    assert repeats <= doubtful
