"""The rows of one partition, from their changelog."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from aiokafka import TopicPartition

from daemon.bus.held import HeldRows
from daemon.bus.kafka.reading import bounds, place
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


async def restore(consumer: Any, partition: TopicPartition, kept: Kept, now: float) -> Kept:
    """What the changelog says at its end, read on from where `kept` stands, or from the start if it cannot be.

    Returns `kept`, changed, or a new one. Raises what aiokafka raises, and `BusRefused` for rows of a newer version; not
    bounded here.
    """
    first, end = await bounds(consumer, partition)
    if not first <= kept.at <= end:
        kept = Kept()
    place(consumer, {partition: max(kept.at, first)})
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
