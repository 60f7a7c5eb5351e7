"""Rows on a real broker whose cleaner compacts the changelog: gaps between offsets, and deletions that are forgotten."""

import asyncio
from collections.abc import Mapping

import pytest
from aiokafka import TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from daemon.bus.base import Row, Step
from daemon.bus.kafka.bus import KafkaBus
from daemon.bus.kafka.reading import bounds, reader
from daemon.bus.kafka.stored import MESSAGE_BYTES
from daemon.bus.topics import RAW
from daemon.config.models import KafkaSettings
from tests.bus import kafka_engine
from tests.bus.engine import GROUP, holding, state
from tests.bus.kafka_engine import PATIENCE, admin, settings
from tests.servers.kafka import Cluster

pytestmark = pytest.mark.kafka
ONLY = 0
AS_MADE = {"cleanup.policy": "compact", "max.message.bytes": str(MESSAGE_BYTES)}
EAGER = {"segment.ms": "50", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "50"}
"""Tiny segments, cleaned as soon as anything in them is out of date; deletions are forgotten almost at once."""


async def test_rows_survive_compaction(broker: Cluster) -> None:
    """Restored from what the cleaner left, anew or on top of what is known, rows are those that were committed last."""
    to = settings(broker, partitions=1)
    async with kafka_engine.bus(to) as bus:
        await _configure(to, EAGER)
        async with holding(bus, RAW, GROUP, PATIENCE) as holder:
            lease = await holder.lease(ONLY)
            await lease.commit(Step(None, (), [Row("lane", b"row-%d" % n, b"v", float(n)) for n in range(50)]))
            await lease.commit(Step(None, (), [Row("lane", b"row-%d" % n, None) for n in range(25)]))
            rounds = 0
            async with asyncio.timeout(PATIENCE):
                while not _cleaned(await _keys(bus)):
                    rounds += 1
                    await lease.commit(Step(None, (), [Row("lane", b"hot-%d" % (rounds % 5), b"%d" % rounds)]))
            expected = {row.key: row for row in lease.rows.scan()}
            assert len(expected) == 25 + min(5, rounds)
            await holder.leave(ONLY)
            assert {row.key: row for row in (await holder.lease(ONLY)).rows.scan()} == expected
        assert await state(bus) == expected
        async with holding(bus, RAW, GROUP, PATIENCE) as holder:
            lease = await holder.lease(ONLY)
            assert {row.key: row for row in lease.rows.scan()} == expected
            assert lease.rows.next_wake() == 25.0
            await lease.commit(Step(None, (), [Row("lane", b"row-30", None)]))
        assert await state(bus) == {key: row for key, row in expected.items() if key != b"row-30"}


def _cleaned(keys: Mapping[int, bytes]) -> bool:
    """Whether every trace of the rows that were deleted has gone, their deletions included."""
    return not {b"row-%d" % n for n in range(25)} & set(keys.values())


async def _keys(bus: KafkaBus) -> dict[int, bytes]:
    """What stands in the changelog, by offset."""
    changelog = TopicPartition(bus._names.of(f"{GROUP}.state"), ONLY)
    found: dict[int, bytes] = {}
    async with reader(bus._link) as consumer:
        first, end = await bounds(consumer, changelog)
        consumer.assign([changelog])
        consumer.seek(changelog, first)
        while await consumer.position(changelog) < end:
            messages = (await consumer.getmany(changelog, timeout_ms=20)).get(changelog, ())
            found.update((message.offset, message.key) for message in messages)
    return found


async def _configure(to: KafkaSettings, configs: Mapping[str, str]) -> None:
    changelog = f"{to.topic_prefix}{GROUP}.state"
    async with admin(to) as client:
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, changelog, {**AS_MADE, **configs})])
