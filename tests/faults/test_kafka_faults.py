"""A short selection of the table's Kafka rows: every fault once or twice, on one broker, so that three are not waited for."""

import asyncio
import secrets
from pathlib import Path

import pytest

from daemon.bus.base import Bus
from daemon.bus.kafka.bus import KafkaBus
from daemon.bus.topics import ARTICLES
from tests.bus import kafka_engine
from tests.bus.copying import COUNT, copy
from tests.bus.engine import GROUP, everything, record
from tests.bus.kafka_engine import PATIENCE, settings, until
from tests.faults.brokers import workers
from tests.faults.flow import flowing
from tests.faults.kafka_rows import hasty_trial, trial
from tests.faults.ledger import keeping
from tests.faults.progress import Tally
from tests.faults.proxy import Mode, Proxy
from tests.faults.scene import staged
from tests.faults.strikes import Kill
from tests.faults.worker_strikes import Leave
from tests.servers.kafka import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.mark.timeout(400)
async def test_workers_die_and_leave(tmp_path: Path, broker: Cluster) -> None:
    """Three workers under a flow of articles: two are killed, one ends in order; nothing is lost, nothing doubled."""
    to, seed = settings(broker, partitions=3), secrets.randbelow(2**32)
    async with (
        keeping(tmp_path, seed, takes=0.02) as ledger,
        staged(tmp_path, ledger, Tally(), workers(tmp_path, ledger, to)) as scene,
    ):
        scene.chance.seed(seed)
        ledger.publish(10)
        await scene.up()
        await scene.at_work()
        async with flowing(ledger, 4.0) as flow:
            for _ in range(2):
                await hasty_trial(scene, flow, Kill())
            await trial(scene, flow, Leave(to.partitions, hand_over=15.0))
        print(f"seed {seed}: {await scene.settle()}; {scene.tally.told()}")  # noqa: T201 - to draw the same again, and the figures


async def test_a_network_gone_bad() -> None:
    """A hop cut off from its broker, in any of three ways, says so and goes on afterwards: each record has its effect once."""
    async with Proxy() as network:
        with Cluster(fronts={1: network.port}) as cluster:
            network.target = cluster.behind(1)
            behind = settings(cluster)
            past = behind.model_copy(update={"bootstrap_servers": cluster.direct_servers})
            async with kafka_engine.bus(past) as publisher, kafka_engine.bus(behind) as bus:
                copying = asyncio.create_task(copy(bus))
                try:
                    for number, mode in enumerate((Mode.DROP, Mode.STALL, Mode.BLACK_HOLE)):
                        await cut_off(number * 100, bus, publisher, network, mode)
                finally:
                    copying.cancel()
                    await asyncio.gather(copying, return_exceptions=True)
                found = await everything(publisher, ARTICLES)
                assert sorted(each.key for each in found) == sorted(b"k%d" % number for number in range(300))
                assert sum([int(row.value or b"0") async for row in publisher.state(GROUP) if row.key == COUNT]) == 300


async def cut_off(first: int, bus: KafkaBus, publisher: Bus, network: Proxy, mode: Mode) -> None:
    """A hundred records from the `first`: the network goes bad amid the first half, which is copied in steps of five."""
    await publish(publisher, first, first + 50)
    await copied(publisher, first + 1)
    network.mode = mode
    await until(bus.trouble)
    await publish(publisher, first + 50, first + 100)
    network.mode = Mode.PASS
    await copied(publisher, first + 100)
    await until(lambda: bus.trouble() is None)


async def publish(bus: Bus, first: int, end: int) -> None:
    await bus.publish([record(number, f"site-{number % 17}.example") for number in range(first, end)])


async def copied(bus: Bus, count: int) -> None:
    async with asyncio.timeout(2 * PATIENCE):
        while len(await everything(bus, ARTICLES)) < count:  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.05)
