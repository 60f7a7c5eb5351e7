"""What every engine keeps of rows and their wakes."""

from daemon.bus.base import Row, Step
from daemon.bus.topics import RAW
from tests.bus.engine import GROUP, HERE, Engine, holding, lane_of, state


class RowRules:
    """Part of `tests.bus.conformance.Conformance`."""

    async def test_rows(self, engine: Engine) -> None:
        """Rows are found by key, by prefix in key order, and not at all once deleted; an empty value is a value."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            rows = (lease := await holder.lease(HERE)).rows
            keys = [b"b2", b"a", b"b1", b"", b"b\xff", b"b\xff\xff", b"c", b"b"]
            given = {key: Row(lane, key, b"value of " + key if key != b"c" else b"") for key in keys}
            await lease.commit(Step(None, (), list(given.values())))
            assert rows.get(b"c") == given[b"c"]
            assert rows.get(b"nothing") is None
            assert list(rows.scan()) == [given[key] for key in sorted(keys)]
            assert list(rows.scan(b"b")) == [given[key] for key in sorted(keys) if key.startswith(b"b")]
            assert list(rows.scan(b"b\xff")) == [given[b"b\xff"], given[b"b\xff\xff"]]
            await lease.commit(Step(None, (), [Row(lane, b"b1", None), Row(lane, b"a", b"new"), Row("", b"unknown", None)]))
            assert rows.get(b"b1") is None
            assert rows.get(b"a") == Row(lane, b"a", b"new")
            assert [row.key for row in rows.scan()] == sorted(set(keys) - {b"b1"})
            assert set(await state(bus)) == set(keys) - {b"b1"}

    async def test_many_rows(self, engine: Engine) -> None:
        """A scan gives every row once, however many there are, and may be left half way."""
        bus = await engine.open()
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            rows = [Row("lane", b"%05d" % n, b"x" * 10, float(n)) for n in range(1500)]
            await lease.commit(Step(None, (), rows))
            assert next(iter(lease.rows.scan(b"00"))).key == b"00000"
            await lease.commit(Step(None, (), [Row("lane", b"00000", None)]))
            assert [row.key for row in lease.rows.scan()] == [row.key for row in rows[1:]]
            assert len(lease.rows.due(1e9, 5000)) == 1499

    async def test_wakes(self, engine: Engine) -> None:
        """Rows are due by (wake, key) up to an instant and a limit; a later put or a deletion moves or ends a wake."""
        bus = await engine.open()
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            rows = (lease := await holder.lease(HERE)).rows
            assert rows.next_wake() is None
            assert list(rows.due(1e12, 10)) == []
            given = {b"c": 1.0, b"a": 2.0, b"b": 2.0, b"z": 2.5, b"later": 9.0, b"never": None}
            await lease.commit(Step(None, (), [Row("lane", key, b"v", wake) for key, wake in given.items()]))
            assert [row.key for row in rows.due(2.0, 10)] == [b"c", b"a", b"b"]
            assert [row.key for row in rows.due(5.0, 2)] == [b"c", b"a"]
            assert rows.next_wake() == 1.0
            await lease.commit(Step(None, (), [Row("lane", b"c", b"v", 7.0), Row("lane", b"a", b"v"), Row("lane", b"b", None)]))
            assert [(row.key, row.wake) for row in rows.due(8.0, 10)] == [(b"z", 2.5), (b"c", 7.0)]
            assert rows.next_wake() == 2.5
            assert (rows.next_wake(after=2.4), rows.next_wake(after=2.5), rows.next_wake(after=7.0)) == (2.5, 7.0, 9.0)
            assert rows.get(b"a") == Row("lane", b"a", b"v", None)

    async def test_wakes_survive(self, engine: Engine) -> None:
        """Restoring the rows restores the timers, also after a crash, and each partition has its own."""
        bus = await engine.open()
        holder_context = holding(bus, RAW, GROUP, engine.patience)
        holder = await holder_context.__aenter__()
        for lease in await holder.all():
            key, wake = b"row-%d" % lease.partition, 10.0 + lease.partition
            await lease.commit(Step(None, (), [Row("lane", key, b"v", wake), Row("lane", b"shared", b"%d" % lease.partition)]))
        await engine.crash(bus)
        again = await engine.open()
        async with holding(again, RAW, GROUP, engine.patience) as heir:
            for lease in await heir.all():
                assert lease.rows.next_wake() == 10.0 + lease.partition
                assert [row.key for row in lease.rows.due(100.0, 10)] == [b"row-%d" % lease.partition]
                assert lease.rows.get(b"shared") == Row("lane", b"shared", b"%d" % lease.partition)
        await holder_context.__aexit__(None, None, None)

    async def test_state(self, engine: Engine) -> None:
        """`state` gives every committed row of a group from all partitions, or those of a prefix, and no other group's."""
        bus = await engine.open()
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            for lease in await holder.all():
                await lease.commit(Step(None, (), [Row("lane", b"row-%d" % lease.partition, b"v", 1.0)]))
        count = bus.partitions(RAW)
        assert await state(bus) == {b"row-%d" % n: Row("lane", b"row-%d" % n, b"v", 1.0) for n in range(count)}
        assert {row.key async for row in bus.state(GROUP, b"row-1")} == {
            b"row-%d" % n for n in range(count) if f"{n}"[0] == "1"
        }
        assert await state(bus, "matcher") == {}
