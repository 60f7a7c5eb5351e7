"""A hop in miniature: every record of `articles.raw` goes to `articles`, and a row counts each partition's.

python -m tests.bus.copying PREFIX PARTITIONS SERVER...      as a process of its own, until it is killed
"""

import asyncio
import sys
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace

from daemon.bus.base import Bus, Lease, Row, Step
from daemon.bus.topics import ARTICLES, RAW
from daemon.config.models import KafkaSettings
from daemon.errors import BusError
from tests.bus import kafka_engine
from tests.bus.engine import GROUP

COUNT = b"count"


async def copy(bus: Bus) -> None:
    """Until it is cancelled, in small steps so that something is always under way.

    Leases that are lost are left, as the stage runner does.
    """
    holders: set[asyncio.Task[None]] = set()
    try:
        async with aclosing(bus.leases(RAW, GROUP)) as offers:
            async for offer in offers:
                holder = asyncio.create_task(_hold(offer))
                holders.add(holder)
                holder.add_done_callback(holders.discard)
    finally:
        for holder in holders:
            holder.cancel()
        await asyncio.gather(*holders, return_exceptions=True)


async def _hold(offer: AbstractAsyncContextManager[Lease]) -> None:
    try:
        async with offer as lease, asyncio.TaskGroup() as group:
            copying = group.create_task(_copy(lease))
            await lease.leaving.wait()
            copying.cancel()
    except* BusError:
        pass


async def _copy(lease: Lease) -> None:
    while not lease.leaving.is_set():
        taken = await lease.take(5)
        known = lease.rows.get(COUNT)
        count = int(known.value or b"0") if known else 0
        out = [replace(record, topic=ARTICLES, offset=-1) for record in taken]
        row = Row(taken[0].lane, COUNT, b"%d" % (count + len(taken)))
        await lease.commit(Step(taken[-1].offset + 1, out, [row]))


async def _main(prefix: str, partitions: int, servers: tuple[str, ...]) -> None:
    settings = KafkaSettings(bootstrap_servers=servers, topic_prefix=prefix, partitions=partitions, replication_factor=1)
    async with kafka_engine.bus(settings) as bus:
        await copy(bus)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), tuple(sys.argv[3:])))
