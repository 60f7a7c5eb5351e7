"""The rows of one partition from a real broker's changelog: seconds, the event loop's longest halt, memory.

    python -m benchmarks.restore [ROWS]

Rows of 200 bytes are written, each with a wake and a tenth of them twice. Then a fresh process opens the lease.
"""

import asyncio
import gc
import multiprocessing
import random
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from daemon.app.service import COLLECT_AFTER
from daemon.bus.base import Lease, Row, Rows
from daemon.bus.codec import encode_row
from daemon.bus.kafka.bus import KafkaBus
from daemon.bus.kafka.wanted import state_of
from daemon.bus.topics import ARTICLES, RAW, TOPICS
from daemon.clock import WallClock
from daemon.config.models import KafkaSettings
from daemon.metrics import Metrics
from tests.servers import kafka

GROUP: Final = "enricher"
TICK: Final = 0.002


def rows(count: int) -> Iterator[Row]:
    """Keys in no order, wakes as time goes on, values as rows are: half words, half hashes."""
    source = random.Random(7)
    words = " ".join("".join(source.choices("etaoinshrdlucmfw", k=source.randint(2, 10))) for _ in range(4000))
    numbers = [*range(count), *source.sample(range(count), count // 10)]
    for at, number in enumerate(numbers):
        start = source.randrange(len(words) - 100)
        value = source.randbytes(50).hex() + words[start : start + 100]
        yield Row(f"site-{number % 997}.example", row_key(number), value.encode(), 1.8e9 + at / 10)


def row_key(number: int) -> bytes:
    return b"%032x" % (number * 0x9E3779B97F4A7C15 % 2**64)


@asynccontextmanager
async def opened(settings: KafkaSettings) -> AsyncIterator[Lease]:
    topics = (TOPICS[RAW], TOPICS[ARTICLES])
    async with (
        KafkaBus(settings, clock=WallClock(), observe=Metrics().observe, topics=topics) as bus,
        aclosing(bus.leases(RAW, GROUP)) as offers,
        await anext(offers) as lease,
    ):
        yield lease


async def fill(settings: KafkaSettings, count: int) -> None:
    """As a lease writes them, but for transactions of their own."""
    topic = f"{settings.topic_prefix}{state_of(GROUP)}"
    async with (
        KafkaBus(settings, clock=WallClock(), observe=Metrics().observe, topics=(TOPICS[RAW], TOPICS[ARTICLES])),
        AIOKafkaProducer(
            bootstrap_servers=list(settings.bootstrap_servers), compression_type="zstd", linger_ms=5, max_batch_size=262144
        ) as producer,
    ):
        for row in rows(count):
            await producer.send(topic, encode_row(row), key=row.key, partition=0)


class Halts:
    """How long the event loop does not come round at most: by the clock, and in CPU, which a busy machine does not lengthen.

    `collecting` is what of it Python needs at most to look for garbage, in CPU.
    """

    def __init__(self) -> None:
        self.longest = self.working = self.collecting = 0.0
        self._began = 0.0
        gc.callbacks.append(self._collected)
        self._watching = asyncio.create_task(self._watch())

    def stop(self) -> None:
        gc.callbacks.remove(self._collected)
        self._watching.cancel()

    async def _watch(self) -> None:
        while True:
            began, worked = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK)
            self.longest = max(self.longest, time.perf_counter() - began - TICK)
            self.working = max(self.working, time.thread_time() - worked)

    def _collected(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.collecting = max(self.collecting, time.thread_time() - self._began)


async def restore(settings: KafkaSettings, count: int) -> None:
    before, halts, cpu, began = memory(), Halts(), time.process_time(), time.perf_counter()
    async with opened(settings) as lease:
        seconds, used, grown = time.perf_counter() - began, time.process_time() - cpu, memory() - before
        halts.stop()
        print(f"{count:,} rows of 200 bytes restored in {seconds:.1f} s, {used:.1f} s of CPU")
        halted = f"{1000 * halts.longest:.0f} ms by the clock, {1000 * halts.working:.0f} ms of CPU"
        print(f"the loop halted at most {halted}; to collect garbage at most {1000 * halts.collecting:.0f} ms of CPU")
        print(f"memory {grown / 1e6:.0f} MB, {grown / count:.0f} bytes a row")
        look(lease.rows, count)


def look(held: Rows, count: int) -> None:
    """What looks at so many rows cost."""
    one = row_key(count // 2)
    for doing, looked in (
        ("get", lambda: held.get(one)),
        ("scan of one", lambda: list(held.scan(one))),
        ("64 that are due", lambda: held.due(float("inf"), 64)),
        ("next wake", held.next_wake),
        ("scan of all", lambda: sum(1 for _ in held.scan())),
    ):
        began = time.perf_counter()
        found = looked()
        print(f"{doing:20} {1000 * (time.perf_counter() - began):10,.3f} ms")
    if found != count:
        raise SystemExit(f"{found} rows instead of {count}")


def memory() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main() -> None:
    if reason := kafka.missing():
        print(f"left out: {reason}")
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with kafka.Cluster() as cluster:
        settings = KafkaSettings(
            bootstrap_servers=cluster.bootstrap_servers,
            topic_prefix=f"bench-{uuid.uuid4().hex[:8]}.",
            partitions=1,
            replication_factor=1,
        )
        for doing in (fill, restore):
            fresh = multiprocessing.get_context("spawn").Process(target=run, args=(doing, settings, count))
            fresh.start()
            fresh.join()


def run(doing: Callable[[KafkaSettings, int], Coroutine[Any, Any, None]], settings: KafkaSettings, count: int) -> None:
    gc.set_threshold(*COLLECT_AFTER)
    asyncio.run(doing(settings, count))


if __name__ == "__main__":
    main()
