"""The two ways to write: plain records from any process, and the transactions of one partition's holder."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from daemon.bus.kafka.discard import ended_by, retrieve, stop_producer
from daemon.bus.kafka.link import Link, translated
from daemon.bus.kafka.stored import Entry
from daemon.bus.kafka.timing import milliseconds


class Fenced:
    """A transactional producer. To have it started is to have fenced whoever had its name before.

    After any error it is of no more use: discard it and start another.
    """

    def __init__(self, link: Link, name: str) -> None:
        self._link = link
        timeout = milliseconds(link.timing.transaction)
        self._producer = link.producer(transactional_id=name, transaction_timeout_ms=timeout)

    async def start(self) -> None:
        """Settles what the predecessor left open, too. May wait long for a broker: to be bounded by the caller."""
        await self._link.start(self._producer)

    async def commit(self, entries: Sequence[Entry], offsets: Mapping[TopicPartition, int], group: str) -> list[int]:
        """All or nothing; returns each entry's offset. Raises what aiokafka raises; not bounded here."""
        try:
            return await self._commit(entries, offsets, group)
        except Exception as error:
            # Calls after the first error are told of the state it left, be it by an assertion: not that we were fenced.
            first = ended_by(self._producer)
            if first is None or first is error:
                raise
            raise first from error

    async def _commit(self, entries: Sequence[Entry], offsets: Mapping[TopicPartition, int], group: str) -> list[int]:
        await self._producer.begin_transaction()
        written = await _send_all(self._producer, entries)
        if offsets:
            await self._producer.send_offsets_to_transaction(dict(offsets), group)
        await self._producer.commit_transaction()
        return written

    def discard(self) -> None:
        """Drop it, in the background; an open transaction is settled by the next of its name, or by time."""
        self._link.discard(self._producer, stop_producer)


class Publisher:
    """Plain, idempotent, durable: the producer everybody of this process shares. Replaced after any error."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._producer: Any = None
        self._starting = asyncio.Lock()

    async def publish(self, entries: Sequence[Entry]) -> None:
        """Returns when all are stored on all replicas in sync. Raises `BusError`; then some may be stored."""
        producer = None
        try:
            async with asyncio.timeout(self._link.timing.step):
                producer = await self._started()
                await _send_all(producer, entries)
        except Exception as error:  # the edge to aiokafka: whatever it was, this producer is not used again
            if producer is self._producer:
                self.close()
            raise translated(error, "records cannot be published", self._link.address) from error

    async def brokers(self) -> frozenset[int]:
        """The brokers that are alive, as one of them says now; none when none answers."""
        try:
            async with asyncio.timeout(self._link.timing.request):
                client = (await self._started()).client
                answered = await client.force_metadata_update()
                return frozenset(broker.nodeId for broker in client.cluster.brokers()) if answered else frozenset()
        except Exception:  # noqa: BLE001 - the edge to aiokafka: no answer is the answer
            return frozenset()

    def close(self) -> None:
        """Drop the producer; the next use starts another."""
        producer, self._producer = self._producer, None
        if producer is not None:
            self._link.discard(producer, stop_producer)

    async def _started(self) -> Any:
        async with self._starting:
            if self._producer is None:
                producer = self._link.producer()
                try:
                    await self._link.start(producer)
                except BaseException:
                    self._link.discard(producer, stop_producer)
                    raise
                self._producer = producer
            return self._producer


async def _send_all(producer: Any, entries: Sequence[Entry]) -> list[int]:
    """Send, and await every single one: a failed batch does not fail its transaction, it would be a hole in it."""
    futures = []
    for entry in entries:
        future = await producer.send(
            entry.topic,
            entry.value,
            key=entry.key,
            partition=entry.partition,
            timestamp_ms=entry.timestamp,
            headers=list(entry.headers),
        )
        future.add_done_callback(retrieve)
        futures.append(future)
    return [stored.offset for stored in await asyncio.gather(*futures)]
