"""What every engine keeps of records: order, bytes, bounds."""

import asyncio
from collections import defaultdict

import pytest

from daemon.bus.base import MAX_BYTES, Record, Row, Step
from daemon.bus.topics import ARTICLES, RAW, partition_of
from daemon.errors import TooLarge
from tests.bus.engine import GROUP, HERE, Engine, everything, holding, lane_of, record, take_all


class RecordRules:
    """Part of `tests.bus.conformance.Conformance`."""

    async def test_partitions_are_those_of_the_lanes(self, engine: Engine) -> None:
        """A lane's records stand in partition hash(lane) mod partitions, and every lease knows how many there are."""
        bus = await engine.open()
        lanes = [f"site-{n}.example" for n in range(12)]
        count = bus.partitions(RAW)
        await bus.publish([record(n, lane) for n, lane in enumerate(lanes)])
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            for lease in await holder.all():
                mine = [lane for lane in lanes if partition_of(lane, count) == lease.partition]
                taken = await take_all(lease, len(mine), engine.patience)
                assert [stored.lane for stored in taken] == mine
                assert lease.partitions == count

    async def test_order_in_a_lane(self, engine: Engine) -> None:
        """Records of one lane are taken in the order they were committed, with rising offsets."""
        bus = await engine.open()
        for start in range(0, 60, 6):
            await bus.publish([record(n, f"lane-{n % 3}") for n in range(start, start + 6)])
        seen: dict[str, list[Record]] = defaultdict(list)
        expected = {f"lane-{n}": partition_of(f"lane-{n}", bus.partitions(RAW)) for n in range(3)}
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            for lease in await holder.all():
                lanes = [lane for lane, partition in expected.items() if partition == lease.partition]
                for stored in await take_all(lease, 20 * len(lanes), engine.patience):
                    seen[stored.lane].append(stored)
        for number in range(3):
            records = seen[f"lane-{number}"]
            assert [stored.key for stored in records] == [b"k%d" % n for n in range(number, 60, 3)]
            offsets = [stored.offset for stored in records]
            assert offsets == sorted(set(offsets))

    async def test_records_come_back_as_they_were(self, engine: Engine) -> None:
        """Topic, lane, key, value and time are kept (time to the millisecond): no value, empty values, any bytes, any text."""
        bus = await engine.open()
        given = [
            Record(RAW, "lane", b"", None, 0.25),
            Record(RAW, "lane", b"\x00\xff", b"", 1.5),
            Record(RAW, "lane", b"key", bytes(range(256)), 1_790_000_000.123),
            Record(RAW, "الموقع.example", b"key", b"x", 2.0),
            Record(RAW, "half \ud83d of a pair", b"key", b"x", 3.0),
            Record(RAW, "", b"key", b"x", 4.0),
        ]
        await bus.publish(given)
        stored = {(one.lane, one.key): one for one in await everything(bus, RAW)}
        assert len(stored) == len(given)
        for one in given:
            back = stored[one.lane, one.key]
            assert (back.topic, back.value) == (one.topic, one.value)
            assert abs(back.at - one.at) <= 0.001
            assert back.offset >= 0

    async def test_take_is_bounded(self, engine: Engine) -> None:
        """A take gives at least one and at most `limit` records, following those taken before."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        await bus.publish([record(n, lane) for n in range(10)])
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            keys: list[bytes] = []
            async with asyncio.timeout(engine.patience):
                while len(keys) < 10:
                    taken = await lease.take(3)
                    assert 1 <= len(taken) <= 3
                    keys.extend(stored.key for stored in taken)
        assert keys == [b"k%d" % n for n in range(10)]

    async def test_take_waits_for_records(self, engine: Engine) -> None:
        """A take in an empty partition waits, and is answered by what any process appends."""
        bus = await engine.open()
        beside = await engine.open(service=False)
        lane = lane_of(HERE, bus)
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            for number, publisher in enumerate([bus, beside, bus]):
                taking = asyncio.create_task(lease.take(10))
                await publisher.publish([record(number, lane)])
                async with asyncio.timeout(engine.patience):
                    assert [stored.key for stored in await taking] == [b"k%d" % number]

    async def test_take_is_safe_to_cancel(self, engine: Engine) -> None:
        """A cancelled take skips nothing, whenever it was cancelled."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            taken: list[Record] = []
            for number in range(12):
                taking = asyncio.create_task(lease.take(1))
                publishing = asyncio.create_task(bus.publish([record(number, lane)]))
                for _ in range(number % 6):
                    await asyncio.sleep(0)
                taking.cancel()
                await asyncio.wait([taking])
                taken.extend(() if taking.cancelled() else taking.result())
                await publishing
            taken.extend(await take_all(lease, 12 - len(taken), engine.patience))
        assert [stored.key for stored in taken] == [b"k%d" % n for n in range(12)]

    async def test_outputs_reach_the_next_hop(self, engine: Engine) -> None:
        """What a step puts out is taken by the group of the next topic, waiting for it or not."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        async with holding(bus, ARTICLES, "matcher", engine.patience) as after:
            waiting = asyncio.create_task((await after.lease(HERE)).take(10))
            async with holding(bus, RAW, GROUP, engine.patience) as holder:
                await (await holder.lease(HERE)).commit(Step(None, [record(1, lane, ARTICLES)]))
            async with asyncio.timeout(engine.patience):
                assert [stored.key for stored in await waiting] == [b"k1"]

    async def test_outputs_to_the_own_topic(self, engine: Engine) -> None:
        """A step may put records onto its own input topic; they are taken in their turn."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        await bus.publish([record(0, lane)])
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            taken = await take_all(lease, 1, engine.patience)
            await lease.commit(Step(taken[0].offset + 1, [record(1, lane)]))
            assert [stored.key for stored in await take_all(lease, 1, engine.patience)] == [b"k1"]

    @pytest.mark.parametrize("size", [MAX_BYTES - 1, MAX_BYTES])
    async def test_the_largest_value(self, engine: Engine, size: int) -> None:
        """Records and rows of up to 8 MiB are stored and come back."""
        bus = await engine.open()
        lane, value = lane_of(HERE, bus), bytes(size)
        await bus.publish([Record(RAW, lane, b"large", value, 1.0)])
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            taken = await take_all(lease, 1, engine.patience)
            assert taken[0].value == value
            out = Record(ARTICLES, lane, b"large", value, 1.0)
            await lease.commit(Step(taken[0].offset + 1, [out], [Row(lane, b"large", value)]))
            assert lease.rows.get(b"large") == Row(lane, b"large", value)
        assert [len(stored.value or b"") for stored in await everything(bus, ARTICLES)] == [size]

    async def test_one_byte_too_many_is_refused(self, engine: Engine) -> None:
        """A record or row over 8 MiB raises `TooLarge`, and nothing that came with it was written."""
        bus = await engine.open()
        lane, value = lane_of(HERE, bus), bytes(MAX_BYTES + 1)
        small, large = record(1, lane), Record(RAW, lane, b"large", value, 1.0)
        with pytest.raises(TooLarge):
            await bus.publish([small, large])
        with pytest.raises(TooLarge):
            await bus.publish([small, large], everywhere=True)
        await bus.publish([small])
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            position = 0
            for out, rows in (
                ([record(2, lane, ARTICLES), Record(ARTICLES, lane, b"large", value, 1.0)], [Row(lane, b"row", b"1")]),
                ([record(2, lane, ARTICLES)], [Row(lane, b"row", b"1"), Row(lane, b"large", value)]),
            ):
                lease = await holder.lease(HERE)
                position = lease.position
                taken = await take_all(lease, 1, engine.patience)
                with pytest.raises(TooLarge):
                    await lease.commit(Step(taken[0].offset + 1, out, rows))
                await holder.leave(HERE)
            lease = await holder.lease(HERE)
            assert lease.position == position
            assert lease.rows.get(b"row") is None
        assert [stored.key for stored in await everything(bus, RAW)] == [b"k1"]
        assert await everything(bus, ARTICLES) == []

    async def test_publish_nothing(self, engine: Engine) -> None:
        """Publishing nothing is allowed and does nothing."""
        bus = await engine.open()
        await bus.publish([])
        await bus.publish([], everywhere=True)
        assert await everything(bus, RAW) == []

    async def test_publish_everywhere(self, engine: Engine) -> None:
        """`everywhere` puts each record into every partition of its topic, once."""
        bus = await engine.open()
        await bus.publish([record(1, "lane"), record(2, "lane")], everywhere=True)
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            for lease in await holder.all():
                taken = await take_all(lease, 2, engine.patience)
                assert [(stored.key, stored.lane) for stored in taken] == [(b"k1", "lane"), (b"k2", "lane")]
        assert len(await everything(bus, RAW)) == 2 * bus.partitions(RAW)

    async def test_read(self, engine: Engine) -> None:
        """`read` gives what a topic held when it was called, from an instant on, in order per lane, and moves no position."""
        bus = await engine.open()
        await bus.publish([record(n, f"lane-{n % 3}") for n in range(30)])
        seen: list[Record] = []
        async for stored in bus.read(RAW, 1010.0):
            if not seen:
                await bus.publish([record(n, f"lane-{n % 3}") for n in range(30, 36)])
            seen.append(stored)
        for number in range(3):
            keys = [stored.key for stored in seen if stored.lane == f"lane-{number}"]
            assert keys == [b"k%d" % n for n in range(30) if n >= 10 and n % 3 == number]
        assert len(await everything(bus, RAW)) == 36
        assert await everything(bus, ARTICLES) == []
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            positions = [lease.position for lease in await holder.all()]
        await everything(bus, RAW)
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            assert [lease.position for lease in await holder.all()] == positions

    async def test_lag(self, engine: Engine) -> None:
        """`lag` is what is known to stand beyond the records taken: never more, and none when all were taken."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        await bus.publish([record(n, lane) for n in range(6)])
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            taken = await take_all(lease, 2, engine.patience)
            assert 0 <= lease.lag() <= 4
            await take_all(lease, 4, engine.patience)
            assert lease.lag() == 0
            await lease.commit(Step(taken[-1].offset + 1))
            assert lease.lag() == 0
