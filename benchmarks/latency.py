"""One article through one idle hop, on both buses: milliseconds from its publication until the next hop holds it.

python -m benchmarks.latency [ARTICLES]
"""

import asyncio
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path
from typing import Final

from daemon.bus.base import Bus, Lease, Record
from daemon.bus.embedded import EmbeddedBus
from daemon.bus.kafka.bus import KafkaBus
from daemon.bus.topics import ARTICLES, RAW, TOPICS
from daemon.clock import WallClock
from daemon.config.models import KafkaSettings
from daemon.metrics import Metrics
from daemon.stage.hop import Effects, Hop, Table, Time
from daemon.stage.partition import Kit
from daemon.stage.runner import Stage
from tests.servers import kafka

ARTICLE: Final = bytes(range(256)) * 15
PAUSE: Final = 0.2
"""Seconds between two articles: everything rests before the next comes."""


class Forward(Hop[bytes, bytes]):
    """Puts each article onto the next topic."""

    name, time = "enricher", Time.WALL

    def prepare(self, batch: Sequence[bytes]) -> Sequence[bytes]:
        return batch

    def decide(self, item: bytes, table: Table, now: float) -> Effects:  # noqa: ARG002 - the contract
        return Effects(out=[Record(ARTICLES, "lane", b"key", item, now)])


class Heir:
    """The next hop: says when it holds an article."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._tasks: set[asyncio.Task[None]] = set()
        self.came: asyncio.Queue[float] = asyncio.Queue()

    async def run(self) -> None:
        try:
            async with aclosing(self._bus.leases(ARTICLES, "matcher")) as offers:
                async for offer in offers:
                    self._tasks.add(asyncio.create_task(self._hold(offer)))
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _hold(self, offer: AbstractAsyncContextManager[Lease]) -> None:
        async with offer as lease:
            while True:
                for _ in await lease.take(500):
                    self.came.put_nowait(time.perf_counter())


def _as_it_came(value: bytes | None) -> bytes:
    return value or b""


async def measure(bus: Bus, count: int) -> list[float]:
    """Milliseconds, one for each article, in ascending order; the first ones, which open everything, are left out."""
    clock = WallClock()
    stage, heir = Stage(Kit(Forward(), RAW, _as_it_came, clock, Metrics().observe), bus), Heir(bus)
    running = [asyncio.create_task(stage.run()), asyncio.create_task(heir.run())]
    taken = []
    for number in range(count + 5):
        began = time.perf_counter()
        await bus.publish([Record(RAW, f"lane{number}", b"%d" % number, ARTICLE, clock.now())])
        taken.append(1000 * (await heir.came.get() - began))
        await asyncio.sleep(PAUSE)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return sorted(taken[5:])


def told(name: str, taken: Sequence[float]) -> str:
    middle, late, last = taken[len(taken) // 2], taken[int(len(taken) * 0.95)], taken[-1]
    return f"{name:9} median {middle:6.1f} ms   p95 {late:6.1f} ms   most {last:6.1f} ms"


async def embedded(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedBus(Path(folder) / "bus.sqlite", clock=WallClock(), service=True) as bus:
            print(told("embedded", await measure(bus, count)))


async def on_kafka(servers: Sequence[str], count: int) -> None:
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    settings = KafkaSettings(bootstrap_servers=tuple(servers), topic_prefix=prefix, partitions=4, replication_factor=1)
    topics = (TOPICS[RAW], TOPICS[ARTICLES])
    async with KafkaBus(settings, clock=WallClock(), observe=Metrics().observe, topics=topics) as bus:
        print(told("kafka", await measure(bus, count)))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    asyncio.run(embedded(count))
    if reason := kafka.missing():
        print(f"kafka     left out: {reason}")
        return
    with kafka.Cluster() as cluster:
        asyncio.run(on_kafka(cluster.bootstrap_servers, count))


if __name__ == "__main__":
    main()
