"""A long history costs nothing but disk, and what commands append is noticed quickly."""

import gc
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import median
from typing import Final

import apsw
import pytest

from daemon.bus.base import Lease, Record, Row, Step
from daemon.bus.embedded import EmbeddedBus
from daemon.bus.topics import ARTICLES, RAW
from tests.bus.embedded_engine import EmbeddedEngine
from tests.bus.engine import GROUP, HERE, holding, lane_of, record, take_all

CACHES: Final = 2 * 17_000_000
"""SQLite's caches of reader and writer."""
NOTICED_WITHIN: Final = 3 * 0.25
"""Three times the promised 250 ms."""


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tmp_path, {"min_free": 0})
    yield engine
    await engine.end()


@pytest.fixture
def _traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def in_use() -> int:
    """Bytes that Python's objects and SQLite hold."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0] + apsw.memory_used()


async def live(bus: EmbeddedBus, lease: Lease, patience: float, batches: int) -> None:
    """So many times 100 records of 8 kB through a hop, which keeps the same ten rows."""
    lane = lane_of(HERE, bus)
    for _ in range(batches):
        await bus.publish([Record(RAW, lane, b"%d" % number, bytes(8000), 1.0) for number in range(100)])
        taken = await take_all(lease, 100, patience)
        out = [Record(ARTICLES, one.lane, one.key, one.value, one.at) for one in taken]
        rows = [Row(lane, b"%d" % (number % 10), b"seen", 1.0) for number in range(100)]
        await lease.commit(Step(taken[-1].offset + 1, out, rows))


@pytest.mark.usefixtures("_traced")
async def test_memory_does_not_grow_with_history(engine: EmbeddedEngine) -> None:
    """Once its caches are full the bus holds no more, however long it goes on; one that opens upon that has caches, too."""
    bus = await engine.open()
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        lease = await holder.lease(HERE)
        await live(bus, lease, engine.patience, 25)
        before = in_use()
        await live(bus, lease, engine.patience, 50)
        grown = in_use() - before
    await engine.close(bus)
    size = engine.path.stat().st_size
    base = in_use()
    again = await engine.open()
    async with holding(again, RAW, GROUP, engine.patience) as holder:
        await live(again, await holder.lease(HERE), engine.patience, 1)
        opened = in_use() - base
    print(f"a history of {size} bytes: grown by {grown}, opened with {opened}")  # noqa: T201 - the figures
    assert size > 3 * CACHES
    assert grown < 3_000_000
    assert opened < CACHES + 3_000_000


async def test_what_a_command_appends_is_noticed_soon(engine: EmbeddedEngine) -> None:
    """Within 250 ms on an idle machine: here three times that, and what this machine takes for the service's own records."""
    bus = await engine.open()
    beside = await engine.open(service=False)
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        lease = await holder.lease(HERE)
        took: dict[EmbeddedBus, list[float]] = {bus: [], beside: []}
        for number in range(10):
            for by, times in took.items():
                await by.publish([record(number, lane_of(HERE, bus))])
                began = time.perf_counter()
                await take_all(lease, 1, engine.patience)
                times.append(time.perf_counter() - began)
    print(f"noticed after {median(took[beside]):.3f} s, own after {median(took[bus]):.3f} s")  # noqa: T201 - the figures
    assert median(took[beside]) < NOTICED_WITHIN + 3 * median(took[bus])
