"""The rows of one partition, from their changelog."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import TopicPartition

from daemon.bus.held import HeldRows
from daemon.bus.kafka.discard import stop_consumer
from daemon.bus.kafka.link import Link
from daemon.errors import BusRefused, DecodeError

_LOOK: Final = 20
"""Milliseconds. aiokafka waits for records although it may have passed over the end meanwhile, by marks of transactions."""


class Kept:
    """Rows as they stand at one offset of their changelog: complete up to `at`, which is the next offset to be read.

    `since` is the instant at which they were known to be all there is.
    """

    def __init__(self) -> None:
        self.rows = HeldRows()
        self.at = 0
        self.since = 0.0


@asynccontextmanager
async def reader(link: Link) -> AsyncIterator[Any]:
    """A consumer for looking things up and for reading a changelog; without group, so nothing of the group waits for it."""
    consumer = link.consumer(
        max_poll_records=2000,
        max_partition_fetch_bytes=4 << 20,
        fetch_max_bytes=8 << 20,
        retry_backoff_ms=20,
    )
    try:
        await link.start(consumer)
        yield consumer
    finally:
        link.discard(consumer, stop_consumer)


async def bounds(consumer: Any, partition: TopicPartition) -> tuple[int, int]:
    """The first offset there is, and the next one to be written (where no transaction is open)."""
    end = (await consumer.end_offsets([partition]))[partition]
    first = (await consumer.beginning_offsets([partition]))[partition]
    return first, end


async def restore(consumer: Any, partition: TopicPartition, kept: Kept, now: float) -> Kept:
    """What the changelog says at its end, read on from where `kept` stands, or from the start if it cannot be.

    Returns `kept`, changed, or a new one. Raises what aiokafka raises, and `BusRefused` for rows of a newer version; not
    bounded here.
    """
    first, end = await bounds(consumer, partition)
    if not first <= kept.at <= end:
        kept = Kept()
    # No await between these two, or aiokafka's own reset may win and set the position to the end.
    consumer.assign([partition])
    consumer.seek(partition, max(kept.at, first))
    while await consumer.position(partition) < end:
        messages = (await consumer.getmany(partition, timeout_ms=_LOOK)).get(partition, ())
        _load(kept, messages, partition)
        # What is at hand already comes without a pause; but the heartbeats of this process wait for one.
        await asyncio.sleep(0)
    kept.at, kept.since = end, now
    return kept


def _load(kept: Kept, messages: Sequence[Any], partition: TopicPartition) -> None:
    try:
        kept.rows.load((message.key, message.value) for message in messages)
    except DecodeError as error:
        raise BusRefused(error.reason, subject=f"{partition.topic}/{partition.partition}") from error
