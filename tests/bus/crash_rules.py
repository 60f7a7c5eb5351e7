"""What every engine keeps when a process dies, or breaks off, at any point: each step has happened, or it has not."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from daemon.bus.base import Bus, Lease, Row, Step
from daemon.bus.topics import ARTICLES, RAW
from tests.bus.engine import GROUP, HERE, Engine, Holder, everything, holding, lane_of, record, state, take_all

COUNT = b"count"
RECORDS = 20
CANCELLED_AFTER = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Turns of the event loop. A commit takes few in memory, many where a broker has to answer several times."""
CRASHED_AFTER = (0, 2, 8, 32, 128, 512)


class CrashRules:
    """Not part of `Conformance`: an engine may need a crashed process's heir to be there at once, or it takes long."""

    async def test_a_commit_cancelled_at_any_point(self, engine: Engine) -> None:
        """Broken off at whatever point, a commit has happened as a whole or not at all; the next lease knows which."""
        bus = await _stocked(engine)
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            for turns in CANCELLED_AFTER:
                lease = await holder.lease(HERE)
                await _cancelled(asyncio.create_task(_commit_one(bus, lease, engine.patience)), turns)
                await holder.leave(HERE)
            await _commit_one(bus, await holder.lease(HERE), engine.patience)
            assert await _committed(bus) >= 1

    @pytest.mark.parametrize("leaving", [False, True])
    async def test_a_crash_in_a_commit(self, engine: Engine, *, leaving: bool) -> None:
        """A process that dies in a commit, be it while it was asked to leave: its heir finds all of the step, or nothing."""
        bus = await _stocked(engine)
        for turns in CRASHED_AFTER:
            context = holding(bus, RAW, GROUP, engine.patience)
            holder = await context.__aenter__()
            lease = await holder.lease(HERE)
            if leaving:
                await _asked_to_leave(holder, lease, engine.patience)
            committing = asyncio.create_task(_commit_one(bus, lease, engine.patience))
            await _turns(turns)
            await engine.crash(bus)
            bus = await engine.open()
            await _cancelled(committing, 0)
            await context.__aexit__(None, None, None)
        await _assert_whole(engine, bus)

    async def test_a_crash_right_after_a_commit(self, engine: Engine) -> None:
        """What a process committed before it died stays, and is not done again."""
        bus = await _stocked(engine)
        for number in range(1, 4):
            context = holding(bus, RAW, GROUP, engine.patience)
            holder = await context.__aenter__()
            await _commit_one(bus, await holder.lease(HERE), engine.patience)
            await engine.crash(bus)
            bus = await engine.open()
            assert await _committed(bus) == number
            await context.__aexit__(None, None, None)
        await _assert_whole(engine, bus)

    async def test_a_crash_while_opening(self, engine: Engine) -> None:
        """A process that dies while it opens a lease leaves everything as it was, and keeps nobody out."""
        bus = await _stocked(engine)
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            await _commit_one(bus, await holder.lease(HERE), engine.patience)
        for turns in CRASHED_AFTER:
            async with aclosing(bus.leases(RAW, GROUP)) as offers:
                async with asyncio.timeout(engine.patience):
                    offer = await anext(offers)
                entering = asyncio.create_task(offer.__aenter__())
                await _turns(turns)
                await engine.crash(bus)
                bus = await engine.open()
                await _cancelled(entering, 0)
                if not entering.cancelled() and entering.exception() is None:
                    await offer.__aexit__(None, None, None)
        assert await _committed(bus) == 1
        await _assert_whole(engine, bus)


async def _stocked(engine: Engine) -> Bus:
    bus = await engine.open()
    await bus.publish([record(n, lane_of(HERE, bus)) for n in range(RECORDS)])
    return bus


async def _commit_one(bus: Bus, lease: Lease, patience: float) -> None:
    """The next record goes to `articles`, and is counted in a row, if all before it are there and counted."""
    (taken,) = await take_all(lease, 1, patience)
    row = lease.rows.get(COUNT)
    count = int(row.value or b"0") if row else 0
    assert taken.key == b"k%d" % count
    out = replace(taken, topic=ARTICLES, offset=-1)
    await lease.commit(Step(taken.offset + 1, [out], [Row(taken.lane, COUNT, b"%d" % (count + 1))]))


async def _committed(bus: Bus) -> int:
    """How many records passed, as `articles` and the row say alike, each of them once and in order."""
    passed = [each.key for each in await everything(bus, ARTICLES)]
    assert passed == [b"k%d" % number for number in range(len(passed))]
    row = (await state(bus)).get(COUNT)
    assert (int(row.value or b"0") if row else 0) == len(passed)
    return len(passed)


async def _assert_whole(engine: Engine, bus: Bus) -> None:
    """Whoever comes then does what is left, and nothing again."""
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        lease = await holder.lease(HERE)
        for _ in range(RECORDS - await _committed(bus)):
            await _commit_one(bus, lease, engine.patience)
    assert await _committed(bus) == RECORDS


async def _asked_to_leave(holder: Holder, lease: Lease, patience: float) -> None:
    await holder.stop_offers()
    async with asyncio.timeout(patience):
        await lease.leaving.wait()


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def _cancelled(task: "asyncio.Task[object]", turns: int) -> None:
    """Cancel after so many turns, and wait for the end of it, whatever that is; a rule that broke is raised."""
    await _turns(turns)
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and isinstance(error := task.exception(), AssertionError):
        raise error
