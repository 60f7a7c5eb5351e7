"""Everything of one bus carried to another, offline: records, positions, rows. Knows no engine.

what was consumed, of all partitions by `at` ─▶ goal        positions then stand between the two
what was not, likewise                       ─▶ goal

With equal partition counts each partition goes over as it is. With others, every lane finds its partition anew; records that
stand outside the home of their lane were published everywhere, and are so again.
"""

import heapq
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, Protocol

from daemon.bus.base import Record, Row
from daemon.bus.topics import Topic, partition_of
from daemon.errors import BusRefused

Tell = Callable[[str, int, int], None]
"""Told how far it is: what is being done, how much is done, of how much."""

Runner = Callable[[Sequence[Row]], Row | None]
"""What the stage runner's rows of one key, one of each partition, become; None when they end here."""

RUNNER_KEYS: Final = b"\0"
"""Keys of the runner's own rows begin so; they belong to a partition, not to a lane."""
_BATCH: Final = 500
_BATCH_BYTES: Final = 8 * 1024 * 1024

Span = tuple[int, int]
"""Offsets from the first up to, not including, the second."""


@dataclass(frozen=True, slots=True)
class Stand:
    """One partition of a topic: its first offset, its group's position, its end. Without a group all is before the position."""

    first: int
    position: int
    end: int


class Origin(Protocol):
    """An engine's store, at rest."""

    partitions: int

    async def stand(self, topic: Topic, partition: int) -> Stand: ...
    def reading(self, topic: str, spans: Sequence[Span]) -> AbstractAsyncContextManager[Sequence[AsyncIterator[Record]]]:
        """The records of each partition's span, in order."""
        ...

    def rows(self, topic: Topic, partition: int) -> AsyncGenerator[Row, None]: ...


class Goal(Protocol):
    """An engine's store, empty and at rest. Numbers beside records and rows are partitions."""

    partitions: int

    async def append(self, batch: Sequence[tuple[int, Record]]) -> None: ...
    async def put(self, topic: Topic, batch: Sequence[tuple[int, Row]]) -> None: ...
    async def begin(self, topic: Topic, consumed: Sequence[int]) -> None:
        """Have the topic's group begin behind so many records of each partition."""
        ...

    async def verify(self, topic: Topic, counts: Sequence[int]) -> None:
        """Raises `BusError` unless each partition holds exactly so many records."""
        ...


@dataclass(slots=True)
class Moved:
    """What was carried over."""

    records: int = 0
    unconsumed: int = 0
    rows: int = 0


@dataclass(slots=True)
class _Topic:
    """A topic on its way: what `origin` has of it, what `goal` has got, and what was published everywhere.

    `everywhere` says of each such record whether it is still to be consumed somewhere.
    """

    topic: Topic
    stands: Sequence[Stand]
    counts: list[int]
    everywhere: dict[bytes, bool] = field(default_factory=dict)


class Move:
    """One move. `runner` decides on the runner's rows."""

    def __init__(self, origin: Origin, goal: Goal, runner: Runner, tell: Tell) -> None:
        self._origin = origin
        self._goal = goal
        self._runner = runner
        self._tell = tell
        self._moved = Moved()

    async def run(self, topics: Sequence[Topic]) -> Moved:
        """Positions come last, so that a move broken off is seen by what it left. Raises `BusError`."""
        positions = [(topic, await self._records(topic)) for topic in topics]
        for topic in topics:
            if topic.group is not None:
                await self._rows(topic)
        for topic, consumed in positions:
            if topic.group is not None:
                await self._goal.begin(topic, consumed)
        return self._moved

    async def _records(self, topic: Topic) -> Sequence[int]:
        """Carry a topic over; returns how many records of each partition have been consumed."""
        stands = [await self._origin.stand(topic, number) for number in range(self._origin.partitions)]
        going = _Topic(topic, stands, [0] * self._goal.partitions)
        await self._find_everywhere(going)
        await self._carry(going, [(stand.first, stand.position) for stand in stands], pending=False)
        consumed = list(going.counts)
        await self._carry(going, [(stand.position, stand.end) for stand in stands], pending=True)
        await self._goal.verify(topic, going.counts)
        self._moved.records += sum(going.counts)
        if topic.group is not None:
            self._moved.unconsumed += sum(going.counts) - sum(consumed)
        return consumed

    async def _find_everywhere(self, going: _Topic) -> None:
        count = self._origin.partitions
        if count == self._goal.partitions:
            return
        for spans, pending in (
            ([(stand.first, stand.end) for stand in going.stands], False),
            ([(stand.position, stand.end) for stand in going.stands], True),
        ):
            async with aclosing(self._merged(going.topic.name, spans)) as records:
                async for number, record in records:
                    known = bool(going.everywhere) and _identity(record) in going.everywhere
                    if known or partition_of(record.lane, count) != number:
                        going.everywhere[_identity(record)] = pending

    async def _carry(self, going: _Topic, spans: Sequence[Span], *, pending: bool) -> None:
        batch: list[tuple[int, Record]] = []
        size, done, total = 0, 0, sum(end - start for start, end in spans)
        carried: set[bytes] = set()
        async with aclosing(self._merged(going.topic.name, spans)) as records:
            async for number, record in records:
                batch += [(target, record) for target in self._targets(going, number, record, (carried, pending))]
                size, done = size + len(record.value or b""), done + 1
                if len(batch) >= _BATCH or size >= _BATCH_BYTES:
                    await self._append(going, batch)
                    batch, size = [], 0
                    self._tell(f"moving {going.topic.name}", done, total)
        await self._append(going, batch)

    def _targets(self, going: _Topic, number: int, record: Record, when: tuple[set[bytes], bool]) -> Iterable[int]:
        """Where a record goes: one partition; all of them, once; or nowhere, as it has gone there or goes later."""
        if self._origin.partitions == self._goal.partitions:
            return (number,)
        carried, pending = when
        if going.everywhere and (identity := _identity(record)) in going.everywhere:
            if going.everywhere[identity] is not pending or identity in carried:
                return ()
            carried.add(identity)
            return range(self._goal.partitions)
        return (partition_of(record.lane, self._goal.partitions),)

    async def _append(self, going: _Topic, batch: Sequence[tuple[int, Record]]) -> None:
        if batch:
            await self._goal.append(batch)
        for target, _ in batch:
            going.counts[target] += 1

    async def _merged(self, topic: str, spans: Sequence[Span]) -> AsyncGenerator[tuple[int, Record], None]:
        """Records with their partitions; each partition in its own order, all of them by `at` as far as that allows."""
        async with self._origin.reading(topic, spans) as streams:
            heads = [(found.at, number, found) for number, stream in enumerate(streams) if (found := await anext(stream, None))]
            heapq.heapify(heads)
            while heads:
                _, number, record = heads[0]
                yield number, record
                following = await anext(streams[number], None)
                if following is None:
                    heapq.heappop(heads)
                else:
                    heapq.heapreplace(heads, (following.at, number, following))

    async def _rows(self, topic: Topic) -> None:
        batch: list[tuple[int, Row]] = []
        runners: dict[tuple[bytes, int], list[Row]] = defaultdict(list)
        seen: set[bytes] = set()
        for number in range(self._origin.partitions):
            self._tell(f"moving rows of {topic.group}", number, self._origin.partitions)
            async with aclosing(self._origin.rows(topic, number)) as rows:
                async for row in rows:
                    if row.key.startswith(RUNNER_KEYS):
                        runners[row.key, self._group_of(number)].append(row)
                        continue
                    batch.append((self._home(topic, number, row, seen), row))
                    if len(batch) >= _BATCH:
                        await self._put(topic, batch)
                        batch = []
        await self._put(topic, batch)
        await self._put(topic, list(self._runners(runners)))

    def _group_of(self, number: int) -> int:
        """Partitions that stay as they are keep the runner's rows to themselves; else they all meet."""
        return number if self._origin.partitions == self._goal.partitions else -1

    def _runners(self, runners: dict[tuple[bytes, int], list[Row]]) -> Iterable[tuple[int, Row]]:
        for (_, number), rows in runners.items():
            row = self._runner(rows)
            targets = range(self._goal.partitions) if number < 0 else (number,)
            yield from ((target, row) for target in targets if row is not None)

    def _home(self, topic: Topic, number: int, row: Row, seen: set[bytes]) -> int:
        if self._origin.partitions == self._goal.partitions:
            return number
        if partition_of(row.lane, self._origin.partitions) != number:
            reason = f"a row of partition {number} belongs to it and not to its lane: the partition count cannot be changed"
            raise BusRefused(reason, subject=f"{topic.group} {row.key!r}")
        digest = blake2b(row.key, digest_size=8).digest()
        if digest in seen:
            raise BusRefused(
                "rows of two partitions have one key: the count cannot be changed", subject=f"{topic.group} {row.key!r}"
            )
        seen.add(digest)
        return partition_of(row.lane, self._goal.partitions)

    async def _put(self, topic: Topic, batch: Sequence[tuple[int, Row]]) -> None:
        if batch:
            await self._goal.put(topic, batch)
        self._moved.rows += len(batch)


def _identity(record: Record) -> bytes:
    """What copies of one record in several partitions have in common."""
    said = repr((record.lane, record.key, record.at)).encode()
    return blake2b(said + b"\0" + (record.value or b""), digest_size=16).digest()
