"""A row of a newer version stops the hop that meets it, and is no record's fault."""

import asyncio

import pytest

from daemon.bus.base import Row
from daemon.bus.memory import MemoryBus
from daemon.errors import NewerRow
from daemon.stage.hop import Effects, Table, Time
from daemon.stage.poison import KILLS, OPENS_KEY
from daemon.stage.runner import Stage
from daemon.stage.step import TIME_KEY
from tests.stage.hops import Echo
from tests.stage.world import World

pytestmark = pytest.mark.virtual_time
STARTS = 4 * KILLS


class Older(Echo):
    """Meets a newer row at one of the places where hops read rows."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    def decide(self, item: str, table: Table, now: float) -> Effects:
        self._meet("decide")
        return super().decide(item, table, now)

    def wake(self, row: Row, table: Table, now: float) -> Effects:
        self._meet("wake")
        return super().wake(row, table, now)

    def done(self, key: bytes, result: object, table: Table, now: float) -> Effects:
        self._meet("done")
        return super().done(key, result, table, now)

    def reconcile(self, partition: int, partitions: int, table: Table, now: float) -> Effects:
        self._meet("reconcile")
        return super().reconcile(partition, partitions, table, now)

    def _meet(self, where: str) -> None:
        if where == self._where:
            raise NewerRow("the row b'count'", 2)


async def answer(job: object) -> object:
    return job


@pytest.mark.parametrize("where", ["decide", "wake", "done", "reconcile"])
async def test_it_ends_the_hop_and_condemns_no_record(where: str) -> None:
    """However often the older version is started, no record is set aside; the newer one then does everything, once."""
    world = World()
    await world.put("a", "work b", "c")
    for _ in range(STARTS):
        with pytest.raises(NewerRow, match="echo, partition 0: the row b'count' has format 2 of a newer version"):
            async with asyncio.timeout(600):
                await Stage(world.kit(Older(where), answer), MemoryBus(world.store)).run()
    newer = Stage(world.kit(Echo(), answer), MemoryBus(world.store))
    running = asyncio.create_task(newer.run())
    assert sorted(await world.until(3)) == ["A", "C", "work/B gave B"]
    newer.stop()
    await running
    assert await world.dead() == []


@pytest.mark.parametrize(("key", "time"), [(OPENS_KEY, Time.WALL), (TIME_KEY, Time.RECORDS)])
async def test_the_runners_own_rows(key: bytes, time: Time) -> None:
    """Rows of the runner in another shape end the hop with a sentence, too."""
    world = World()
    await world.put("a")
    world.store.places("echo")[0].rows.apply([Row("", key, b"{}")])
    with pytest.raises(NewerRow, match="has format unknown of a newer version of Rasid"):
        async with asyncio.timeout(600):
            await Stage(world.kit(Echo(time=time)), MemoryBus(world.store)).run()
    assert await world.texts() == []
