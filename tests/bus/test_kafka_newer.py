"""Changelogs that a newer version wrote to."""

import pytest
from aiokafka import AIOKafkaProducer

from daemon.bus.base import Row, Step
from daemon.bus.codec import encode_row
from daemon.bus.kafka.wanted import state_of
from daemon.bus.topics import RAW
from daemon.config.models import KafkaSettings
from daemon.errors import NewerRow
from tests.bus import kafka_engine
from tests.bus.engine import GROUP, HERE, everything, holding, lane_of, record, state
from tests.bus.kafka_engine import PATIENCE, settings
from tests.servers.kafka import Cluster

pytestmark = pytest.mark.kafka


async def write(to: KafkaSettings, key: bytes, value: bytes) -> None:
    """An entry of the enricher's changelog, as another program may write one."""
    producer = AIOKafkaProducer(bootstrap_servers=list(to.bootstrap_servers))
    await producer.start()
    try:
        await producer.send_and_wait(to.topic_prefix + state_of(GROUP), value, key=key, partition=HERE)
    finally:
        await producer.stop()


async def test_a_newer_row_is_refused(broker: Cluster) -> None:
    """Who restores it is offered no more, and told topic and partition; nothing is consumed."""
    to = settings(broker)
    async with kafka_engine.bus(to) as bus:
        await bus.publish([record(n, lane_of(HERE, bus)) for n in range(3)])
        async with holding(bus, RAW, GROUP, PATIENCE) as holder:
            await (await holder.lease(HERE)).commit(Step(1, (), [Row("lane", b"old", b"v", 5.0)]))
    await write(to, b"new", b"\x02" + encode_row(Row("lane", b"new", b"v"))[1:])
    async with kafka_engine.bus(to) as bus:
        async with holding(bus, RAW, GROUP, PATIENCE) as holder:
            with pytest.raises(NewerRow, match=r"enricher\.state/0: the row b'new' has format 2 of a newer version"):
                await holder.ended()
        with pytest.raises(NewerRow):
            await state(bus)
        assert len(await everything(bus, RAW)) == 3
