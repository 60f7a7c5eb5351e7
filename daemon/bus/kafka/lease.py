"""One input partition in the hands of one task: what it reads, and its commits.

reader ─▶ inbox (bounded) ─▶ take
commit ─▶ {outputs, changelog, position} in one transaction ─▶ rows in memory follow
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced

from daemon.bus.base import Record, Rows, Step
from daemon.bus.kafka.link import translated
from daemon.bus.kafka.names import Group
from daemon.bus.kafka.producer import Fenced
from daemon.bus.kafka.restore import Kept
from daemon.bus.kafka.stored import Entry, entry_of_row, record_of
from daemon.bus.kafka.timing import milliseconds
from daemon.errors import BusError, Lost

_BATCH: Final = 500
_POLL: Final = 2.0
"""Records end the wait at once. An idle process has many leases, and each look costs."""
_LOOK: Final = 0.02
"""While there may be nothing but marks of transactions before the end: aiokafka passes over them, but goes on waiting."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening a partition found: its fenced producer, its rows, its place, and where its records end for now."""

    producer: Fenced
    kept: Kept
    position: int
    end: int


class KafkaLease:
    """Implements `Lease`. Once anything went wrong it is lost for good; its holder leaves and is offered another."""

    def __init__(self, group: Group, consumer: Any, partition: int, opened: Opened, leaving: asyncio.Event) -> None:
        self.partition = partition
        self.partitions = group.names.count
        self.position = opened.position
        self.rows: Rows = opened.kept.rows
        self.leaving = leaving
        self.progressed = False
        self.fenced = False
        self._group = group
        self._consumer = consumer
        self._tp = TopicPartition(group.source, partition)
        self._opened = opened
        self._broken: BusError | None = None
        self._inbox: deque[Record] = deque()
        self._next = opened.position
        self._end = opened.end
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._looked = asyncio.Event()
        self._room.set()
        self._reader = asyncio.create_task(self._read())

    async def look(self) -> None:
        """Until the first records are at hand, or it is certain that there are none: from then on `lag` can be trusted."""
        if self._next < self._end:
            await self._looked.wait()

    async def take(self, limit: int) -> Sequence[Record]:
        while not self._inbox:
            self._check()
            self._more.clear()
            await self._more.wait()
        self._check()
        taken = [self._inbox.popleft() for _ in range(min(limit, len(self._inbox)))]
        if len(self._inbox) < _BATCH:
            self._room.set()
        return taken

    def lag(self) -> int:
        """Counts marks of transactions too, until the reader has passed over them: within 20 ms of idling it is exact."""
        return len(self._inbox) + max(0, self._end - self._next)

    async def commit(self, step: Step) -> None:
        self._check()
        out = [self._group.names.entry_of(record) for record in step.out]
        rows = [entry_of_row(row, self._group.changelog, self.partition) for row in step.rows]
        if not out and not rows and step.next_offset is None:
            return
        written = await self._write([*out, *rows], {} if step.next_offset is None else {self._tp: step.next_offset})
        # Memory follows the log, never leads it.
        kept = self._opened.kept
        kept.rows.apply(step.rows)
        if rows:
            kept.at = max(written[len(out) :]) + 1
        kept.since = self._group.names.clock.now()
        self.progressed = self.progressed or step.next_offset is not None

    async def _write(self, entries: Sequence[Entry], offsets: dict[TopicPartition, int]) -> list[int]:
        try:
            async with asyncio.timeout(self._group.link.timing.step):
                return await self._opened.producer.commit(entries, offsets, self._group.ident)
        except asyncio.CancelledError:
            self.end(Lost("a commit was broken off", subject=self._subject))
            raise
        except (ProducerFenced, InvalidProducerEpoch) as error:
            self.fenced = True
            raise self.end(Lost("another process holds the partition now", subject=self._subject)) from error
        except Exception as error:  # the edge to aiokafka: a poisoned producer raises anything, AssertionError included
            raise self.end(translated(error, "a step cannot be committed", self._subject)) from error

    def end(self, reason: BusError) -> BusError:
        """No take and no commit succeeds from now on; at once, without waiting. Returns `reason`, or the earlier one."""
        if self._broken is None:
            self._broken = reason
            self._reader.cancel()
            self._opened.producer.discard()
            self._more.set()
            self._looked.set()
        return self._broken

    @property
    def _subject(self) -> str:
        return f"{self._tp.topic}/{self._tp.partition}"

    def _check(self) -> None:
        if self._broken is not None:
            raise self._broken

    async def _read(self) -> None:
        try:
            while True:
                await self._room.wait()
                # The first, without waiting, passes over what is at hand and is no record: marks of transactions.
                if not await self._fetch(0.0):
                    await self._fetch(_LOOK if self._next < self._end else _POLL)
        except Exception as error:  # noqa: BLE001 - the boundary of the reader's task; `take` raises it
            self.end(translated(error, "records cannot be read", self._subject))

    async def _fetch(self, timeout: float) -> bool:  # noqa: ASYNC109 - aiokafka's own, not a bound on this call
        found = await self._consumer.getmany(self._tp, timeout_ms=milliseconds(timeout), max_records=_BATCH)
        messages = found.get(self._tp, ())
        # Nothing is awaited between what `getmany` gave and the inbox: a cancelled reader has lost nothing.
        self._inbox.extend(record_of(message, self._group.topic) for message in messages)
        if len(self._inbox) >= _BATCH:
            self._room.clear()
        if messages:
            self._more.set()
        self._next = await self._consumer.position(self._tp)
        self._end = max(self._end, self._consumer.last_stable_offset(self._tp) or 0)
        if messages or self._next >= self._end:
            self._looked.set()
        return bool(messages)
