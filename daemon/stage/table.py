"""A hop's view of its rows within one step: what committed, under what this step has changed so far."""

import heapq
from collections.abc import Container, Iterator

from daemon.bus.base import MAX_BYTES, Row, Rows
from daemon.errors import TooLarge

_CHUNK = 64


class StepTable:
    """Implements `Table`. Every change is logged with what it replaced, so that a mark can be rolled back to."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._changed: dict[bytes, Row | None] = {}
        self._log: list[tuple[bytes, bool, Row | None]] = []
        self._wakes: list[tuple[float, bytes]] = []
        self._committed = _CommittedWakes(rows)

    def get(self, key: bytes) -> Row | None:
        if key in self._changed:
            return self._changed[key]
        return self._rows.get(key)

    def put(self, key: bytes, new: Row | None) -> None:
        if new is not None and (new.key != key or new.value is None):
            raise ValueError(f"a row put at {key!r} must have that key and a value")
        if new is not None and len(new.value or b"") > MAX_BYTES:
            raise TooLarge(f"{len(new.value or b'')} bytes are too many for a row", subject=repr(key))
        self._log.append((key, key in self._changed, self._changed.get(key)))
        self._change(key, new)

    def scan(self, prefix: bytes) -> Iterator[Row]:
        merged: dict[bytes, Row | None] = {row.key: row for row in self._rows.scan(prefix)}
        merged.update((key, row) for key, row in self._changed.items() if key.startswith(prefix))
        for key in sorted(merged):
            row = merged[key]
            if row is not None:
                yield row

    def mark(self) -> int:
        return len(self._log)

    def rollback(self, mark: int) -> None:
        while len(self._log) > mark:
            key, was_changed, before = self._log.pop()
            if was_changed:
                self._change(key, before)
            else:
                del self._changed[key]
        self._committed.rewind()

    def next_due(self, until: float, skip: Container[bytes]) -> Row | None:
        """The earliest row by (wake, key) with `wake <= until`, this step's changes included; not one of `skip`."""
        changed = self._first_changed(skip)
        committed = self._committed.first(until, self._changed, skip)
        first = min((row for row in (changed, committed) if row is not None), key=_order, default=None)
        return first if first is not None and _order(first)[0] <= until else None

    def changes(self) -> list[Row]:
        """What to commit: one row a key, deletions as rows without a value."""
        return [row or Row("", key, None) for key, row in self._changed.items()]

    def _change(self, key: bytes, row: Row | None) -> None:
        self._changed[key] = row
        if row is not None and row.wake is not None:
            heapq.heappush(self._wakes, (row.wake, key))

    def _first_changed(self, skip: Container[bytes]) -> Row | None:
        while self._wakes:
            wake, key = self._wakes[0]
            row = self._changed.get(key)
            if row is not None and row.wake == wake and key not in skip:
                return row
            heapq.heappop(self._wakes)
        return None


class _CommittedWakes:
    """Committed rows by (wake, key), fetched in chunks: most steps need none, and rows can be large."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._next_wake = rows.next_wake()
        self._fetched: list[Row] = []
        self._at = 0
        self._until = float("-inf")
        self._limit = _CHUNK

    def rewind(self) -> None:
        self._at = 0

    def first(self, until: float, hidden: Container[bytes], skip: Container[bytes]) -> Row | None:
        if self._next_wake is None or self._next_wake > until:
            return None
        while True:
            while self._at < len(self._fetched):
                row = self._fetched[self._at]
                if row.key not in hidden and row.key not in skip:
                    return row
                self._at += 1
            if until <= self._until and len(self._fetched) < self._limit:
                return None
            if len(self._fetched) >= self._limit:
                self._limit *= 2
            self._fetched = list(self._rows.due(until, self._limit))
            self._until, self._at = until, 0


def _order(row: Row) -> tuple[float, bytes]:
    return (float("inf") if row.wake is None else row.wake, row.key)
