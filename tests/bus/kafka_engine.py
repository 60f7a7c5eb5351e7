"""The Kafka engine as the conformance suite drives it: on a real broker, with topics of each test's own."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from daemon.bus.base import Bus
from daemon.bus.kafka.bus import KafkaBus
from daemon.bus.kafka.timing import Timing
from daemon.bus.topics import ARTICLES, RAW, TOPICS
from daemon.clock import WallClock
from daemon.config.models import KafkaSecurity, KafkaSettings
from daemon.metrics import Metrics
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
    """An engine of two topics, `articles.raw` for the enricher and `articles` for the matcher."""
    topics = (TOPICS[RAW], TOPICS[ARTICLES])
    observe = (metrics or Metrics()).observe
    return KafkaBus(to, clock=WallClock(), observe=observe, topics=topics, timing=timing)


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
        closing = next(each for each in self._open if each is bus)
        self._open.remove(closing)
        await closing.__aexit__(None, None, None)

    async def crash(self, bus: Bus) -> None:
        for coordinator in self._coordinators(bus):
            coordinator.generation = 0  # so that the group is not told: it has to find out
        await self.close(bus)

    async def usurp(self, bus: Bus) -> Bus:
        async def frozen() -> bool:
            return True

        for coordinator in self._coordinators(bus):
            coordinator._do_heartbeat = frozen
        return await self.open()

    async def close_all(self) -> None:
        for each in list(self._open):
            await self.close(each)

    def joined(self, bus: Bus) -> bool:
        """Whether a process has a part in every group it serves, be it no partition."""
        return all(coordinator.generation > 0 for coordinator in self._coordinators(bus))

    def _coordinators(self, bus: Bus) -> list[Any]:
        mine = next(each for each in self._open if each is bus)
        return [member.shares._consumer._coordinator for member in mine._members if member.shares._consumer]
