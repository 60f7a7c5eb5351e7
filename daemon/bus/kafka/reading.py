"""Reading a partition from a place of one's own choosing: by consumers without group, for which nothing of a group waits."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition

from daemon.bus.kafka.discard import stop_consumer
from daemon.bus.kafka.link import Link


@asynccontextmanager
async def reader(link: Link) -> AsyncIterator[Any]:
    """A consumer for looking things up and for reading changelogs and records."""
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


def place(consumer: Any, starts: Mapping[TopicPartition, int]) -> None:
    """Let a reader begin there. At once: with an await in between, aiokafka's own reset may win and go to the end."""
    consumer.assign(list(starts))
    for partition, start in starts.items():
        consumer.seek(partition, start)
