"""A hop's view of its rows within one step: what committed, under what this step has changed so far."""

from collections.abc import Iterator, Sequence

from daemon.bus.base import Row, Rows


class StepTable:
    """Implements `Table`. Every change is logged with what it replaced, so that a mark can be rolled back to."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._changed: dict[bytes, Row | None] = {}
        self._log: list[tuple[bytes, bool, Row | None]] = []

    def get(self, key: bytes) -> Row | None:
        if key in self._changed:
            return self._changed[key]
        return self._rows.get(key)

    def put(self, key: bytes, new: Row | None) -> None:
        if new is not None and (new.key != key or new.value is None):
            raise ValueError(f"a row put at {key!r} must have that key and a value")
        self._log.append((key, key in self._changed, self._changed.get(key)))
        self._changed[key] = new

    def scan(self, prefix: bytes) -> Iterator[Row]:
        committed = {row.key: row for row in self._rows.scan(prefix)}
        changed = {key: row for key, row in self._changed.items() if key.startswith(prefix)}
        merged: dict[bytes, Row | None] = {**committed, **changed}
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
                self._changed[key] = before
            else:
                del self._changed[key]

    def due(self, until: float, limit: int) -> Sequence[Row]:
        """Rows to be woken by `until`, this step's own included, by (wake, key); at most `limit`."""
        committed = self._rows.due(until, limit + len(self._changed))
        rows = [row for row in committed if row.key not in self._changed]
        rows += [row for row in self._changed.values() if row is not None and row.wake is not None and row.wake <= until]
        return sorted(rows, key=lambda row: (row.wake, row.key))[:limit]

    def changes(self) -> list[Row]:
        """What to commit: one row a key, deletions as rows without a value."""
        return [row or Row("", key, None) for key, row in self._changed.items()]
