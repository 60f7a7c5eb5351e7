"""Processes that die on a real broker: at any point of a lease's life, and at chosen points inside a transaction."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from daemon.bus.topics import ARTICLES
from daemon.config.models import KafkaSettings
from tests.bus import kafka_engine
from tests.bus.copying import COUNT, copy
from tests.bus.crash_rules import CrashRules
from tests.bus.engine import everything, record, state
from tests.bus.kafka_engine import PATIENCE, KafkaEngine, settings
from tests.bus.points import POINTS
from tests.servers.kafka import Cluster

pytestmark = pytest.mark.kafka
RECORDS = 40


def named(broker: Cluster, partitions: int) -> KafkaSettings:
    """Who comes back by the same name need not wait until the dead one is missed."""
    return KafkaSettings.model_validate(dict(settings(broker, partitions=partitions)) | {"instance": "only"})


@pytest.fixture
async def engine(broker: Cluster) -> AsyncIterator[KafkaEngine]:
    made = KafkaEngine(named(broker, 2))
    yield made
    await made.close_all()


class TestCrashes(CrashRules):
    """All rules of `CrashRules`."""


async def test_deaths_inside_transactions(broker: Cluster) -> None:
    """Killed at each chosen point of a transaction, processes leave nothing lost and nothing doubled to their heirs."""
    ends = await asyncio.gather(*(_killed_and_continued(named(broker, 1), point) for point in POINTS))
    once = ({b"k%d" % number: 1 for number in range(RECORDS)}, RECORDS)
    assert dict(zip(POINTS, ends, strict=True)) == dict.fromkeys(POINTS, (-signal.SIGKILL, *once))


async def _killed_and_continued(to: KafkaSettings, point: str) -> tuple[int, Counter[bytes], int]:
    """How the process ended; how often each record passed, and how many the row counts, once another had gone on."""
    async with kafka_engine.bus(to) as bus:
        await bus.publish([record(n, f"site-{n % 5}.example") for n in range(RECORDS)])
        copying = [sys.executable, "-m", "tests.bus.copying", "--dies", point]
        command = [*copying, to.topic_prefix, "1", *to.bootstrap_servers]
        victim = await asyncio.create_subprocess_exec(*command)
        try:
            async with asyncio.timeout(PATIENCE):
                status = await victim.wait()
        finally:
            if victim.returncode is None:
                victim.kill()
                await victim.wait()
        going_on = asyncio.create_task(copy(bus))
        async with asyncio.timeout(PATIENCE):
            while len(found := await everything(bus, ARTICLES)) < RECORDS:  # noqa: ASYNC110 - nobody announces it
                await asyncio.sleep(0.05)
        going_on.cancel()
        await asyncio.gather(going_on, return_exceptions=True)
        counted = (await state(bus))[COUNT].value or b""
        return status, Counter(each.key for each in found), int(counted)
