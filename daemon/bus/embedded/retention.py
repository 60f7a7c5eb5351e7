"""Forgetting old records by age and by bytes, a little at a time, and none that a group has yet to consume."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final

import structlog

from daemon.bus.embedded.reader import Reader
from daemon.bus.embedded.schema import OFFSET_BITS, numbered
from daemon.bus.embedded.shelf import Shelf
from daemon.bus.embedded.transaction import Transaction
from daemon.bus.topics import TOPICS
from daemon.clock import Clock
from daemon.errors import BusError

log = structlog.get_logger()

_EVERY: Final = 15.0
_PAUSE: Final = 0.01
"""Seconds between steps, so that commits of the hops are not held up."""
_STEP_RECORDS: Final = 500
_STEP_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Part:
    topic: str
    number: int
    consumed: int
    """The offset that must stay, and all after it."""


@dataclass(frozen=True, slots=True)
class _Old:
    """Records from the start of a part: ids from `first` to `last`."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Start:
    """Up to the record with this `id` a part is as old as it: `at`."""

    id: int
    at: float


class Retention:
    """`full` says that the file is over its bound and nothing more may go."""

    def __init__(self, shelf: Shelf, clock: Clock, keep: Mapping[str, float], max_bytes: int) -> None:
        self.full = False
        self._shelf = shelf
        self._clock = clock
        self._keep = {**{topic.name: topic.retention for topic in TOPICS.values()}, **keep}
        self._max_bytes = max_bytes

    async def run(self) -> None:
        """Sweep now and then, until cancelled."""
        while True:
            try:
                await self.sweep()
            except BusError as error:
                log.warning("retention_failed", reason=error.reason, subject=error.subject)
            await asyncio.sleep(_EVERY)

    async def sweep(self) -> None:
        """Forget all that may go now. Raises `BusError`."""
        for part in list(_parts(self._shelf.reader, self._shelf.partitions)):
            before = self._clock.now() - self._keep.get(part.topic, float("inf"))
            while old := self._old(part, before):
                await self._forget(old)
            await asyncio.sleep(0)
        self.full = not await self._fit()

    async def _fit(self) -> bool:
        """Forget the oldest of all until the file fits its bound; False when nothing more may go.

        Only the part that lost some is looked at again: to look at all of them for each step held up the event loop.
        """
        if self._fits():
            return True
        oldest = await self._starts()
        while oldest and not self._fits():
            _, _, part = heappop(oldest)
            if old := self._old(part, float("inf")):
                await self._forget(old)
                if (start := self._start(part)) is not None:
                    heappush(oldest, (start.at, part.number, part))
        return self._fits()

    def _fits(self) -> bool:
        return used_bytes(self._shelf.reader) <= self._max_bytes

    async def _starts(self) -> list[tuple[float, int, _Part]]:
        """A heap of the parts of which something may go, by their age."""
        found = []
        for part in list(_parts(self._shelf.reader, self._shelf.partitions)):
            if (start := self._start(part)) is not None:
                found.append((start.at, part.number, part))
            await asyncio.sleep(0)
        heapify(found)
        return found

    def _start(self, part: _Part) -> _Start | None:
        """How old the first records of a part are that may go, if any.

        Those from the future, of a clock that was ahead, are as old as the first after them that is not: the part was
        written in order. Halving finds one such without a look at all of them. With none they are of now.
        """
        base, now = part.number << OFFSET_BITS, self._clock.now()
        high = base + part.consumed
        start = self._first(base, high)
        if start is None or start.at <= now:
            return start
        low, start = start.id, _Start(start.id, now)
        while high - low > 1:
            middle = (low + high) // 2
            found = self._first(middle, high)
            if found is not None and found.at > now:
                low = found.id
            else:
                high, start = middle, found or start
        return start

    def _first(self, low: int, high: int) -> _Start | None:
        found = self._shelf.reader.fetch("SELECT id, at FROM log WHERE id >= ? AND id < ? ORDER BY id LIMIT 1", (low, high))
        return _Start(*found[0]) if found else None

    def _old(self, part: _Part, before: float) -> _Old | None:
        """What may go of a part in one step: consumed and older than `before`."""
        start = self._start(part)
        if start is None or start.at >= before:
            return None
        base = part.number << OFFSET_BITS
        sql = "SELECT id, at, length(value) FROM log WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
        found = self._shelf.reader.fetch(sql, (base, base + part.consumed, _STEP_RECORDS))
        last, size = None, 0
        for number, at, length in found:
            if (number > start.id and at >= before) or size > _STEP_BYTES:
                break
            last, size = number, size + (length or 0)
        return None if last is None else _Old(found[0][0], last)

    async def _forget(self, old: _Old) -> None:
        def delete(transaction: Transaction) -> None:
            transaction.db.execute("DELETE FROM log WHERE id >= ? AND id <= ?", (old.first, old.last))

        await self._shelf.writer.submit(delete)
        await asyncio.sleep(_PAUSE)


def used_bytes(reader: Reader) -> int:
    """Bytes of the file that hold something."""
    pages, free, size = (reader.number(f"PRAGMA {name}") or 0 for name in ("page_count", "freelist_count", "page_size"))
    return (pages - free) * size


def _parts(reader: Reader, partitions: int) -> Iterator[_Part]:
    groups = reader.fetch("SELECT id, topic, name FROM grp")
    positions = dict(reader.fetch("SELECT id, position FROM place"))
    ends = reader.ends()
    for number, name in reader.fetch("SELECT id, name FROM topic"):
        consumers = [group for group, topic, _ in groups if topic == number]
        known = TOPICS.get(name)
        unseen = known is not None and known.group is not None and known.group not in {group for _, _, group in groups}
        for partition in range(partitions):
            part = numbered(number, partition)
            consumed = [positions.get(numbered(group, partition), 0) for group in consumers]
            yield _Part(name, part, min([ends.get(part, 0), *consumed, *([0] if unseen else [])]))
