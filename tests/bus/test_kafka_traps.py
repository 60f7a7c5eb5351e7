"""Traps of aiokafka and Kafka, each reproduced (delivery.md, “The Kafka loop”): none of them loses or doubles anything."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from structlog.testing import capture_logs

from daemon.bus.base import Lease, Record, Row, Step
from daemon.bus.kafka.bus import KafkaBus
from daemon.bus.kafka.lease import KafkaLease
from daemon.bus.kafka.producer import Fenced
from daemon.bus.kafka.reading import bounds, reader
from daemon.bus.topics import ARTICLES, RAW
from daemon.clock import WallClock
from daemon.errors import BusError, Lost
from daemon.metrics import Metrics
from daemon.stage.partition import Kit
from daemon.stage.runner import Stage
from tests.bus import kafka_engine
from tests.bus.engine import GROUP, Holder, everything, holding, record, take_all
from tests.bus.kafka_engine import PATIENCE, QUICK, admin, settings, until
from tests.bus.points import Act, at, producer_of
from tests.bus.stage_rules import Passing
from tests.servers.kafka import Cluster
from tests.stage.hops import decode

pytestmark = pytest.mark.kafka
ONLY = 0


@asynccontextmanager
async def serving(bus: KafkaBus) -> AsyncIterator[Holder]:
    async with bus, holding(bus, RAW, GROUP, PATIENCE) as holder:
        yield holder


def step(number: int) -> Step:
    """One record for `articles`, and a row."""
    return Step(None, [record(number, "lane", ARTICLES)], [Row("lane", b"row", b"%d" % number)])


async def fails(lease: Lease, last: Step) -> BusError:
    """The error of a commit; whatever is tried after it ends with the same, since the producer is not used again."""
    with pytest.raises(BusError) as caught:
        await lease.commit(last)
    with pytest.raises(BusError) as again:
        await lease.commit(last)
    assert again.value is caught.value
    return caught.value


async def test_a_transaction_that_expires_is_done_again(broker: Cluster) -> None:
    """A commit held up until the broker ended its transaction fails as a whole; the next lease does it, once."""
    bus = kafka_engine.bus(settings(broker, partitions=1), timing=replace(QUICK, transaction=1.0))
    async with serving(bus) as holder:
        lease = await holder.lease(ONLY)
        target = TopicPartition(bus._names.of(ARTICLES), 0)

        async def expire() -> None:
            async with reader(bus._link) as looking, asyncio.timeout(PATIENCE):
                while (await bounds(looking, target))[1] == 0:  # noqa: ASYNC110 - the broker tells nobody
                    await asyncio.sleep(0.05)

        at(lease, "sent", expire)
        await holder.leave(ONLY, await fails(lease, replace(step(1), next_offset=0)))
        assert await everything(bus, ARTICLES) == []
        await (await holder.lease(ONLY)).commit(step(1))
        assert [each.key for each in await everything(bus, ARTICLES)] == [b"k1"]


async def test_who_was_fenced_waits_for_its_heartbeat(broker: Cluster) -> None:
    """A zombie is given two heartbeats, to learn that it lost the partition, before it may open it again and fence its heir.

    It is known as one also where aiokafka, on a later call, says only that there is no transaction any more.
    """
    async with serving(kafka_engine.bus(settings(broker, partitions=1))) as holder:
        lease = await holder.lease(ONLY)
        assert isinstance(lease, KafkaLease)
        heir = Fenced(lease._group.link, lease._group.producer(ONLY))
        await heir.start()
        heir.discard()
        at(lease, "sending", lambda: until(producer_of(lease)._sender.sender_task.done))
        error = await fails(lease, step(1))
        assert isinstance(error, Lost)
        left = time.monotonic()
        await holder.leave(ONLY, error)
        await holder.lease(ONLY)
        assert time.monotonic() - left >= 2 * QUICK.heartbeat


async def test_a_commit_that_is_never_answered_ends(broker: Cluster) -> None:
    """The position of a topic that is gone is sent for ever: the step ends in time all the same, and the next lease works."""
    bus = kafka_engine.bus(settings(broker, partitions=1), timing=replace(QUICK, step=2.0))
    async with serving(bus) as holder:
        lease = await holder.lease(ONLY)
        producer, send = producer_of(lease), producer_of(lease).send_offsets_to_transaction
        producer.send_offsets_to_transaction = lambda _, group: send({TopicPartition("gone", 0): 1}, group)
        async with asyncio.timeout(PATIENCE / 2):
            error = await fails(lease, replace(step(1), next_offset=0))
        assert error.reason == "a step cannot be committed: no answer in time"
        await holder.leave(ONLY, error)
        await (await holder.lease(ONLY)).commit(step(2))
        assert [each.key for each in await everything(bus, ARTICLES)] == [b"k2"]


async def test_a_position_is_never_older_than_its_commit(broker: Cluster) -> None:
    """A storm of take-overs in the middle of commits: each heir begins where the last commit that holds has ended."""
    bus = kafka_engine.bus(settings(broker, partitions=1))
    async with serving(bus) as holder:
        await bus.publish([record(n, "lane") for n in range(40)])
        for turns in range(0, 36, 3):
            lease = await holder.lease(ONLY)
            (taken,) = await take_all(lease, 1, PATIENCE)
            row = lease.rows.get(b"next")
            assert taken.key == (row.value if row else b"k0")
            ending = asyncio.Event()
            at(lease, "offsets", _setting(ending))
            after = Row("lane", b"next", b"k%d" % (int(taken.key[1:]) + 1))
            committing = asyncio.create_task(lease.commit(Step(taken.offset + 1, [replace(taken, topic=ARTICLES)], [after])))
            await ending.wait()
            for _ in range(turns):
                await asyncio.sleep(0)
            committing.cancel()
            await asyncio.wait([committing])
            await holder.leave(ONLY)
        keys = [each.key for each in await everything(bus, ARTICLES)]
        assert keys == [b"k%d" % number for number in range(len(keys))]


async def test_what_retention_removes_under_a_lease_is_counted(broker: Cluster) -> None:
    """Records that vanish before an open lease has read them end it, and the next counts them and goes on behind the hole."""
    to, metrics = settings(broker, partitions=1), Metrics()
    bus = kafka_engine.bus(to, metrics=metrics)
    async with serving(bus) as holder:
        await bus.publish([Record(RAW, "lane", b"k%d" % n, os.urandom(3000), 1.0) for n in range(1500)])
        lease = await holder.lease(ONLY)
        await lease.commit(Step((await take_all(lease, 1, PATIENCE))[0].offset + 1))
        async with admin(to) as client:
            await client.delete_records({TopicPartition(bus._names.of(RAW), 0): RecordsToDelete(before_offset=1490)})
        with pytest.raises(BusError) as caught:
            await take_all(lease, 1499, PATIENCE)
        await holder.leave(ONLY, caught.value)
        lease = await holder.lease(ONLY)
        assert lease.position == 1490
        assert [each.key for each in await take_all(lease, 10, PATIENCE)] == [b"k%d" % n for n in range(1490, 1500)]
        assert metrics.registry.get_sample_value("rasid_records_skipped_total", {"hop": GROUP}) == 1489


class _Standing(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka asks for its own, untyped class
    """A member that never gives back what it was assigned."""

    def __init__(self) -> None:
        self.assigned = asyncio.Event()
        self.released = asyncio.Event()

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        if self.assigned.is_set():
            await self.released.wait()

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        self.assigned.set()


async def test_a_group_that_cannot_agree_is_joined_anew(broker: Cluster) -> None:
    """Where a rebalance does not end, the watchdog gives the consumer up, says so, and joins with another."""
    bus, standing = kafka_engine.bus(settings(broker, partitions=1), timing=replace(QUICK, opening=3.0)), _Standing()
    async with bus:
        strategy = [type("Sticky", (StickyPartitionAssignor,), {})]
        blocker = AIOKafkaConsumer(
            bootstrap_servers=list(broker.bootstrap_servers),
            group_id=bus._link.named(GROUP),
            partition_assignment_strategy=strategy,
            auto_offset_reset="none",
            heartbeat_interval_ms=250,
            rebalance_timeout_ms=120_000,
        )
        await blocker.start()
        blocker.subscribe([bus._names.of(RAW)], listener=standing)
        await standing.assigned.wait()
        with capture_logs() as logged:
            async with holding(bus, RAW, GROUP, PATIENCE) as holder:
                await until(lambda: any("cannot agree" in str(entry.get("reason")) for entry in logged))
                standing.released.set()
                await blocker.stop()
                await (await holder.lease(ONLY)).commit(step(1))


class Grinding(Passing):
    """Needs the processor for longer than a session lasts, beside the interpreter's lock as the real work does."""

    def prepare(self, batch: Sequence[str]) -> Sequence[str]:
        end = time.monotonic() + 1.6 * QUICK.session
        while time.monotonic() < end:
            hashlib.pbkdf2_hmac("sha256", b"", b"", 20_000)
        return batch


async def test_long_work_costs_no_lease(broker: Cluster) -> None:
    """While a hop computes beside the event loop, for longer than a session, its process stays a member and commits."""
    metrics = Metrics()
    with ThreadPoolExecutor(1) as executor:
        async with kafka_engine.bus(settings(broker, partitions=1)) as bus:
            await bus.publish([Record(RAW, "lane", b"key", b"text", 1.0)])
            stage = Stage(Kit(Grinding(), RAW, decode, WallClock(), metrics.observe, executor=executor), bus)
            running = asyncio.create_task(stage.run())
            async with asyncio.timeout(PATIENCE):
                while not await everything(bus, ARTICLES):  # noqa: ASYNC110 - nobody announces it
                    await asyncio.sleep(0.05)
            stage.stop()
            await running
    assert metrics.registry.get_sample_value("rasid_leases_lost_total", {"hop": GROUP}) is None


async def test_what_is_written_is_compressed_well(broker: Cluster) -> None:
    """By zstd, in transactions and outside: aiokafka has lz4 at its slowest level only."""
    bus = kafka_engine.bus(settings(broker, partitions=1))
    async with serving(bus) as holder:
        await bus.publish([Record(RAW, "lane", b"key", bytes(10_000), 1.0)])
        await (await holder.lease(ONLY)).commit(Step(None, [Record(ARTICLES, "lane", b"key", bytes(10_000), 1.0)]))
        for topic in (RAW, ARTICLES):
            (segment,) = (broker._home(1) / "data" / f"{bus._names.of(topic)}-0").glob("*.log")
            assert segment.read_bytes()[22] & 0b111 == 4  # the attributes of a batch: Kafka, “Record batch”


def _setting(event: asyncio.Event) -> Act:
    async def act() -> None:
        event.set()

    return act
