"""The Kafka engine as the conformance suite drives it: on a real broker, with topics of each test's own."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from daemon.bus.base import Bus, Lease
from daemon.bus.kafka.bus import KafkaBus
from daemon.bus.kafka.lease import KafkaLease
from daemon.bus.kafka.timing import Timing
from daemon.bus.topics import ARTICLES, DEADLETTER, RAW, TOPICS
from daemon.clock import WallClock
from daemon.config.models import KafkaSecurity, KafkaSettings
from daemon.metrics import Metrics
from tests.bus.engine import GROUP
from tests.servers.kafka import Cluster

PATIENCE = 60.0
QUICK = Timing(session=1.5, heartbeat=0.25, rebalance=4.0, leave=0.5, request=3.0, look=1.0)
"""Short enough for tests, with the order of the defaults."""


def settings(
    broker: Cluster, *, partitions: int = 2, create: bool = True, security: KafkaSecurity | None = None
) -> KafkaSettings:
    """Topics by a prefix nobody else has."""
    return KafkaSettings(
        bootstrap_servers=broker.secured(security.protocol) if security else broker.bootstrap_servers,
        security=security,
        topic_prefix=f"t{uuid.uuid4().hex[:12]}.",
        partitions=partitions,
        replication_factor=1,
        create_topics=create,
    )


def bus(to: KafkaSettings, *, timing: Timing = QUICK, metrics: Metrics | None = None) -> KafkaBus:
    """An engine of three topics: `articles.raw` for the enricher, `articles` for the matcher, and `deadletter`."""
    topics = (TOPICS[RAW], TOPICS[ARTICLES], TOPICS[DEADLETTER])
    observe = (metrics or Metrics()).observe
    return KafkaBus(to, clock=WallClock(), observe=observe, topics=topics, timing=timing)


@asynccontextmanager
async def admin(to: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """For what operators and brokers do to topics."""
    client = AIOKafkaAdminClient(bootstrap_servers=list(to.bootstrap_servers))
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.02)


class KafkaEngine:
    """Implements `tests.bus.engine.Engine`."""

    patience = 15.0

    def __init__(self, to: KafkaSettings, timing: Timing = QUICK) -> None:
        self._settings = to
        self._timing = timing
        self._open: list[KafkaBus] = []

    async def open(self, *, service: bool = True) -> Bus:
        opened = await bus(self._settings, timing=self._timing).__aenter__()
        self._open.append(opened)
        return opened

    async def close(self, bus: Bus) -> None:
        closing = self._own(bus)
        self._open.remove(closing)
        await closing.__aexit__(None, None, None)

    async def crash(self, bus: Bus) -> None:
        for coordinator in self._coordinators(bus):
            coordinator.generation = 0  # so that the group is not told: it has to find out
        for member in self._own(bus)._members:
            member.shares.cut_off()  # what is in hand stops where it stands
        await self.close(bus)

    async def usurp(self, bus: Bus) -> Bus:
        async def frozen() -> bool:
            return True

        for coordinator in self._coordinators(bus):
            coordinator._do_heartbeat = frozen
        return await self.open()

    async def age(self, bus: Bus) -> None:
        """A broker forgets by age alone, whatever was consumed; this one as little as the others."""
        async with admin(self._settings) as client:
            positions = await client.list_consumer_group_offsets(self._settings.topic_prefix + GROUP)
            consumed = {each: RecordsToDelete(before_offset=place.offset) for each, place in positions.items()}
            await client.delete_records(consumed)

    def buffered(self, lease: Lease) -> int:
        assert isinstance(lease, KafkaLease)
        return len(lease._inbox)

    async def close_all(self) -> None:
        for each in list(self._open):
            await self.close(each)

    def joined(self, bus: Bus) -> bool:
        """Whether a process has a part in every group it serves, be it no partition."""
        return all(coordinator.generation > 0 for coordinator in self._coordinators(bus))

    def _coordinators(self, bus: Bus) -> list[Any]:
        consumers = [member.shares._consumer for member in self._own(bus)._members]
        return [consumer._coordinator for consumer in consumers if consumer]

    def _own(self, bus: Bus) -> KafkaBus:
        return next(each for each in self._open if each is bus)
