"""Reading a topic or a group's rows for people: by a consumer of its own, without group and without position."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final

from aiokafka import TopicPartition

from daemon.bus.base import Record, Row
from daemon.bus.kafka.discard import stop_consumer
from daemon.bus.kafka.link import Link, edge
from daemon.bus.kafka.reading import place, reader
from daemon.bus.kafka.restore import Kept, restore
from daemon.bus.kafka.stored import record_of

_AT_ONCE: Final = 2000
_LOOK: Final = 50
"""Milliseconds; see `daemon.bus.kafka.restore`."""
_SETTLE: Final = 1.0
"""Seconds to wait for transactions that have committed already, which the marks of it follow, or still may."""


async def read(link: Link, topic: str, full: str, count: int, span: tuple[float, float]) -> AsyncGenerator[Record, None]:
    """Records with `at` from the first of `span` on, up to the end at the time of the call; the second is the present."""
    since, now = span
    consumer = link.consumer()
    try:
        with edge("a topic cannot be read", full):
            await link.start(consumer)
            partitions = [TopicPartition(full, n) for n in range(count)]
            ends = await _ends(link, consumer, partitions)
            places = await _places(consumer, ends, since if since <= now else 0.0)
            async with aclosing(_messages(consumer, places, link.timing.step)) as messages:
                async for message in messages:
                    record = record_of(message, topic)
                    if record.at >= since:
                        yield record
    finally:
        link.discard(consumer, stop_consumer)


async def _ends(link: Link, consumer: Any, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
    """Where what has committed ends; a commit just confirmed belongs to it, though its mark may not stand there yet."""
    unsettled = link.consumer(isolation_level="read_uncommitted", retry_backoff_ms=20)
    try:
        await link.start(unsettled)
        written = await unsettled.end_offsets(partitions)
    finally:
        link.discard(unsettled, stop_consumer)
    deadline = time.monotonic() + _SETTLE
    while True:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        if all(ends[each] >= written[each] for each in partitions) or time.monotonic() > deadline:
            return ends
        await asyncio.sleep(_LOOK / 1000)


async def _places(consumer: Any, ends: Mapping[TopicPartition, int], since: float) -> dict[TopicPartition, tuple[int, int]]:
    """Where to begin and where to end, for partitions that hold anything to be read."""
    if since > 0:
        found = await consumer.offsets_for_times(dict.fromkeys(ends, int(since * 1000)))
        starts = {each: place.offset for each, place in found.items() if place is not None}
    else:
        starts = await consumer.beginning_offsets(list(ends))
    return {each: (start, ends[each]) for each, start in starts.items() if start < ends[each]}


async def _messages(consumer: Any, places: dict[TopicPartition, tuple[int, int]], patience: float) -> AsyncGenerator[Any, None]:
    place(consumer, {partition: start for partition, (start, _) in places.items()})
    left, heard = set(places), time.monotonic()
    while left:
        found = await consumer.getmany(*left, timeout_ms=_LOOK, max_records=_AT_ONCE)
        if found:
            heard = time.monotonic()
        elif time.monotonic() - heard > patience:
            raise TimeoutError
        for partition, messages in found.items():
            for message in messages:
                if message.offset < places[partition][1]:
                    yield message
        await asyncio.sleep(0)  # as in `restore`: others wait for a pause
        left = {each for each in left if await consumer.position(each) < places[each][1]}


async def rows(link: Link, full: str, count: int, prefix: bytes = b"") -> AsyncGenerator[Row, None]:
    """All rows of a changelog whose keys begin with `prefix`, partition by partition, in key order within each."""
    partitions = [TopicPartition(full, number) for number in range(count)]
    with edge("rows cannot be read", full):
        async with asyncio.timeout(link.timing.opening), reader(link) as consumer:
            await _ends(link, consumer, partitions)
        for partition in partitions:
            async with asyncio.timeout(link.timing.opening), reader(link) as consumer:
                kept = await restore(consumer, partition, Kept(), 0.0)
            for row in kept.rows.scan(prefix):
                yield row
