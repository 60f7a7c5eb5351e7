"""The way into a lease: fence, find the position, restore the rows, and only then read."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any

import structlog
from aiokafka import TopicPartition

from daemon.bus.base import Lease
from daemon.bus.kafka.lease import KafkaLease, Opened
from daemon.bus.kafka.link import translated
from daemon.bus.kafka.names import Group
from daemon.bus.kafka.position import committed
from daemon.bus.kafka.producer import Fenced
from daemon.bus.kafka.reading import bounds, reader
from daemon.bus.kafka.restore import Kept, restore
from daemon.errors import BusError, BusRefused, Lost

log = structlog.get_logger()


class Offer:
    """One partition, to be entered once, while it is ours. `left` is called when it was left, with `error` set if by one."""

    def __init__(self, group: Group, consumer: Any, partition: int, kept: Kept, left: "Callable[[Offer], None]") -> None:
        self.partition = partition
        self.kept = kept
        self.leaving = asyncio.Event()
        self.over = asyncio.Event()
        self.entered = False
        self.error: BaseException | None = None
        self.lease: KafkaLease | None = None
        self._group = group
        self._consumer = consumer
        self._left = left

    @property
    def held(self) -> bool:
        return self.entered and not self.over.is_set()

    def end(self) -> None:
        """The partition is no longer ours: whoever holds it can only leave."""
        self.leaving.set()
        if self.lease is not None:
            self.lease.end(Lost("the partition was taken back", subject=self._subject))

    async def __aenter__(self) -> Lease:
        if self.entered or self.leaving.is_set():
            raise Lost("the partition was taken back before it was opened", subject=self._subject)
        self.entered = True
        try:
            return await self._opened()
        except Exception as error:  # the edge to aiokafka
            self._finish(error)
            raise translated(error, "a partition cannot be opened", self._subject) from error
        except BaseException as error:
            self._finish(error)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish(error)

    def _finish(self, error: BaseException | None) -> None:
        self.error = error
        if self.lease is not None:
            self.lease.end(Lost("the lease was left", subject=self._subject))
        self.over.set()
        self._left(self)

    async def _opened(self) -> KafkaLease:
        """Opens beside a watch for the partition being taken back, because opening may take long."""
        limit = self._group.link.timing.opening
        opening = asyncio.create_task(self._open())
        leaving = asyncio.create_task(self.leaving.wait())
        try:
            await asyncio.wait({opening, leaving}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                return await opening
            if leaving.done():
                raise Lost("the partition was taken back while it was opened", subject=self._subject)
            raise BusError(f"a partition could not be opened within {limit:g} s", subject=self._subject)
        finally:
            opening.cancel()
            leaving.cancel()
            await asyncio.gather(opening, leaving, return_exceptions=True)

    async def _open(self) -> KafkaLease:
        group, tp = self._group, TopicPartition(self._group.source, self.partition)
        producer = Fenced(group.link, group.producer(self.partition))
        try:
            await producer.start()
            # Asked for before the fence, the position may be stale even though its commit had succeeded.
            last = await committed(self._consumer, group.ident, tp)
            async with reader(group.link) as consumer:
                first, end = await bounds(consumer, tp)
                position = self._position(last, first, end)
                changelog = TopicPartition(group.changelog, self.partition)
                self.kept = await restore(consumer, changelog, self.kept, group.names.clock.now())
            self._consumer.seek(tp, position)
            self._consumer.resume(tp)
        except BaseException:
            producer.discard()
            raise
        opened = Opened(producer, self.kept, position, end)
        self.lease = KafkaLease(group, self._consumer, self.partition, opened, self.leaving)
        await self.lease.look()
        return self.lease

    def _position(self, last: int | None, first: int, end: int) -> int:
        if last is None:
            return first
        if last > end:
            raise BusRefused(
                f"the position {last} of {self._group.ident} lies beyond the end {end}: the topic was made anew or the "
                "brokers lost records",
                subject=self._subject,
            )
        if last < first:
            skipped = first - last
            log.error("records_skipped", group=self._group.name, partition=self.partition, count=skipped, why="retention")
            self._group.observe("rasid_records_skipped_total", {"hop": self._group.name}, skipped)
        return max(last, first)

    @property
    def _subject(self) -> str:
        return f"{self._group.source}/{self.partition}"
