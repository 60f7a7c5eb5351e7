"""The Kafka engine on three brokers that are restarted one after the other."""

import asyncio

import pytest

from daemon.bus.topics import ARTICLES
from tests.bus import kafka_engine
from tests.bus.copying import COUNT, copy
from tests.bus.engine import GROUP, everything, record
from tests.bus.kafka_engine import settings
from tests.servers.kafka import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


async def test_a_roll_loses_and_doubles_nothing(broker: Cluster) -> None:
    """Each broker is stopped in order and started again under load: every record has its effect once, and soon."""
    with Cluster(3) as cluster:
        to = settings(cluster, partitions=3).model_copy(update={"replication_factor": 3})
        async with kafka_engine.bus(to) as bus:
            copying, published = asyncio.create_task(copy(bus)), 0
            try:
                for node in (1, 2, 3):
                    rolling = asyncio.create_task(roll(cluster, node))
                    while not rolling.done():
                        await bus.publish([record(published, f"site-{published % 17}.example")])
                        published += 1
                    await rolling
                async with asyncio.timeout(30):
                    while len(found := await everything(bus, ARTICLES)) < published:  # noqa: ASYNC110 - nobody announces it
                        await asyncio.sleep(0.1)
            finally:
                copying.cancel()
                await asyncio.gather(copying, return_exceptions=True)
            assert sorted(each.key for each in found) == sorted(b"k%d" % number for number in range(published))
            counted = [int(row.value or b"0") async for row in bus.state(GROUP) if row.key == COUNT]
            assert sum(counted) == published


async def roll(cluster: Cluster, node: int) -> None:
    await asyncio.to_thread(cluster.stop, node)
    cluster.launch(node)
    await asyncio.to_thread(cluster.await_ready, node, brokers=3)
