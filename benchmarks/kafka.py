"""One hop through Kafka, exactly once, beside the plainest loop aiokafka allows: same broker, same articles, same run.

    python -m benchmarks.kafka [ARTICLES]       on one broker, and on three

Each hop takes 3 kB articles from one topic and puts them onto another, in one process. The plain loop is at least once: one
producer, one `getmany` for all partitions, offsets committed by the consumer after each batch; no rows, no transactions.
"""

import asyncio
import random
import sys
import time
import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from daemon.bus.base import Lease, Record, Row, Step
from daemon.bus.kafka.bus import KafkaBus
from daemon.bus.topics import ARTICLES, RAW, TOPICS
from daemon.clock import WallClock
from daemon.config.models import KafkaSettings
from daemon.metrics import Metrics
from tests.servers import kafka

GROUP: Final = "enricher"
STEP: Final = 500
PARTITIONS: Final = 12
ROUNDS: Final = {1: 3, 3: 2}
"""By brokers. Three share the machine's cores with us, and each record is on all of them."""


def articles(count: int) -> list[Record]:
    """Texts of 3 kB that zstd shortens about as much as it does news."""
    source = random.Random(7)
    words = ["".join(source.choices("etaoinshrdlucmfw", k=source.randint(2, 10))) for _ in range(4000)]
    bodies = [" ".join(source.choices(words, k=600))[:3000].encode() for _ in range(200)]
    return [Record(RAW, f"site-{n % 997}.example", b"%032x" % n, bodies[n % 200], time.time()) for n in range(count)]


class Counted:
    """Sees a number of records go through."""

    def __init__(self, count: int) -> None:
        self._left = count
        self.all = asyncio.Event()

    def add(self, count: int) -> None:
        self._left -= count
        if self._left <= 0:
            self.all.set()


async def exactly_once(bus: KafkaBus, count: int, *, rows: bool) -> float:
    """Seconds from the moment all leases are open to the last commit."""
    counted, opened = Counted(count), asyncio.Barrier(PARTITIONS + 1)

    async def hold(offer: AbstractAsyncContextManager[Lease]) -> None:
        async with offer as lease:
            await opened.wait()
            while True:
                taken = await lease.take(STEP)
                out = [replace(record, topic=ARTICLES, offset=-1) for record in taken]
                seen = [Row(record.lane, record.key, b"seen" * 25) for record in taken] if rows else []
                await lease.commit(Step(taken[-1].offset + 1, out, seen))
                counted.add(len(taken))

    async with aclosing(bus.leases(RAW, GROUP)) as offers:
        given = [await anext(offers) for _ in range(PARTITIONS)]
        holders = [asyncio.create_task(hold(offer)) for offer in given]
        await opened.wait()
        began = time.perf_counter()
        await counted.all.wait()
        elapsed = time.perf_counter() - began
        for holder in holders:
            holder.cancel()
        await asyncio.gather(*holders, return_exceptions=True)
    return elapsed


async def at_least_once(settings: KafkaSettings, count: int) -> float:
    """Seconds of the plain loop, from its first fetch to its last commit."""
    servers, prefix, left = list(settings.bootstrap_servers), settings.topic_prefix, count
    consumer = AIOKafkaConsumer(
        f"{prefix}{RAW}",
        bootstrap_servers=servers,
        group_id=f"{prefix}plain",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, acks="all", compression_type="zstd", linger_ms=5, max_batch_size=262144
    )
    async with consumer, producer:
        began = time.perf_counter()
        while left > 0:
            found = await consumer.getmany(timeout_ms=500, max_records=STEP)
            messages = [message for batch in found.values() for message in batch]
            await asyncio.gather(*[await _forward(producer, f"{prefix}{ARTICLES}", message) for message in messages])
            await consumer.commit()
            left -= len(messages)
        return time.perf_counter() - began


async def _forward(producer: Any, topic: str, message: Any) -> Any:
    return await producer.send(
        topic, message.value, key=message.key, partition=message.partition, headers=list(message.headers)
    )


async def measure(servers: Sequence[str], count: int, rounds: int) -> None:
    """Fresh topics for every hop, the three kinds taking turns; the best of the rounds is what the machine can do."""
    records = articles(count)
    best: dict[str, float] = {}
    for _ in range(rounds):
        for kind in ("plain, at least once", "exactly once", "exactly once, a row an article"):
            prefix = f"bench-{uuid.uuid4().hex[:8]}."
            settings = KafkaSettings(
                bootstrap_servers=tuple(servers),
                topic_prefix=prefix,
                partitions=PARTITIONS,
                replication_factor=min(3, len(servers)),
            )
            topics = (TOPICS[RAW], TOPICS[ARTICLES])
            async with KafkaBus(settings, clock=WallClock(), observe=Metrics().observe, topics=topics) as bus:
                for start in range(0, count, 2000):
                    await bus.publish(records[start : start + 2000])
                if kind.startswith("plain"):
                    seconds = await at_least_once(settings, count)
                else:
                    seconds = await exactly_once(bus, count, rows="row" in kind)
            best[kind] = max(best.get(kind, 0.0), count / seconds)
    plain = best["plain, at least once"]
    for kind, rate in best.items():
        brokers = f"{len(servers)} broker{'s' if len(servers) > 1 else ''}"
        print(f"{brokers:10} {kind:32} {rate:8,.0f} articles/s   {rate / plain:.2f} x plain", flush=True)


def main() -> None:
    if reason := kafka.missing():
        print(f"left out: {reason}")
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    for brokers, rounds in ROUNDS.items():
        with kafka.Cluster(brokers) as cluster:
            asyncio.run(measure(cluster.bootstrap_servers, count, rounds))


if __name__ == "__main__":
    main()
