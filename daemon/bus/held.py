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
        popped: list[tuple[float, bytes]] = []
        found: list[Row] = []
        while self._wakes and len(found) < limit and self._wakes[0][0] <= until:
            wake, key = heapq.heappop(self._wakes)
            row = self._rows.get(key)
            if row is not None and row.wake == wake and (not popped or popped[-1] != (wake, key)):
                popped.append((wake, key))
                found.append(row)
        for entry in popped:
            heapq.heappush(self._wakes, entry)
        return found

    def next_wake(self) -> float | None:
        while self._wakes:
            wake, key = self._wakes[0]
            row = self._rows.get(key)
            if row is not None and row.wake == wake:
                return wake
            heapq.heappop(self._wakes)
        return None
