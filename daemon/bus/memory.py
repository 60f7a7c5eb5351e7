"""The bus in dicts and lists, for simulation in virtual time. Nothing survives the program; nothing leaves it.

Several "processes" of one program share a `MemoryStore`, each through a `MemoryBus` of its own.
"""

import asyncio
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from daemon.bus.base import Lease, Record, Row, Rows, Step
from daemon.bus.group import Group, Member, Turn
from daemon.bus.held import HeldRows
from daemon.bus.sizes import refuse_large
from daemon.bus.topics import TOPICS, partition_of
from daemon.clock import Clock
from daemon.errors import Lost, NewerRow

_TRIM_EVERY: Final = 256


class _Log:
    """One partition of a topic: the records from `first` on."""

    def __init__(self) -> None:
        self.first = 0
        self.records: list[Record] = []
        self.grown = asyncio.Event()

    @property
    def end(self) -> int:
        return self.first + len(self.records)

    def append(self, record: Record) -> None:
        self.records.append(replace(record, offset=self.end))
        self.grown.set()

    def slice(self, start: int, limit: int) -> Sequence[Record]:
        at = bisect_left(self.records, start, key=lambda record: record.offset)
        return self.records[at : at + limit]

    def trim(self, until: int, before: float) -> None:
        """Forget the records at the start that are older than `before`, none at or after offset `until`."""
        count = 0
        while count < len(self.records) and self.first + count < until and self.records[count].at < before:
            count += 1
        del self.records[:count]
        self.first += count


class _Place:
    """A group's standing in one partition. `epoch` counts its leases."""

    def __init__(self) -> None:
        self.position = 0
        self.epoch = 0
        self.rows = HeldRows()


class MemoryStore:
    """What the broker would hold. Records leave it as their topic's retention says, never before they were consumed."""

    def __init__(self, *, partitions: int = 4, clock: Clock) -> None:
        self.partitions = partitions
        self._clock = clock
        self._logs: dict[str, list[_Log]] = defaultdict(lambda: [_Log() for _ in range(partitions)])
        self._places: dict[str, list[_Place]] = defaultdict(lambda: [_Place() for _ in range(partitions)])
        self._groups: dict[str, Group] = defaultdict(lambda: Group(partitions))

    def logs(self, topic: str) -> Sequence[_Log]:
        return self._logs[topic]

    def places(self, group: str) -> Sequence[_Place]:
        return self._places[group]

    def group(self, name: str) -> Group:
        return self._groups[name]

    def append(self, out: Sequence[Record], *, everywhere: bool = False) -> None:
        for record in out:
            logs = self._logs[record.topic]
            for log in logs if everywhere else [logs[partition_of(record.lane, self.partitions)]]:
                log.append(record)
                if log.end % _TRIM_EVERY == 0:
                    self._trim(record.topic, logs.index(log))

    def _trim(self, topic: str, partition: int) -> None:
        known = TOPICS.get(topic)
        if known is not None:
            log = self._logs[topic][partition]
            until = log.end if known.group is None else self._places[known.group][partition].position
            log.trim(until, self._clock.now() - known.retention)


class _MemoryLease:
    """Implements `Lease`."""

    def __init__(self, store: MemoryStore, topic: str, group: str, turn: Turn) -> None:
        self.partition = turn.partition
        self.partitions = store.partitions
        self.leaving = turn.leaving
        self._store = store
        self._log = store.logs(topic)[turn.partition]
        self._place = store.places(group)[turn.partition]
        self._place.epoch += 1
        self._epoch = self._place.epoch
        self._group = store.group(group)
        self._turn = turn
        self.position = self._next = self._place.position
        self.rows: Rows = self._place.rows

    async def take(self, limit: int) -> Sequence[Record]:
        await asyncio.sleep(0)
        while not (taken := self._log.slice(self._next, limit)):
            self._log.grown.clear()
            await self._log.grown.wait()
        self._next = taken[-1].offset + 1
        return taken

    def lag(self) -> int:
        return self._log.end - max(self._next, self._log.first)

    async def commit(self, step: Step) -> None:
        await asyncio.sleep(0)
        refuse_large(step.out, step.rows)
        if self._epoch != self._place.epoch:
            raise Lost("another lease of the partition is open, or this one was left", subject=str(self.partition))
        self._store.append(step.out)
        self._place.rows.apply(step.rows)
        if step.next_offset is not None:
            self._place.position = step.next_offset
            self._group.progressed(self._turn)

    def leave(self) -> None:
        """No commit succeeds any more."""
        if self._epoch == self._place.epoch:
            self._place.epoch += 1

    def leave_if_lost(self) -> None:
        """Ask for the lease back when its member was taken for dead."""
        if not self._group.holds(self._turn):
            self.leaving.set()


class MemoryBus:
    """Implements `Bus`: one process's view of a store."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._members: dict[Member, Group] = {}
        self._leases: dict[_MemoryLease, None] = {}
        self._refused: NewerRow | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for member, group in self._members.items():
            member.end()
            group.part(member)

    def crash(self) -> None:
        """What kill -9 does: its leases are dead at once, and nobody is told; heirs wait as they would for a silent member."""
        for lease in self._leases:
            lease.leave()
        self.fall_silent()

    def fall_silent(self) -> None:
        """What a broker makes of a process that does not answer: heirs may have its partitions. Its leases are not told."""
        for member, group in self._members.items():
            group.forget(member)

    def speak_again(self) -> None:
        """The process answers: it is to leave what it lost, and takes part again."""
        for lease in self._leases:
            lease.leave_if_lost()
        for member, group in self._members.items():
            group.rejoin(member)

    def partitions(self, topic: str) -> int:  # noqa: ARG002 - all topics of this engine have as many
        return self._store.partitions

    async def leases(self, topic: str, group: str) -> AsyncGenerator[AbstractAsyncContextManager[Lease], None]:
        shared = self._store.group(group)
        member = shared.join()
        self._members[member] = shared
        try:
            while (turn := await member.next()) is not None:
                yield self._held(topic, group, turn)
            if self._refused is not None:
                raise self._refused
        finally:
            shared.part(member)
            del self._members[member]

    @asynccontextmanager
    async def _held(self, topic: str, group: str, turn: Turn) -> AsyncIterator[Lease]:
        lease = _MemoryLease(self._store, topic, group, turn)
        self._leases[lease] = None
        failed = True
        try:
            yield lease
            failed = False
        except NewerRow as error:
            self._refused = error.at(f"{group}, partition {turn.partition}")
            turn.member.end()
            raise
        finally:
            lease.leave()
            del self._leases[lease]
            self._store.group(group).left(turn, failed=failed)

    async def publish(self, out: Sequence[Record], *, everywhere: bool = False) -> None:
        await asyncio.sleep(0)
        refuse_large(out)
        self._store.append(out, everywhere=everywhere)

    async def read(self, topic: str, since: float = 0.0) -> AsyncIterator[Record]:
        for record in [record for log in self._store.logs(topic) for record in log.records if record.at >= since]:
            yield record

    async def state(self, group: str, prefix: bytes = b"") -> AsyncIterator[Row]:
        for row in [row for place in self._store.places(group) for row in place.rows.scan(prefix)]:
            yield row
