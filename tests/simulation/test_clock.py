"""A wall clock that jumps while the pipeline runs: nothing is told or sent again, no poll is left out, no row expires."""

import asyncio

import pytest

from consumers.compile import compile_desks
from consumers.enricher import Enricher
from consumers.text.language import Languages
from consumers.watchlist.read import parse_watchlist
from consumers.zones.headings import load_headings
from consumers.zones.zoner import Zoner
from daemon.bus.topics import TOPICS
from daemon.clock import JUMP, WallClock
from daemon.feeds.jobs import PollJob, PollResult
from tests.simulation.test_lives import WATCHLIST
from tests.simulation.world import START, World
from tests.virtual import VirtualLoop

LASTS = JUMP - 60.0
BEFORE = 900.0


class Jumping(World):
    """Its wall clock is that of a machine whose time people set; it notes when each feed was polled (seconds of the loop)."""

    def __init__(self, seed: int, enricher: Enricher) -> None:
        super().__init__(seed, enricher, compile_desks(parse_watchlist(WATCHLIST, "test.yaml")))
        self.off = 0.0
        self.polls: dict[str, list[float]] = {feed: [] for feed in self.feeds}

    def start_clock(self) -> None:
        """To be called in the loop: what is measured from is the loop's time."""
        loop = asyncio.get_running_loop()
        self.clock = WallClock(lambda: START + self.off + loop.time(), loop.time)

    async def poll(self, job: PollJob) -> PollResult:
        self.polls[job.feed].append(asyncio.get_running_loop().time())
        return await super().poll(job)

    def rows(self) -> set[bytes]:
        """Keys of rows that live for days."""
        groups = [topic.group for topic in TOPICS.values() if topic.group]
        rows = [row.key for group in groups for place in self.store.places(group) for row in place.rows.scan()]
        return {key for key in rows if key.startswith((b"item/", b"article/", b"story", b"member", b"entry"))}


@pytest.fixture(scope="module")
def enricher() -> Enricher:
    return Enricher(Zoner(load_headings()), Languages())


async def story(world: Jumping, jump: float) -> None:
    """Articles come, the clock jumps for almost ten minutes, articles come, and it is put right again."""
    world.start_clock()
    loop = asyncio.get_running_loop()
    remembered: set[bytes] = set()

    def life() -> bool:
        now = loop.time()
        if len(world.published) < min(now / 200.0, 12):
            world.publish(world.chance.choice(list(world.feeds)))
        world.off = jump if BEFORE <= now < BEFORE + LASTS else 0.0
        if now % 60.0 < 0.5:
            rows = world.rows()
            remembered.update(rows if now < BEFORE else ())
            assert remembered <= rows
        return now > 3 * BEFORE and len(world.arrived()) == len(world.published)

    assert await world.live(life, longest=6 * BEFORE)


@pytest.fixture(scope="module")
def steady(enricher: Enricher) -> Jumping:
    """What comes of it when the clock does not jump."""
    return lived(0.0, enricher)


def lived(jump: float, enricher: Enricher) -> Jumping:
    world = Jumping(7, enricher)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story(world, jump))
        assert runner.run(world.dead()) == 0
    return world


@pytest.mark.parametrize("jump", [-3600.0, 86400.0, 315_360_000.0])
def test_a_jump_changes_nothing(jump: float, enricher: Enricher, steady: Jumping) -> None:
    """Clock jumps of -1 h, +1 d, +10 y, put right within ten minutes: every poll and every message is as without them."""
    jumped = lived(jump, enricher)
    assert len(jumped.arrived()) == len(jumped.published) == 12
    assert jumped.took == steady.took
    for feed, polls in steady.polls.items():
        assert jumped.polls[feed] == pytest.approx(polls, abs=0.01)
