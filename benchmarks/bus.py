"""How fast the embedded bus is: appends of many producers, one hop from topic to topic, commits beside a busy event loop.

python -m benchmarks.bus [FOLDER]       on the file system of FOLDER, a temporary one when left out
"""

import asyncio
import sys
import tempfile
import time
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path
from statistics import median
from typing import Final

from daemon.bus.base import Lease, Record, Row, Step
from daemon.bus.embedded import EmbeddedBus
from daemon.bus.topics import ARTICLES, RAW
from daemon.clock import WallClock

PRODUCERS: Final = 50
APPENDS: Final = 30_000
ARTICLE: Final = bytes(range(256)) * 12
STEP: Final = 500
SPIN: Final = 0.001
INTERVALS: Final = (0.005, 0.0005)


def article(number: int) -> Record:
    return Record(RAW, f"site-{number % 997}.example", b"%032d" % number, ARTICLE, time.time())


async def append(bus: EmbeddedBus, batch: int) -> float:
    """Seconds that the producers need, each awaiting every append of `batch` articles before the next."""

    async def produce(first: int) -> None:
        for number in range(first, first + APPENDS // PRODUCERS, batch):
            await bus.publish([article(number + n) for n in range(batch)])

    began = time.perf_counter()
    await asyncio.gather(*(produce(n * (APPENDS // PRODUCERS)) for n in range(PRODUCERS)))
    return time.perf_counter() - began


class Hop:
    """Moves articles from topic to topic, a row each."""

    def __init__(self, bus: EmbeddedBus, count: int) -> None:
        self._bus = bus
        self._left = count
        self._done = asyncio.Event()

    async def run(self) -> float:
        """Seconds until all have been moved."""
        began = time.perf_counter()
        async with aclosing(self._bus.leases(RAW, "enricher")) as offers:
            tasks = [asyncio.create_task(self._serve(await anext(offers))) for _ in range(self._bus.partitions(RAW))]
            await self._done.wait()
            elapsed = time.perf_counter() - began
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return elapsed

    async def _serve(self, offer: AbstractAsyncContextManager[Lease]) -> None:
        async with offer as lease:
            while True:
                taken = await lease.take(STEP)
                out = [Record(ARTICLES, record.lane, record.key, record.value, record.at) for record in taken]
                rows = [Row(record.lane, record.key, b"seen", record.at) for record in taken]
                await lease.commit(Step(taken[-1].offset + 1, out, rows))
                self._left -= len(taken)
                if self._left <= 0:
                    self._done.set()


async def beside_work(bus: EmbeddedBus, commits: int = 60) -> list[float]:
    """Seconds each of some commits takes while the event loop is busy: the writer's thread has to win the interpreter."""

    async def spin() -> None:
        while True:
            until = time.perf_counter() + SPIN
            while time.perf_counter() < until:
                pass
            await asyncio.sleep(0)

    spinning, taken = asyncio.create_task(spin()), []
    for number in range(commits):
        began = time.perf_counter()
        await bus.publish([article(number)])
        taken.append(time.perf_counter() - began)
    spinning.cancel()
    return taken


async def measure(folder: Path) -> None:
    async with EmbeddedBus(folder / "bus.sqlite", clock=WallClock(), service=True) as bus:
        for batch in (1, 10):
            cpu, seconds = time.process_time(), await append(bus, batch)
            used = time.process_time() - cpu
            rates = f"{APPENDS / seconds:8,.0f} /s {APPENDS / used:8,.0f} /CPU s"
            print(f"appends of 3 kB, {PRODUCERS} producers, {batch:2} a call   {rates}")
        cpu, seconds = time.process_time(), await Hop(bus, 2 * APPENDS).run()
        used = time.process_time() - cpu
        rates = f"{2 * APPENDS / seconds:8,.0f} /s {2 * APPENDS / used:8,.0f} /CPU s"
        print(f"one hop, 3 kB and a row, {bus.partitions(RAW)} partitions   {rates}")
        for interval in INTERVALS:
            sys.setswitchinterval(interval)
            taken = await beside_work(bus)
            times = f"{1000 * median(taken):8.1f} ms {1000 * max(taken):8.1f} ms at most"
            print(f"a commit beside work, switch {1000 * interval:3.1f} ms    {times}")


def main() -> None:
    if len(sys.argv) > 1:
        asyncio.run(measure(Path(sys.argv[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))


if __name__ == "__main__":
    main()
