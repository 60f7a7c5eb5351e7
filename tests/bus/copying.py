"""A hop in miniature: every record of `articles.raw` goes to `articles`, and a row counts each partition's.

    python -m tests.bus.copying [--instance NAME] [--dies POINT] PREFIX PARTITIONS SERVER...      as a process of its own

With a name it is a static member, and its timing is the service's, not the tests'. It runs until it is killed, or kills itself
in its third commit at POINT, one of `tests.bus.points`.
"""

import argparse
import asyncio
import itertools
import os
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace

from daemon.bus.base import Bus, Lease, Row, Step
from daemon.bus.kafka.timing import Timing
from daemon.bus.topics import ARTICLES, RAW
from daemon.config.models import KafkaSettings
from daemon.errors import BusError
from tests.bus import kafka_engine
from tests.bus.engine import GROUP
from tests.bus.points import at

COUNT = b"count"


async def copy(bus: Bus, opened: Callable[[Lease], None] = lambda _: None) -> None:
    """Until it is cancelled, in small steps so that something is always under way. `opened` is told of each lease.

    Leases that are lost are left, as the stage runner does.
    """
    holders: set[asyncio.Task[None]] = set()
    try:
        async with aclosing(bus.leases(RAW, GROUP)) as offers:
            async for offer in offers:
                holder = asyncio.create_task(_hold(offer, opened))
                holders.add(holder)
                holder.add_done_callback(holders.discard)
    finally:
        for holder in holders:
            holder.cancel()
        await asyncio.gather(*holders, return_exceptions=True)


async def _hold(offer: AbstractAsyncContextManager[Lease], opened: Callable[[Lease], None]) -> None:
    try:
        async with offer as lease, asyncio.TaskGroup() as group:
            opened(lease)
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


def _dying(point: str) -> Callable[[Lease], None]:
    passed = itertools.count(1)

    async def die() -> None:
        if next(passed) == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda lease: at(lease, point, die)


async def _main(arguments: argparse.Namespace) -> None:
    dies = arguments.dies
    settings = KafkaSettings(
        bootstrap_servers=tuple(arguments.server),
        topic_prefix=arguments.prefix,
        partitions=arguments.partitions,
        replication_factor=1,
        instance="only" if dies else arguments.instance,
    )
    async with kafka_engine.bus(settings, timing=Timing() if arguments.instance else kafka_engine.QUICK) as bus:
        await (copy(bus, _dying(dies)) if dies else copy(bus))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--instance")
    parser.add_argument("--dies")
    parser.add_argument("prefix")
    parser.add_argument("partitions", type=int)
    parser.add_argument("server", nargs="+")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(_main(_arguments()))
