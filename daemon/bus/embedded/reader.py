"""What is read from the file, on the event loop: every query ends at once and is bounded, so no snapshot outlives it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import apsw

from daemon.bus.base import Record, Row
from daemon.bus.embedded.schema import OFFSET_BITS, Value
from daemon.bus.embedded.trouble import translate
from daemon.bus.topics import lane_text

_MOST_BYTES: Final = 8 * 1024 * 1024
"""A read of records or a chunk of a scan ends with the value that passes this."""
_CHUNK: Final = 256
_SPAN: Final = 2000
"""Offsets a chunk of `records_since` covers, whether anything there is young enough or not."""

_MASK: Final = (1 << OFFSET_BITS) - 1
_RECORDS: Final = "SELECT id, at, lane, key, value FROM log WHERE id >= ? AND id < ? AND at >= ? ORDER BY id LIMIT ?"
_SCAN: Final = "SELECT key, lane, wake, value FROM row WHERE place = ?1 AND key >= ?2 ORDER BY key LIMIT ?3"
_SCAN_PREFIX: Final = "SELECT key, lane, wake, value FROM row WHERE place = ?1 AND key >= ?2 AND key < ?4 ORDER BY key LIMIT ?3"
_DUE: Final = "SELECT key, lane, wake, value FROM row WHERE place = ? AND wake <= ? ORDER BY wake, key LIMIT ?"


class Reader:
    """Owns a connection that cannot write. Sees what any process has committed. All methods raise `BusError`."""

    def __init__(self, db: apsw.Connection, path: Path) -> None:
        self._db = db
        self._path = path
        self._seen = -1

    def close(self) -> None:
        self._db.close()

    def changed(self) -> bool:
        """Whether anything was committed to the file since the last call."""
        before = self._seen
        self._seen = self.number("PRAGMA data_version") or 0
        return before != self._seen

    def ends(self) -> Mapping[int, int]:
        """The next offset of each part that was ever appended to."""
        return dict(self.fetch("SELECT part, next FROM head"))

    def topic(self, name: str) -> int | None:
        return self.number("SELECT id FROM topic WHERE name = ?", (name,))

    def group(self, name: str) -> int | None:
        return self.number("SELECT id FROM grp WHERE name = ?", (name,))

    def records(self, topic: str, part: int, start: int, limit: int) -> Sequence[Record]:
        """At most `limit` records of a part from an offset on, fewer when they are large."""
        base = part << OFFSET_BITS
        return self._records(topic, (base + start, base + _MASK, float("-inf"), limit))

    def records_since(self, topic: str, part: int, end: int, since: float) -> Iterator[Sequence[Record]]:
        """The records of a part below an offset with `at >= since`, in chunks; other work may go on between them."""
        base = part << OFFSET_BITS
        first = self.number("SELECT min(id) FROM log WHERE id >= ? AND id < ?", (base, base + end))
        at = base + end if first is None else first
        while at < base + end:
            upto = min(at + _SPAN, base + end)
            found = self._records(topic, (at, upto, since, _CHUNK))
            at = base + found[-1].offset + 1 if found else upto
            yield found

    def row(self, place: int, key: bytes) -> Row | None:
        found = self.fetch("SELECT lane, wake, value FROM row WHERE place = ? AND key = ?", (place, key))
        return Row(lane_text(found[0][0]), key, found[0][2], found[0][1]) if found else None

    def rows(self, place: int, prefix: bytes) -> Iterator[Row]:
        """Rows by prefix in key order, read in chunks: what commits meanwhile may or may not be seen."""
        start, end = prefix, _after(prefix)
        while found := self.fetch(_SCAN_PREFIX if end else _SCAN, (place, start, _CHUNK, *([end] if end else ())), _MOST_BYTES):
            for key, lane, wake, value in found:
                yield Row(lane_text(lane), key, value, wake)
            start = found[-1][0] + b"\0"

    def due(self, place: int, until: float, limit: int) -> Sequence[Row]:
        return [Row(lane_text(lane), key, value, wake) for key, lane, wake, value in self.fetch(_DUE, (place, until, limit))]

    def next_wake(self, place: int, after: float) -> float | None:
        wake: float | None = self.fetch("SELECT min(wake) FROM row WHERE place = ? AND wake > ?", (place, after))[0][0]
        return wake

    def number(self, sql: str, bindings: Sequence[Value] = ()) -> int | None:
        """The one integer a query gives, None when it gives nothing."""
        found = self.fetch(sql, bindings)
        return found[0][0] if found else None

    def fetch(self, sql: str, bindings: Sequence[Value] = (), most_bytes: int = 0) -> list[tuple[Any, ...]]:
        """What a query gives, up to the value (its last column) that passes `most_bytes` if given."""
        try:
            cursor = self._db.execute(sql, bindings)
            return _bounded(cursor, most_bytes) if most_bytes else cursor.fetchall()
        except apsw.Error as error:
            raise translate(error, self._path) from error

    def _records(self, topic: str, bindings: tuple[int, int, float, int]) -> Sequence[Record]:
        found = self.fetch(_RECORDS, bindings, _MOST_BYTES)
        return [Record(topic, lane_text(lane), key, value, at, number & _MASK) for number, at, lane, key, value in found]


class PlaceRows:
    """Implements `Rows` for one place."""

    def __init__(self, reader: Reader, place: int) -> None:
        self._reader = reader
        self._place = place

    def get(self, key: bytes) -> Row | None:
        return self._reader.row(self._place, key)

    def scan(self, prefix: bytes = b"") -> Iterator[Row]:
        return self._reader.rows(self._place, prefix)

    def due(self, until: float, limit: int) -> Sequence[Row]:
        return self._reader.due(self._place, until, limit)

    def next_wake(self, after: float = float("-inf")) -> float | None:
        return self._reader.next_wake(self._place, after)


def _bounded(cursor: apsw.Cursor, most_bytes: int) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    size = 0
    for entry in cursor:
        found.append(entry)
        size += len(entry[-1] or b"")
        if size >= most_bytes:
            cursor.close()
            break
    return found


def _after(prefix: bytes) -> bytes:
    """The first key beyond all that start with `prefix`; empty when there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else b""
