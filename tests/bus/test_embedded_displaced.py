"""A service whose files are removed, replaced or damaged behind its back says so and ends, and ruins nothing."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daemon.bus.base import Lease, Record, Row, Step
from daemon.bus.topics import RAW
from daemon.errors import BusRefused
from tests.bus.embedded_engine import EmbeddedEngine
from tests.bus.engine import GROUP, HERE, everything, holding, lane_of, record


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tmp_path)
    yield engine
    await engine.end()


@pytest.mark.parametrize(("name", "says"), [("bus.sqlite", "bus.sqlite was removed"), ("bus.sqlite.lock", "lock was removed")])
async def test_a_removed_file_ends_the_service(engine: EmbeddedEngine, name: str, says: str) -> None:
    """A bus file or lock that was deleted under the service is noticed: the bus says so, and its leases end with a sentence."""
    bus = await engine.open()
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        await holder.lease(HERE)
        engine.path.with_name(name).unlink()
        with pytest.raises(BusRefused, match=says):
            await holder.ended()
        assert says in (bus.trouble() or "")


async def test_a_file_put_in_its_place_is_not_ruined(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """A copy moved over the running bus: the service ends, its own log is not left to be applied to the copy."""
    first = await engine.open()
    lane = lane_of(HERE, first)
    await first.publish([record(n, lane) for n in range(5)])
    await engine.close(first)
    copy = tmp_path / "copy.sqlite"
    shutil.copy(engine.path, copy)

    bus = await engine.open()
    await bus.publish([record(n, lane) for n in range(5, 500)])
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        await holder.lease(HERE)
        copy.replace(engine.path)
        with pytest.raises(BusRefused, match="was replaced"):
            await holder.ended()
    await engine.close(bus)

    again = await engine.open()
    assert again.trouble() is None
    assert len(await everything(again, RAW)) == 5


async def test_a_lock_that_is_gone_costs_no_record(engine: EmbeddedEngine) -> None:
    """Only the lock was removed: the log of the bus stays where it is, and with it what was acknowledged."""
    bus = await engine.open()
    await bus.publish([record(n, lane_of(HERE, bus)) for n in range(50)])
    engine.path.with_name("bus.sqlite.lock").unlink()
    await engine.close(bus)
    assert len(await everything(await engine.open(), RAW)) == 50


async def use(lease: Lease) -> None:
    """Read and write rows all over the file."""
    for number in range(400):
        await lease.commit(Step(None, (), [Row("lane", b"%04d" % number, bytes(30_000), None)]))
        lease.rows.get(b"%04d" % (399 - number))


async def test_damage_while_running_ends_the_service(engine: EmbeddedEngine) -> None:
    """A file cut short under the service: the first lease that meets it ends all, and the bus says why."""
    bus = await engine.open()
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        lease = await holder.lease(HERE)
        rows = [Row("lane", b"%04d" % n, bytes(20_000), None) for n in range(400)]
        out = [Record(RAW, lane_of(HERE, bus), b"k", bytes(20_000), 1.0) for _ in range(400)]
        await lease.commit(Step(None, out, rows))
        os.truncate(engine.path, engine.path.stat().st_size // 4)
        with pytest.raises(BusRefused, match="damaged") as caught:
            await use(lease)
        await holder.leave(HERE, caught.value)
        with pytest.raises(BusRefused, match="damaged"):
            await holder.ended()
        assert "damaged" in (bus.trouble() or "")
