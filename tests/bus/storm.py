"""A service to be killed: `python -m tests.bus.storm FILE FIRST`.

Publishes numbered records from FIRST on and says each number once it is durable; beside that, a hop moves them on.
"""

import asyncio
import itertools
import os
import sys
import time
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path

from daemon.bus.base import Lease, Record, Row, Step
from daemon.bus.embedded import EmbeddedBus
from daemon.bus.topics import ARTICLES, RAW
from daemon.clock import WallClock

PRODUCERS = 8


async def produce(bus: EmbeddedBus, first: int, own: int) -> None:
    for number in itertools.count(first + own, PRODUCERS):
        await bus.publish([Record(RAW, f"lane-{own}", b"%d" % number, b"x" * 500, time.time())])
        os.write(1, b"%d\n" % number)


async def move(offer: AbstractAsyncContextManager[Lease]) -> None:
    async with offer as lease:
        while True:
            taken = await lease.take(50)
            out = [Record(ARTICLES, record.lane, record.key, record.value, record.at) for record in taken]
            await lease.commit(Step(taken[-1].offset + 1, out, [Row(r.lane, r.key, b"moved", r.at) for r in taken]))


async def hop(bus: EmbeddedBus, group: asyncio.TaskGroup) -> None:
    async with aclosing(bus.leases(RAW, "enricher")) as offers:
        async for offer in offers:
            group.create_task(move(offer))


async def main(path: Path, first: int) -> None:
    async with EmbeddedBus(path, clock=WallClock(), service=True) as bus, asyncio.TaskGroup() as group:
        group.create_task(hop(bus, group))
        for own in range(PRODUCERS):
            group.create_task(produce(bus, first, own))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
