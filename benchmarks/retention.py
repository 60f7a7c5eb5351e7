"""Forgetting from a large file: how long the event loop stands still, and what a commit waits meanwhile.

python -m benchmarks.retention [MEGABYTES]
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import apsw

from daemon.bus.base import Record
from daemon.bus.embedded import EmbeddedBus
from daemon.bus.embedded.retention import Retention
from daemon.bus.embedded.schema import OFFSET_BITS, numbered
from daemon.bus.topics import ALERTS, TOPICS
from daemon.clock import WallClock

ARTICLE: Final = bytes(range(256)) * 12
CHUNK: Final = 1000


async def build(path: Path, partitions: int, megabytes: int) -> None:
    """A file with so much in it, the same in each part of each topic, all consumed, one second between two records."""
    async with EmbeddedBus(path, clock=WallClock(), service=False, partitions=partitions) as bus:
        await bus.publish([Record(topic, "lane", b"key", b"value", 1.0) for topic in TOPICS])
    with closing(apsw.Connection(str(path))) as db:
        db.pragma("synchronous", "off")
        topics = dict(db.execute("SELECT name, id FROM topic"))
        each = megabytes * 1_000_000 // (len(ARTICLE) * len(topics) * partitions)
        for topic in TOPICS.values():
            parts = [numbered(topics[topic.name], partition) for partition in range(partitions)]
            for part in parts:
                _fill(db, part, each)
            if topic.group is not None:
                _consume(db, topics[topic.name], topic.group, partitions, each)


def _fill(db: apsw.Connection, part: int, count: int) -> None:
    with db:
        db.execute("DELETE FROM log WHERE id >= ? AND id < ?", (part << OFFSET_BITS, (part + 1) << OFFSET_BITS))
        rows = ((part << OFFSET_BITS | n, float(n), b"lane", b"key", ARTICLE) for n in range(count))
        db.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?)", rows)
        db.execute("INSERT OR REPLACE INTO head VALUES (?, ?)", (part, count))


def _consume(db: apsw.Connection, topic: int, group: str, partitions: int, count: int) -> None:
    with db:
        db.execute("INSERT INTO grp(name, topic) VALUES (?, ?)", (group, topic))
        number = db.last_insert_rowid()
        places = ((numbered(number, partition), count) for partition in range(partitions))
        db.executemany("INSERT INTO place VALUES (?, ?, 1)", places)


async def longest(step: Callable[[], Awaitable[object]], clock: Callable[[], float], done: asyncio.Event) -> float:
    """Milliseconds that a step took at most, until all was done."""
    worst = 0.0
    while not done.is_set():
        began = clock()
        await step()
        worst = max(worst, clock() - began)
    return 1000 * worst


async def beside(bus: EmbeddedBus, work: Awaitable[None]) -> str:
    """How long the work took, and how it held up the event loop and commits of others.

    The CPU time of the loop's thread tells its own pauses from those of a machine that has other work.
    """
    done, commit = asyncio.Event(), partial(bus.publish, [Record(ALERTS, "lane", b"key", ARTICLE, 1e9)])
    busy = asyncio.create_task(longest(partial(asyncio.sleep, 0.001), time.thread_time, done))
    still = asyncio.create_task(longest(partial(asyncio.sleep, 0.001), time.perf_counter, done))
    commits = asyncio.create_task(longest(commit, time.perf_counter, done))
    began = time.perf_counter()
    await work
    elapsed = time.perf_counter() - began
    done.set()
    held = f"{await still:4.0f} ms ({await busy:.1f} ms of CPU)"
    return f"{elapsed:5.1f} s; at most: event loop held up {held}, a commit {await commits:4.0f} ms"


async def measure(path: Path, max_bytes: int) -> tuple[str, str]:
    """Beside nothing, and beside a sweep."""
    keep = dict.fromkeys(TOPICS, float("inf"))
    async with EmbeddedBus(path, clock=WallClock(), service=True, retention=keep, min_free=0) as bus:
        sweeper = Retention(bus._shelf, WallClock(), keep, max_bytes)  # noqa: SLF001 - at once, and with its own bound
        return await beside(bus, asyncio.sleep(3.0)), await beside(bus, sweeper.sweep())


async def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    for partitions in (4, 256):
        with TemporaryDirectory() as folder:
            path = Path(folder) / "bus.sqlite"
            await build(path, partitions, megabytes)
            size = path.stat().st_size
            idle, swept = await measure(path, size * 9 // 10)
            print(f"{size / 1e6:,.0f} MB, {partitions} partitions, no sweep      {idle}")
            print(f"{size / 1e6:,.0f} MB, {partitions} partitions, a tenth goes  {swept}")


if __name__ == "__main__":
    asyncio.run(main())
