"""Raw article to decided alert through Kafka, exactly once: 1, 2 and 4 processes of `rasid run`, on one broker.

    python -m benchmarks.processes [ARTICLES] [BROKERS]

All processes run enricher, matcher and alerter, and share the cores of this machine with the broker and with who publishes.
"""

import asyncio
import os
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path
from typing import Final

from benchmarks.pipeline import articles
from daemon.bus.base import Record
from daemon.bus.kafka.bus import KafkaBus
from daemon.bus.topics import RAW
from daemon.clock import WallClock
from daemon.config.models import KafkaSettings
from daemon.messages.article import RawArticle
from daemon.messages.wire import encode
from daemon.metrics import Metrics
from tests.e2e.service import Service, copy_starter, running
from tests.servers import kafka

PROCESSES: Final = (1, 2, 4)
PARTITIONS: Final = 12
HOPS: Final = ("enricher", "matcher", "alerter")
WARM: Final = 400
LOOK: Final = 0.2
WITHIN: Final = 300.0


def environ(settings: KafkaSettings) -> Mapping[str, str]:
    """The starter configuration on that cluster."""
    return {
        "RASID_BUS__KIND": "kafka",
        "RASID_BUS__KAFKA__BOOTSTRAP_SERVERS": str(list(settings.bootstrap_servers)),
        "RASID_BUS__KAFKA__TOPIC_PREFIX": settings.topic_prefix,
        "RASID_BUS__KAFKA__PARTITIONS": str(PARTITIONS),
        "RASID_BUS__KAFKA__REPLICATION_FACTOR": str(settings.replication_factor),
    }


class Fleet:
    """Some processes, seen through their metrics."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services

    async def settled(self) -> None:
        """Wait until every partition of every hop is held, and every process holds some."""
        for each in self._services:
            await each.event("started", WITHIN)
        while True:
            held = [[name for name in await each.metrics() if "hop_lag_records{" in name] for each in self._services]
            if all(held) and len({name for names in held for name in names}) >= PARTITIONS * len(HOPS):
                return
            await asyncio.sleep(LOOK)

    async def decided(self, findings: int) -> None:
        """Wait until so many articles with a finding went through all hops; the others go before or with them."""
        while True:
            total = Counter[str]()
            for each in self._services:
                total.update(await each.metrics())
            matched = total['rasid_articles_total{hop="matcher",outcome="matched"}']
            alerted = total['rasid_hop_records_total{direction="in",hop="alerter"}']
            if min(matched, alerted) >= findings:
                return
            await asyncio.sleep(LOOK)

    def cpu(self) -> float:
        """CPU seconds of the processes so far."""
        fields = [Path(f"/proc/{each.process.pid}/stat").read_text().rsplit(") ", 1)[1].split() for each in self._services]
        return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


async def publish(bus: KafkaBus, raws: Iterable[RawArticle]) -> None:
    records = [Record(RAW, raw.site, raw.id.encode(), encode(raw), raw.fetched_at) for raw in raws]
    for start in range(0, len(records), 500):
        await bus.publish(records[start : start + 500])


async def measure(settings: KafkaSettings, processes: int, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy_starter(Path(folder))
        async with AsyncExitStack() as stack:
            bus = KafkaBus(settings, clock=WallClock(), observe=Metrics().observe)
            await stack.enter_async_context(bus)
            starts = [running(Path(folder), "--role", ",".join(HOPS), **environ(settings)) for _ in range(processes)]
            fleet = Fleet([await stack.enter_async_context(start) for start in starts])
            stream = articles(WARM + count)
            async with asyncio.timeout(WITHIN):
                await fleet.settled()
                await publish(bus, islice(stream, WARM))
                await fleet.decided(WARM // 20)
                began, cpu = time.perf_counter(), fleet.cpu()
                await publish(bus, stream)
                await fleet.decided((WARM + count) // 20)
            seconds, used = time.perf_counter() - began, fleet.cpu() - cpu
    rates = f"{count / seconds:6,.0f} articles/s, {count / used:6,.0f} per CPU second of theirs"
    print(f"{processes} process{'es' if processes > 1 else ''}: {rates}", flush=True)


def main() -> None:
    if reason := kafka.missing():
        print(f"left out: {reason}")
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    brokers = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with kafka.Cluster(brokers) as cluster:
        for processes in PROCESSES:
            settings = KafkaSettings(
                bootstrap_servers=cluster.bootstrap_servers,
                topic_prefix=f"bench-{uuid.uuid4().hex[:8]}.",
                partitions=PARTITIONS,
                replication_factor=min(3, brokers),
            )
            asyncio.run(measure(settings, processes, count))


if __name__ == "__main__":
    main()
