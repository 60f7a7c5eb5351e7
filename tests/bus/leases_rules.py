"""What every engine keeps of leases and commits: all or nothing, one owner, nothing lost."""

import asyncio

import pytest

from daemon.bus.base import Row, Step
from daemon.bus.topics import ARTICLES, RAW
from daemon.errors import BusError, Lost, NewerRow
from tests.bus.engine import GROUP, HERE, Engine, everything, holding, lane_of, record, state, take_all


class LeaseRules:
    """Part of `tests.bus.conformance.Conformance`."""

    async def test_position_survives(self, engine: Engine) -> None:
        """A lease opens at the position last committed, also in another process, and takes from there."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        await bus.publish([record(n, lane) for n in range(5)])
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            taken = await take_all(lease, 3, engine.patience)
            next_offset = taken[1].offset + 1
            await lease.commit(Step(next_offset))
        await engine.close(bus)
        again = await engine.open()
        async with holding(again, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            assert lease.position == next_offset
            assert [stored.key for stored in await take_all(lease, 3, engine.patience)] == [b"k2", b"k3", b"k4"]

    async def test_a_newer_row_ends_the_offers(self, engine: Engine) -> None:
        """A lease left because of a newer version's row is not offered again: the iterator ends, and says where the row is."""
        bus = await engine.open()
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            await holder.lease(HERE)
            await holder.leave(HERE, NewerRow("the row b'k'", 2))
            with pytest.raises(NewerRow, match=r"the row b'k' has format 2 of a newer version .*run that version") as refused:
                await holder.ended()
        assert GROUP in refused.value.subject
        assert str(HERE) in refused.value.subject

    async def test_position_is_left_alone(self, engine: Engine) -> None:
        """A step without `next_offset`, be it empty, leaves the position as it was."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        await bus.publish([record(n, lane) for n in range(3)])
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            before = lease.position
            taken = await take_all(lease, 3, engine.patience)
            await lease.commit(Step(None))
            await lease.commit(Step(taken[0].offset + 1))
            await lease.commit(Step(None))
            await lease.commit(Step(None, [record(9, lane, ARTICLES)], [Row(lane, b"row", b"1")]))
            assert lease.position == before
            await holder.leave(HERE)
            lease = await holder.lease(HERE)
            assert lease.position == taken[0].offset + 1
            assert [stored.key for stored in await take_all(lease, 2, engine.patience)] == [b"k1", b"k2"]

    async def test_a_step_commits_as_a_whole(self, engine: Engine) -> None:
        """Outputs, rows and position of a step are all there once its commit has returned, for every process."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        await bus.publish([record(0, lane)])
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            taken = await take_all(lease, 1, engine.patience)
            out = [record(n, f"lane-{n}", ARTICLES) for n in range(8)]
            await lease.commit(Step(taken[-1].offset + 1, out, [Row(lane, b"row", b"value", 5.0)]))
            assert lease.rows.get(b"row") == Row(lane, b"row", b"value", 5.0)
            beside = await engine.open(service=False)
            assert {stored.key for stored in await everything(beside, ARTICLES)} == {r.key for r in out}
            assert await state(beside) == {b"row": Row(lane, b"row", b"value", 5.0)}

    async def test_nothing_is_visible_before_commit(self, engine: Engine) -> None:
        """What a crashed process took and decided, but did not commit, is taken again; none of it is to be seen."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        await bus.publish([record(n, lane) for n in range(4)])
        holder_context = holding(bus, RAW, GROUP, engine.patience)
        holder = await holder_context.__aenter__()
        lease = await holder.lease(HERE)
        taken = await take_all(lease, 2, engine.patience)
        await lease.commit(Step(taken[1].offset + 1, [record(1, lane, ARTICLES)], [Row(lane, b"row", b"1")]))
        await take_all(lease, 2, engine.patience)
        await engine.crash(bus)
        again = await engine.open()
        async with holding(again, RAW, GROUP, engine.patience) as heir:
            lease = await heir.lease(HERE)
            assert lease.position == taken[1].offset + 1
            assert [stored.key for stored in await take_all(lease, 2, engine.patience)] == [b"k2", b"k3"]
            assert lease.rows.get(b"row") == Row(lane, b"row", b"1")
            assert [stored.key for stored in await everything(again, ARTICLES)] == [b"k1"]
        await holder_context.__aexit__(None, None, None)

    async def test_a_newer_lease_fences_the_old(self, engine: Engine) -> None:
        """Once a partition's newer lease is open, the old one's commit raises `Lost` and writes nothing."""
        bus = await engine.open()
        async with holding(bus, RAW, GROUP, engine.patience) as old:
            stale = {lease.partition: lease for lease in await old.all()}
            heir = await engine.usurp(bus)
            async with holding(heir, RAW, GROUP, engine.patience) as new:
                lease = await new.any()
                lane = lane_of(lease.partition, heir)
                await lease.commit(Step(None, (), [Row(lane, b"row", b"new")]))
                with pytest.raises(Lost):
                    await stale[lease.partition].commit(Step(7, [record(1, lane, ARTICLES)], [Row(lane, b"row", b"old")]))
                await lease.commit(Step(None, (), [Row(lane, b"other", b"new")]))
                assert lease.rows.get(b"row") == Row(lane, b"row", b"new")
                assert await everything(heir, ARTICLES) == []

    async def test_closing_the_offers_asks_to_leave(self, engine: Engine) -> None:
        """Closing the iterator sets `leaving` on leases still held; these may still commit."""
        bus = await engine.open()
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            assert not lease.leaving.is_set()
            await holder.stop_offers()
            async with asyncio.timeout(engine.patience):
                await lease.leaving.wait()
            await lease.commit(Step(None, (), [Row("lane", b"last", b"word")]))
        assert await state(bus) == {b"last": Row("lane", b"last", b"word")}

    async def test_closing_the_offers_lets_another_in(self, engine: Engine) -> None:
        """A group that was left in good order is served anew by the same bus."""
        bus = await engine.open()
        for number in range(2):
            async with holding(bus, RAW, GROUP, engine.patience) as holder:
                lease = await holder.lease(HERE)
                await lease.commit(Step(None, (), [Row("lane", b"row", b"%d" % number)]))

    @pytest.mark.parametrize("error", [None, BusError("away"), ValueError("a bug")])
    async def test_a_lease_that_was_left_is_offered_again(self, engine: Engine, error: Exception | None) -> None:
        """A lease left, in good order or by any error, is offered again with what had committed."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        await bus.publish([record(n, lane) for n in range(3)])
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            for number in range(3):
                lease = await holder.lease(HERE)
                taken = await take_all(lease, 1, engine.patience)
                assert taken[0].key == b"k%d" % number
                await lease.commit(Step(taken[0].offset + 1, (), [Row(lane, b"row-%d" % number, b"v")]))
                await take_all(lease, 2 - number, engine.patience)
                await holder.leave(HERE, error)
            lease = await holder.lease(HERE)
            assert len(list(lease.rows.scan(b"row"))) == 3

    async def test_a_left_lease_cannot_commit(self, engine: Engine) -> None:
        """A lease that was left is no longer ours: its commit raises `Lost`."""
        bus = await engine.open()
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            left = await holder.lease(HERE)
            await holder.leave(HERE)
            with pytest.raises(Lost):
                await left.commit(Step(None, (), [Row("lane", b"row", b"v")]))
            lease = await holder.lease(HERE)
            assert lease.rows.get(b"row") is None

    async def test_partitions_go_on_alone(self, engine: Engine) -> None:
        """Commits of different partitions at one time all succeed, each as a whole, and publishing goes on beside them."""
        bus = await engine.open()
        async with holding(bus, RAW, GROUP, engine.patience) as holder:
            leases = await holder.all()
            out = [[record(n, f"{lease.partition}-{n}", ARTICLES) for n in range(5)] for lease in leases]
            commits = [
                lease.commit(Step(None, mine, [Row("lane", b"%d" % lease.partition, b"v")]))
                for lease, mine in zip(leases, out, strict=True)
            ]
            publishing = [bus.publish([record(n, f"lane-{n}")]) for n in range(20)]
            await asyncio.gather(*commits, *publishing)
        assert len(await everything(bus, ARTICLES)) == 5 * len(leases)
        assert len(await everything(bus, RAW)) == 20
        assert len(await state(bus)) == len(leases)
