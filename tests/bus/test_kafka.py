"""The Kafka engine on a real broker: the rules of every engine, and those only a cluster can break."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from structlog.testing import capture_logs

from daemon.bus.base import CLOSE_WITHIN, Bus, Record, Row, Step
from daemon.bus.kafka.bus import KafkaBus
from daemon.bus.kafka.stored import Entry
from daemon.bus.topics import ARTICLES, RAW
from daemon.errors import BusError, BusRefused, Lost
from daemon.metrics import Metrics
from tests.bus import kafka_engine
from tests.bus.conformance import Conformance
from tests.bus.copying import COUNT, copy
from tests.bus.engine import GROUP, HERE, everything, holding, record, state, take_all
from tests.bus.kafka_engine import PATIENCE, QUICK, KafkaEngine, admin, settings, until
from tests.servers.kafka import Cluster

pytestmark = pytest.mark.kafka


@pytest.fixture
async def engine(broker: Cluster) -> AsyncIterator[KafkaEngine]:
    made = KafkaEngine(settings(broker))
    yield made
    await made.close_all()


@pytest.fixture(scope="module")
def victim(broker: Cluster) -> Iterator[Cluster]:
    """A broker of this module's own, to be killed and frozen; each test leaves it running."""
    with Cluster() as cluster:
        yield cluster


class TestConformance(Conformance):
    """All rules of `Conformance`."""


async def copied(bus: Bus, count: int) -> list[Record]:
    """What stands in `articles`, once it is at least `count` different ones."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await everything(bus, ARTICLES)
            if len({each.key for each in found}) >= count:
                return found
            await asyncio.sleep(0.05)


def numbered(start: int, end: int) -> list[Record]:
    return [record(n, f"site-{n % 17}.example") for n in range(start, end)]


def assert_each_once(found: list[Record], count: int) -> None:
    assert Counter(each.key for each in found) == {b"k%d" % n: 1 for n in range(count)}


async def counted(bus: Bus) -> int:
    return sum(int(row.value or b"0") for row in [row async for row in bus.state(GROUP)] if row.key == COUNT)


@asynccontextmanager
async def running(*coroutines: "asyncio.Task[None]") -> AsyncIterator[None]:
    try:
        yield
    finally:
        for task in coroutines:
            task.cancel()
        await asyncio.gather(*coroutines, return_exceptions=True)


class TestProcesses:
    """Several processes share a group."""

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
    async def test_a_process_that_dies_or_freezes_loses_and_doubles_nothing(self, broker: Cluster, how: signal.Signals) -> None:
        """Whatever a killed or frozen process had in hand, each record has its effect once, also when the zombie wakes."""
        to = settings(broker, partitions=4)
        async with kafka_engine.bus(to) as bus:
            await bus.publish(numbered(0, 400))
            command = [sys.executable, "-m", "tests.bus.copying", to.topic_prefix, "4", *to.bootstrap_servers]
            workers = [await asyncio.create_subprocess_exec(*command)]
            try:
                await copied(bus, 50)
                workers.append(await asyncio.create_subprocess_exec(*command))
                await copied(bus, 100)
                os.kill(workers[0].pid, how)
                await bus.publish(numbered(400, 800))
                found = await copied(bus, 800)
                if how is signal.SIGSTOP:
                    os.kill(workers[0].pid, signal.SIGCONT)
                    await bus.publish(numbered(800, 900))
                    found = await copied(bus, 900)
            finally:
                for worker in workers:
                    if worker.returncode is None:
                        worker.kill()
                    await worker.wait()
            assert_each_once(found, len(found))
            assert len(found) == (900 if how is signal.SIGSTOP else 800)
            assert await counted(bus) == len(found)

    async def test_a_member_without_partitions_takes_over(self, broker: Cluster) -> None:
        """A process that was given nothing, because there were too few partitions, is there when the holder dies."""
        engine = KafkaEngine(settings(broker, partitions=1))
        first, second = await engine.open(), await engine.open()
        holder_context = holding(first, RAW, GROUP, PATIENCE)
        holder = await holder_context.__aenter__()
        await (await holder.lease(0)).commit(Step(None, (), [Row("lane", b"row", b"v")]))
        async with holding(second, RAW, GROUP, PATIENCE) as heir:
            await until(lambda: engine.joined(second))
            await engine.crash(first)
            assert (await heir.lease(0)).rows.get(b"row") == Row("lane", b"row", b"v")
        await holder_context.__aexit__(None, None, None)
        await engine.close_all()

    async def test_a_holder_that_does_not_leave_is_cut_off(self, engine: KafkaEngine) -> None:
        """A partition that is wanted back is given on after a while, whoever sits on it; the late holder's commit is `Lost`."""
        first, second = await engine.open(), await engine.open()
        async with holding(first, RAW, GROUP, PATIENCE) as stays:
            stale = await stays.all()
            async with holding(second, RAW, GROUP, PATIENCE) as comes:
                lease = await comes.any()
                with pytest.raises(Lost):
                    await stale[lease.partition].commit(Step(None, (), [Row("lane", b"row", b"v")]))
                assert stale[lease.partition].leaving.is_set()
                with pytest.raises(BusError):
                    await stale[lease.partition].take(1)

    async def test_nothing_is_left_running(self, broker: Cluster) -> None:
        """A bus that was closed has no task left, though leases were lost and offers stood open."""
        before = asyncio.all_tasks()
        async with kafka_engine.bus(settings(broker)) as bus, holding(bus, RAW, GROUP, PATIENCE) as holder:
            await bus.publish(numbered(0, 5))
            await holder.any()
        await until(lambda: asyncio.all_tasks() == before)


class TestPositions:
    """Where a lease begins, and what of it is certain."""

    async def test_what_retention_removed_is_counted(self, broker: Cluster) -> None:
        """Records that vanished before they were read are counted, and the lease goes on behind the hole."""
        to, metrics = settings(broker, partitions=1), Metrics()
        async with kafka_engine.bus(to, metrics=metrics) as bus:
            await bus.publish(numbered(0, 10))
            async with holding(bus, RAW, GROUP, PATIENCE) as holder:
                await (await holder.lease(0)).commit(Step(2))
            async with admin(to) as client:
                hole = {TopicPartition(f"{to.topic_prefix}{RAW}", 0): RecordsToDelete(before_offset=6)}
                await client.delete_records(hole)
            async with holding(bus, RAW, GROUP, PATIENCE) as holder:
                lease = await holder.lease(0)
                assert lease.position == 6
                assert [each.key for each in await take_all(lease, 4, PATIENCE)] == [b"k6", b"k7", b"k8", b"k9"]
            assert metrics.registry.get_sample_value("rasid_records_skipped_total", {"hop": GROUP}) == 4

    async def test_a_position_beyond_the_end_is_refused(self, broker: Cluster) -> None:
        """Where the log is shorter than what was read of it, people must look: the lease does not open, `trouble` says why."""
        async with kafka_engine.bus(settings(broker, partitions=1)) as bus:
            async with holding(bus, RAW, GROUP, PATIENCE) as holder:
                await (await holder.lease(0)).commit(Step(7))
            async with holding(bus, RAW, GROUP, PATIENCE):
                await until(lambda: "beyond the end" in (bus.trouble() or ""))

    async def test_marks_of_transactions_are_no_lag(self, broker: Cluster) -> None:
        """A lease whose partition holds nothing more but the mark of a transaction has no lag, from the moment it opens."""
        async with kafka_engine.bus(settings(broker, partitions=1)) as bus:
            async with holding(bus, RAW, GROUP, PATIENCE) as holder:
                await (await holder.lease(0)).commit(Step(None, [replace(each, topic=ARTICLES) for each in numbered(0, 3)]))
            async with holding(bus, ARTICLES, "matcher", PATIENCE) as holder:
                lease = await holder.lease(0)
                assert 3 <= lease.lag() <= 4
                taken = await take_all(lease, 3, PATIENCE)
                assert lease.lag() <= 1
                await lease.commit(Step(taken[-1].offset + 1))
                await holder.leave(0)
                lease = await holder.lease(0)
                assert lease.position == taken[-1].offset + 1
                assert lease.lag() == 0

    async def test_rows_are_restored_every_time(self, broker: Cluster) -> None:
        """No restore, however many run at once, ends with an empty or partial state."""
        async with kafka_engine.bus(settings(broker, partitions=1)) as bus:
            async with holding(bus, RAW, GROUP, PATIENCE) as holder:
                await (await holder.lease(0)).commit(Step(None, (), [Row("lane", b"%d" % n, b"v") for n in range(50)]))
            assert [len(each) for each in await asyncio.gather(*(state(bus) for _ in range(20)))] == [50] * 20

    async def test_what_others_wrote_gets_past(self, broker: Cluster) -> None:
        """A record with broken headers, or none, is taken like any other: nothing can block a partition."""
        to = settings(broker, partitions=1)
        async with kafka_engine.bus(to) as bus:
            full, broken = f"{to.topic_prefix}{RAW}", (("lane", b"\xff"), ("at", b"now"))
            await bus._publisher.publish([Entry(full, 0, b"", b"a"), Entry(full, 0, b"", b"b", 5000, broken)])
            async with holding(bus, RAW, GROUP, PATIENCE) as holder:
                taken = await take_all(await holder.lease(0), 2, PATIENCE)
            assert [(each.lane, each.value) for each in taken] == [("", b"a"), ("\ufffd", b"b")]
            assert taken[1].at == 5.0


class TestBroker:
    """What brokers do."""

    async def test_a_record_the_broker_refuses_ends_the_step(self, broker: Cluster) -> None:
        """One failed batch is no hole in a transaction: nothing of its step commits, and the next lease begins before it."""
        to = settings(broker, partitions=1)
        async with kafka_engine.bus(to) as bus:
            await bus.publish(numbered(0, 1))
            limit = ConfigResource(ConfigResourceType.TOPIC, f"{to.topic_prefix}{ARTICLES}", {"max.message.bytes": "1000"})
            async with admin(to) as client:
                await client.alter_configs([limit])
            async with holding(bus, RAW, GROUP, PATIENCE) as holder:
                lease = await holder.lease(0)
                large = Record(ARTICLES, "lane", b"large", os.urandom(10_000), 1.0)
                with pytest.raises(BusError):
                    await lease.commit(Step(1, [record(1, "lane", ARTICLES), large], [Row("lane", b"row", b"v")]))
                with pytest.raises(BusError):
                    await lease.commit(Step(1))
                await holder.leave(0, BusError("refused"))
                lease = await holder.lease(0)
                assert (lease.position, lease.rows.get(b"row")) == (0, None)
            assert await everything(bus, ARTICLES) == []

    async def test_a_broker_killed_in_mid_commit_loses_nothing(self, victim: Cluster) -> None:
        """A kill -9 of the only broker while commits are under way, and its restart: every record arrives.

        Once each is not promised here: such a broker may forget the marks of the last transactions (docs/decisions.md). Three
        brokers do not: `kafka-broker-kill` in `tests.faults`.
        """
        async with kafka_engine.bus(settings(victim)) as bus:
            await bus.publish(numbered(0, 400))
            async with running(asyncio.create_task(copy(bus))):
                await copied(bus, 50)
                victim.kill(1)
                victim.launch(1)
                await asyncio.to_thread(victim.await_ready, 1)
                found = await copied(bus, 400)
            assert {each.key for each in found} == {b"k%d" % number for number in range(400)}

    async def test_a_frozen_broker_holds_nobody_for_ever(self, victim: Cluster) -> None:
        """While a broker answers nothing, a commit fails within its bound, `trouble` says so, and the bus still closes."""
        timing = replace(QUICK, step=2.0)
        bus = await kafka_engine.bus(settings(victim), timing=timing).__aenter__()
        try:
            async with holding(bus, RAW, GROUP, PATIENCE) as holder:
                lease = await holder.lease(HERE)
                victim.freeze(1)
                async with asyncio.timeout(timing.step + 1):
                    with pytest.raises(BusError):
                        await lease.commit(Step(None, (), [Row("lane", b"row", b"v")]))
                await until(lambda: "no broker answers" in (bus.trouble() or ""))
            async with asyncio.timeout(CLOSE_WITHIN + 0.5):
                await bus.__aexit__(None, None, None)
        finally:
            victim.thaw(1)


class TestStart:
    """Brokers and topics that are not as they should be."""

    async def test_a_broker_that_comes_late(self, broker: Cluster) -> None:
        """Without a broker the bus opens, says what is missing and refuses to publish; when one comes, everything begins."""
        late = Cluster()
        bus = kafka_engine.bus(settings(late), timing=replace(QUICK, start=0.3))
        async with asyncio.timeout(2):
            await bus.__aenter__()
        try:
            assert late.bootstrap_servers[0] in (bus.trouble() or "")
            with pytest.raises(BusError):
                await bus.publish(numbered(0, 1))
            async with holding(bus, RAW, GROUP, PATIENCE) as holder:
                with late:
                    await holder.any()
                    assert bus.trouble() is None
                    await bus.publish(numbered(0, 1))
                    assert len(await everything(bus, RAW)) == 1
        finally:
            await bus.__aexit__(None, None, None)

    async def test_other_partition_counts_are_refused(self, broker: Cluster) -> None:
        """Records would stand in other partitions than their lanes': both numbers are named, all topics at once."""
        to = settings(broker, partitions=2)
        async with kafka_engine.bus(to):
            pass
        with pytest.raises(BusRefused, match=r"articles\.raw has 2 partitions, bus\.kafka\.partitions says 3.*matcher\.state"):
            await opened(kafka_engine.bus(to.model_copy(update={"partitions": 3})))

    async def test_missing_topics_are_refused(self, broker: Cluster) -> None:
        """Where topics are not to be created, those that are missing are named."""
        with pytest.raises(BusRefused, match=r"create_topics is false.*articles\.raw.*enricher\.state"):
            await opened(kafka_engine.bus(settings(broker, create=False)))

    @pytest.mark.parametrize(
        ("topic", "config", "says"),
        [
            ("enricher.state", {"max.message.bytes": "9000000"}, "cleanup.policy=delete, needed is compact"),
            (RAW, {"max.message.bytes": "1000000"}, "max.message.bytes=1000000"),
            (RAW, {"max.message.bytes": "9000000", "cleanup.policy": "compact"}, "cleanup.policy=compact, needed is delete"),
        ],
    )
    async def test_topics_made_otherwise_are_refused(
        self, broker: Cluster, topic: str, config: dict[str, str], says: str
    ) -> None:
        """A changelog that forgets, an input that keeps one record a key, a limit below 8 MiB: each is named."""
        to = settings(broker, partitions=1)
        async with admin(to) as client:
            await client.create_topics([NewTopic(f"{to.topic_prefix}{topic}", 1, 1, topic_configs=config)])
        with pytest.raises(BusRefused, match=says):
            await opened(kafka_engine.bus(to))

    async def test_topics_that_keep_less_are_used_with_a_warning(self, broker: Cluster) -> None:
        """What is safe but other than configured is said in the log, a sentence each, and work begins."""
        to = settings(broker, partitions=1)
        configs = {"max.message.bytes": "9000000", "retention.ms": "60000"}
        async with admin(to) as client:
            await client.create_topics([NewTopic(f"{to.topic_prefix}{RAW}", 1, 1, topic_configs=configs)])
        with capture_logs() as logged:
            async with kafka_engine.bus(to) as bus:
                await bus.publish(numbered(0, 1))
        (said,) = [entry["reason"] for entry in logged if entry["event"] == "topic_in_doubt"]
        assert said == f"{to.topic_prefix}{RAW} has retention.ms=60000, wanted is 604800000 (bus.retention)"

    async def test_unknown_topics_are_refused(self, broker: Cluster) -> None:
        """A topic the engine was not made with is named, whatever is asked of it."""
        async with kafka_engine.bus(settings(broker)) as bus:
            with pytest.raises(BusRefused, match="nowhere"):
                await bus.publish([record(1, "lane", "nowhere")])
            with pytest.raises(BusRefused, match="nowhere"):
                bus.partitions("nowhere")


async def opened(bus: KafkaBus) -> None:
    async with bus:
        pass
