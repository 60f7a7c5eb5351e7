"""A disk that fills up, and what is forgotten so that it does not."""

import asyncio
import math
import re
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from daemon.bus.base import Lease, Record, Row, Step
from daemon.bus.embedded import EmbeddedBus
from daemon.bus.embedded.retention import used_bytes
from daemon.bus.embedded.space import FreeSpace
from daemon.bus.topics import ALERTS, ARTICLES, DAY, RAW
from daemon.errors import BusError
from tests.bus.embedded_engine import EmbeddedEngine
from tests.bus.engine import GROUP, HERE, everything, holding, lane_of, record, state, take_all
from tests.disks import fill, small_disk

NOW = 100 * DAY


class FixedClock:
    """It is always `NOW`."""

    def now(self) -> float:
        return NOW


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tmp_path, {"clock": FixedClock(), "retention": {RAW: 7 * DAY, ARTICLES: math.inf}, "min_free": 0})
    yield engine
    await engine.end()


@pytest.fixture
async def cramped(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    """An engine with a disk of 6 MB to itself."""
    with small_disk(tmp_path / "disk", 6) as folder:
        engine = EmbeddedEngine(folder, {"min_free": 0})
        yield engine
        await engine.end()


async def write_until_full(bus: EmbeddedBus, lease: Lease) -> tuple[list[bytes], BusError]:
    """The keys acknowledged, and the error that ended it."""
    acknowledged: list[bytes] = []
    for number in range(2000):
        key = b"%d" % number
        big = Record(ARTICLES, "lane", key, bytes(50_000), 1.0)
        try:
            await (bus.publish([big]) if number % 2 else lease.commit(Step(number, [big], [Row("lane", key, b"v")])))
        except BusError as error:
            return acknowledged, error
        acknowledged.append(key)
    raise AssertionError("the disk is not small")


async def test_a_full_disk(cramped: EmbeddedEngine) -> None:
    """Commits fail for a while, nothing is half written or lost, and all resumes by itself once there is space."""
    ballast = fill(cramped.path.parent, 3_000_000)
    bus = await cramped.open()
    async with holding(bus, RAW, GROUP, cramped.patience) as holder:
        lease = await holder.lease(HERE)
        acknowledged, error = await write_until_full(bus, lease)
        assert len(acknowledged) > 10
        assert error.retry
        assert "disk is full" in error.reason
        assert "disk is full" in (bus.trouble() or "")
        ballast.unlink()
        async with asyncio.timeout(30):
            while bus.trouble() is not None:  # noqa: ASYNC110 - /readyz is looked at, too; nothing announces it
                await asyncio.sleep(0.05)
        await bus.publish([Record(ARTICLES, "lane", b"after", bytes(50_000), 1.0)])
        await lease.commit(Step(None, (), [Row("lane", b"after", b"v")]))
    stored = await everything(bus, ARTICLES)
    assert [one.key for one in stored] == [*acknowledged, b"after"]
    assert set(await state(bus)) == {key for key in acknowledged if int(key) % 2 == 0} | {b"after"}
    assert bus._shelf.reader.fetch("PRAGMA integrity_check") == [("ok",)]


async def test_a_full_disk_at_the_start(cramped: EmbeddedEngine) -> None:
    """A service that finds no space to begin with says so, and a later start works."""
    ballast = fill(cramped.path.parent, 0)
    with pytest.raises(BusError) as failed:
        await cramped.open()
    assert failed.value.retry
    ballast.unlink()
    assert (await cramped.open()).trouble() is None


async def test_the_floor_of_free_space(tmp_path: Path) -> None:
    """Below the floor the bus still works, and says that no more should be put onto it: where, how much is free, the floor."""
    engine = EmbeddedEngine(tmp_path, {"min_free": 1 << 60})
    bus = await engine.open()
    await bus.publish([record(1, "lane")])
    said = bus.trouble() or ""
    assert said.startswith(f"{tmp_path}: only ")
    assert re.search(rf"only \d+ bytes are free on the disk, and the floor is {1 << 60} ", said)
    await engine.end()


async def test_around_the_floor(tmp_path: Path) -> None:
    """Once below the floor, there must be a little more than it again: a disk about at its floor does not go back and forth."""
    with small_disk(tmp_path / "disk", 16) as folder:
        space = FreeSpace(folder, 4_000_000)
        assert space.trouble() is None
        for free, short in ((3_900_000, True), (4_050_000, True), (4_300_000, False), (4_050_000, False), (3_900_000, True)):
            ballast = fill(folder, free)
            assert (space.trouble() is not None) is short, free
            ballast.unlink()


async def test_a_folder_that_cannot_be_asked(tmp_path: Path) -> None:
    """What is gone is not called full, and nothing should be put there, whatever the floor."""
    for floor in (0, 1):
        said = FreeSpace(tmp_path / "nowhere", floor).trouble()
        assert said == f"{tmp_path / 'nowhere'}: how much space is free there cannot be told: No such file or directory"


async def test_one_failing_job_fails_alone(engine: EmbeddedEngine) -> None:
    """Of jobs committed together, one that breaks is undone alone; the others are written once."""
    bus = await engine.open()
    writer = bus._shelf.writer

    def broken(begun: object) -> None:
        raise ZeroDivisionError

    good = [bus.publish([record(n, "lane")]) for n in range(10)]
    bad = [writer.submit(broken), writer.submit(lambda begun: begun.db.execute("INSERT INTO nowhere VALUES (1)"))]
    results = await asyncio.gather(*good[:5], *bad, *good[5:], return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 5 + [ZeroDivisionError, BusError] + [type(None)] * 5
    assert sorted(stored.key for stored in await everything(bus, RAW)) == sorted(b"k%d" % n for n in range(10))
    assert bus.trouble() is None


async def test_retention_by_age(engine: EmbeddedEngine) -> None:
    """Consumed records older than their topic keeps them go; unconsumed ones, younger ones and rows stay."""
    bus = await engine.open()
    lane = lane_of(HERE, bus)
    await bus.publish([record(n, lane, at=NOW - 8 * DAY) for n in range(1500)])
    await bus.publish([record(n, lane, at=NOW - 6 * DAY) for n in range(1500, 1600)])
    await bus.publish([record(n, lane, ALERTS, at=NOW - 40 * DAY) for n in range(10)])
    sweeper = bus._sweeper
    assert sweeper is not None
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        lease = await holder.lease(HERE)
        taken = await take_all(lease, 1600, engine.patience)
        for consumed, left in ((0, 1600), (1200, 400), (1600, 100)):
            await lease.commit(Step(taken[0].offset + consumed, (), [Row(lane, b"row", b"v")]))
            await sweeper.sweep()
            assert [stored.key for stored in await everything(bus, RAW)] == [b"k%d" % n for n in range(1600 - left, 1600)]
        assert lease.rows.get(b"row") is not None
        await bus.publish([record(1600, lane, at=NOW)])
        assert [stored.offset for stored in await take_all(lease, 1, engine.patience)] == [taken[-1].offset + 1]
    assert await everything(bus, ALERTS) == []


@pytest.mark.parametrize("count", [1, 2, 1200])
async def test_records_from_the_future_keep_nothing(engine: EmbeddedEngine, count: int) -> None:
    """Records of a clock years ahead go with the first after them; those with none after them, or a young one, stay."""
    bus = await engine.open()
    assert bus._sweeper is not None
    future = [record(n, "lane", ALERTS, at=NOW + 3650 * DAY) for n in range(count)]
    old = [record(n, "lane", ALERTS, at=NOW - 40 * DAY) for n in range(count, 2 * count)]
    young = [record(9999, "lane", ALERTS, at=NOW - DAY)]
    for published, left in ((future, count), (old, 0), (future, count), (young, count + 1)):
        await bus.publish(published)
        await bus._sweeper.sweep()
        assert len(await everything(bus, ALERTS)) == left
    await bus.publish(old)
    await bus._sweeper.sweep()
    assert len(await everything(bus, ALERTS)) == 2 * count + 1


async def test_the_oldest_is_not_told_by_a_clock_ahead(tmp_path: Path) -> None:
    """Over the bound, what stands behind a record from the future goes as early as it would without."""
    engine = EmbeddedEngine(tmp_path, {"clock": FixedClock(), "max_bytes": 3_000_000, "min_free": 0})
    bus = await engine.open()
    assert bus._sweeper is not None
    for number, at in enumerate((NOW + 3650 * DAY, *[1.0] * 20)):
        await bus.publish([Record(ALERTS, lane_of(0, bus), b"old%d" % number, bytes(100_000), at)])
    await bus.publish([Record(ALERTS, lane_of(1, bus), b"new", bytes(100_000), 2.0) for _ in range(20)])
    await bus._sweeper.sweep()
    assert {stored.key for stored in await everything(bus, ALERTS)} == {b"new"}
    await engine.end()


async def test_what_no_hop_has_seen_stays(engine: EmbeddedEngine) -> None:
    """Records of a topic whose hop has never run here are kept, however old they are."""
    bus = await engine.open()
    await bus.publish([record(1, "lane", at=0.0)])
    assert bus._sweeper is not None
    await bus._sweeper.sweep()
    assert len(await everything(bus, RAW)) == 1


async def test_retention_by_bytes(tmp_path: Path) -> None:
    """Over the bound, the oldest go first, whatever their topic; what is yet to be consumed stays, and is reported."""
    engine = EmbeddedEngine(tmp_path, {"clock": FixedClock(), "max_bytes": 3_000_000, "min_free": 0})
    bus = await engine.open()
    lane = lane_of(HERE, bus)
    sweeper, reader = bus._sweeper, bus._shelf.reader
    assert sweeper is not None
    await bus.publish([Record(ALERTS, lane, b"old", bytes(100_000), 1.0) for _ in range(20)])
    await bus.publish([Record(ALERTS, lane_of(1, bus), b"new", bytes(100_000), 2.0) for _ in range(20)])
    await sweeper.sweep()
    assert used_bytes(reader) <= 3_000_000
    assert {stored.key for stored in await everything(bus, ALERTS)} == {b"new"}
    assert bus.trouble() is None
    await bus.publish([Record(RAW, lane, b"unconsumed", bytes(100_000), 0.0) for _ in range(40)])
    await sweeper.sweep()
    assert {stored.key for stored in await everything(bus, ALERTS)} == set()
    assert len(await everything(bus, RAW)) == 40
    assert "the hops are behind" in (bus.trouble() or "")
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        await (await holder.lease(HERE)).commit(Step(40))
    await sweeper.sweep()
    assert bus.trouble() is None
    await engine.end()


async def test_many_parts_are_no_more_work_a_step(tmp_path: Path) -> None:
    """What a step forgets is looked for in one part: with many of them, looking at all each time would stop the event loop."""
    engine = EmbeddedEngine(tmp_path, {"clock": FixedClock(), "partitions": 64, "max_bytes": 1_000_000, "min_free": 0})
    bus = await engine.open()
    await bus.publish([Record(ALERTS, "lane", b"k", bytes(5_000), n) for n in range(20)], everywhere=True)
    queries: list[str] = []

    def trace(_cursor: object, sql: str, _bindings: object) -> bool:
        queries.append(sql)
        return True

    bus._shelf.reader._db.exec_trace = trace
    assert bus._sweeper is not None
    await bus._sweeper.sweep()
    assert 0 < used_bytes(bus._shelf.reader) <= 1_000_000
    parts, steps = 64, 64
    assert len(queries) < 2 * parts + 8 * steps + 50
    await engine.end()


async def test_space_is_used_again(engine: EmbeddedEngine) -> None:
    """What was forgotten makes room in the file: writing and forgetting for long does not make it grow."""
    bus = await engine.open()
    assert bus._sweeper is not None
    sizes = []
    for _ in range(6):
        await bus.publish([Record(ALERTS, f"lane-{n}", b"k", bytes(20_000), 1.0) for n in range(100)])
        await bus._sweeper.sweep()
        with apsw.Connection(str(engine.path)) as db:
            sizes.append(db.pragma("page_count"))
    assert max(sizes[1:]) <= sizes[0] * 1.1
