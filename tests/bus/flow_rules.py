"""What every engine keeps of the flow: a slow holder is not flooded, and what is forgotten stands in nobody's way."""

import asyncio

from daemon.bus.base import Lease, Record, Row, Step
from daemon.bus.topics import RAW
from tests.bus.engine import GROUP, HERE, Engine, everything, holding, lane_of, record, take_all

MANY = 3000
AHEAD = 1000
"""Records an engine may have in memory for a lease that does not take them."""
OTHER = 1


class FlowRules:
    """Part of `tests.bus.conformance.Conformance`."""

    async def test_who_does_not_take_is_not_flooded(self, engine: Engine) -> None:
        """Ahead of a holder that takes nothing only so much is read; nothing is left out, and other partitions go on."""
        bus = await engine.open()
        slow, quick = lane_of(HERE, bus), lane_of(OTHER, bus)
        await bus.publish([record(n, slow) for n in range(MANY)])
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease, other = await holder.lease(HERE), await holder.lease(OTHER)
            for start in range(0, 60, 20):
                await bus.publish([record(n, quick) for n in range(start, start + 20)])
                taken = await take_all(other, 20, engine.patience)
                assert [each.key for each in taken] == [b"k%d" % n for n in range(start, start + 20)]
                assert len(await everything(bus, RAW)) == MANY + start + 20
                assert engine.buffered(lease) <= AHEAD
            keys = [each.key for each in await take_all(lease, MANY, engine.patience)]
            assert keys == [b"k%d" % n for n in range(MANY)]

    async def test_what_is_forgotten_is_in_nobodys_way(self, engine: Engine) -> None:
        """Old records go once they were consumed; leases open and go on behind them, with their rows, and offsets rise on."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        await bus.publish([record(n, lane) for n in range(10)])
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            taken = await take_all(lease, 8, engine.patience)
            position = taken[5].offset + 1
            await lease.commit(Step(position, (), [Row(lane, b"row", b"v", 5.0)]))
            await engine.age(bus)
            assert await _keys(lease, 2, engine) == [b"k8", b"k9"]
            await holder.leave(HERE)
            lease = await holder.lease(HERE)
            assert (lease.position, lease.rows.get(b"row")) == (position, Row(lane, b"row", b"v", 5.0))
            assert await _keys(lease, 4, engine) == [b"k6", b"k7", b"k8", b"k9"]
        assert [each.key for each in await everything(bus, RAW)] == [b"k6", b"k7", b"k8", b"k9"]

    async def test_a_topic_that_was_emptied_goes_on(self, engine: Engine) -> None:
        """Where everything was consumed and forgotten, what is published then has later offsets, and is taken, once."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        await bus.publish([record(n, lane) for n in range(5)])
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            last: Record = (await take_all(lease, 5, engine.patience))[-1]
            await lease.commit(Step(last.offset + 1))
            await engine.age(bus)
            assert await everything(bus, RAW) == []
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            taking = asyncio.create_task(take_all(lease, 1, engine.patience))
            await bus.publish([record(5, lane)])
            (taken,) = await taking
            assert (taken.key, taken.offset > last.offset, lease.lag()) == (b"k5", True, 0)


async def _keys(lease: Lease, count: int, engine: Engine) -> list[bytes]:
    return [each.key for each in await take_all(lease, count, engine.patience)]
