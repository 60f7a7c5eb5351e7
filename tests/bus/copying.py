"""A hop in miniature: every record of `articles.raw` goes to `articles`, and a row counts each partition's.

    python -m tests.bus.copying [--instance NAME] PREFIX PARTITIONS SERVER...      a process of its own, until it is killed

With a name it is a static member, and its timing is the service's, not the tests'.
"""

import argparse
import asyncio
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace

from daemon.bus.base import Bus, Lease, Row, Step
from daemon.bus.kafka.timing import Timing
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


async def _main(arguments: argparse.Namespace) -> None:
    settings = KafkaSettings(
        bootstrap_servers=tuple(arguments.server),
        topic_prefix=arguments.prefix,
        partitions=arguments.partitions,
        replication_factor=1,
        instance=arguments.instance,
    )
    async with kafka_engine.bus(settings, timing=Timing() if arguments.instance else kafka_engine.QUICK) as bus:
        await copy(bus)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--instance")
    parser.add_argument("prefix")
    parser.add_argument("partitions", type=int)
    parser.add_argument("server", nargs="+")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(_main(_arguments()))
