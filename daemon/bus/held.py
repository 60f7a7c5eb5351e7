"""Committed rows held in memory: for engines whose store is a changelog (Kafka) or nothing at all (memory)."""

import heapq
from collections.abc import Iterable, Iterator, Sequence

from daemon.bus.base import Row


class HeldRows:
    """Implements `Rows`. Wakes stand in a heap that forgets lazily: an entry counts only while it is its row's own."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows: dict[bytes, Row] = {}
        self._wakes: list[tuple[float, bytes]] = []
        self.apply(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def apply(self, rows: Iterable[Row]) -> None:
        """Take over what has committed."""
        for row in rows:
            if row.value is None:
                self._rows.pop(row.key, None)
                continue
            self._rows[row.key] = row
            if row.wake is not None:
                heapq.heappush(self._wakes, (row.wake, row.key))
        if len(self._wakes) > 2 * len(self._rows) + 64:
            self._wakes = sorted((row.wake, row.key) for row in self._rows.values() if row.wake is not None)

    def get(self, key: bytes) -> Row | None:
        return self._rows.get(key)

    def scan(self, prefix: bytes = b"") -> Iterator[Row]:
        for key in sorted(key for key in self._rows if key.startswith(prefix)):
            yield self._rows[key]

    def due(self, until: float, limit: int) -> Sequence[Row]:
        """See `Rows.due`; the heap is left as it was but for stale entries."""
        popped = self._pop(until, limit)
        self._push_back(popped)
        return [self._rows[key] for _, key in popped]

    def next_wake(self, after: float = float("-inf")) -> float | None:
        """See `Rows.next_wake`; costs as much as there are rows with wakes up to `after`."""
        popped = self._pop(after, len(self._wakes))
        head = self._pop(float("inf"), 1)
        self._push_back([*popped, *head])
        return head[0][0] if head else None

    def _pop(self, until: float, limit: int) -> list[tuple[float, bytes]]:
        """Take at most `limit` entries with a wake up to `until` off the heap, in order; stale and double ones vanish."""
        popped: list[tuple[float, bytes]] = []
        while self._wakes and len(popped) < limit and self._wakes[0][0] <= until:
            entry = heapq.heappop(self._wakes)
            row = self._rows.get(entry[1])
            if row is not None and row.wake == entry[0] and (not popped or popped[-1] != entry):
                popped.append(entry)
        return popped

    def _push_back(self, entries: Iterable[tuple[float, bytes]]) -> None:
        for entry in entries:
            heapq.heappush(self._wakes, entry)
