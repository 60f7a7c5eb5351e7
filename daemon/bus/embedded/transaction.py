"""What one SQLite transaction writes for a batch of jobs: gathered first, then written in few statements.

Few, because each statement of the writer's thread has to win the interpreter back from a busy event loop.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import apsw

from daemon.bus.base import Row
from daemon.bus.embedded.schema import OFFSET_BITS, Value
from daemon.bus.topics import lane_bytes
from daemon.errors import Lost

T = TypeVar("T")
_CHUNKS: Final = (64, 8, 1)
"""Rows a statement; a few fixed sizes, so that statements are prepared once."""

Entry = tuple[int, float, bytes, bytes, bytes | None]
"""A record to be appended: part (once it has an offset: id), at, lane, key, value."""


class Transaction:
    """Within `BEGIN IMMEDIATE`. A job checks before it adds; what it added is written by `flush` only."""

    def __init__(self, db: apsw.Connection) -> None:
        self.db = db
        self.ends: dict[int, int] = {}
        """The next offset of each part appended to."""
        self._log: list[Entry] = []
        self._puts: dict[tuple[int, bytes], Row] = {}

    def append(self, entries: Sequence[Entry]) -> None:
        for part, at, lane, key, value in entries:
            end = self.ends.get(part)
            if end is None:
                end = self.db.execute("SELECT next FROM head WHERE part = ?", (part,)).get or 0
            self._log.append((part << OFFSET_BITS | end, at, lane, key, value))
            self.ends[part] = end + 1

    def move(self, place: int, epoch: int, position: int | None) -> None:
        """Raises `Lost`, with nothing written, unless the lease of this epoch still holds the place."""
        sql = "UPDATE place SET position = coalesce(?, position) WHERE id = ? AND epoch = ?"
        self.db.execute(sql, (position, place, epoch))
        if self.db.changes() != 1:
            raise Lost("a newer lease of the partition was opened", subject=str(place))

    def put(self, place: int, rows: Sequence[Row]) -> None:
        self._puts.update(((place, row.key), row) for row in rows)

    def flush(self) -> None:
        for part in _chunks(self._log):
            self._many("INSERT INTO log VALUES ", "(?,?,?,?,?)", part)
        for heads in _chunks(list(self.ends.items())):
            self._many("INSERT INTO head VALUES ", "(?,?)", heads, " ON CONFLICT(part) DO UPDATE SET next = excluded.next")
        self._flush_rows()

    def _flush_rows(self) -> None:
        gone: list[tuple[int, bytes]] = []
        kept: list[tuple[int, bytes, bytes, float | None, bytes]] = []
        for (place, key), row in self._puts.items():
            if row.value is None:
                gone.append((place, key))
            else:
                kept.append((place, key, lane_bytes(row.lane), row.wake, row.value))
        for keys in _chunks(gone):
            self._many("DELETE FROM row WHERE (place, key) IN (VALUES ", "(?,?)", keys, ")")
        upsert = " ON CONFLICT(place, key) DO UPDATE SET lane = excluded.lane, wake = excluded.wake, value = excluded.value"
        for rows in _chunks(kept):
            self._many("INSERT INTO row(place, key, lane, wake, value) VALUES ", "(?,?,?,?,?)", rows, upsert)

    def _many(self, head: str, one: str, rows: Sequence[tuple[Value, ...]], tail: str = "") -> None:
        self.db.execute(head + ",".join([one] * len(rows)) + tail, [value for row in rows for value in row])


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    start = 0
    for size in _CHUNKS:
        while len(items) - start >= size:
            yield items[start : start + size]
            start += size
