"""Committed rows held in memory: for engines whose store is a changelog (Kafka) or nothing at all (memory).

Rows are kept as stored bytes, which are smaller than `Row` and nothing that Python's garbage collector would look at: it
halts everything for as long as it looks, and a partition may have a million rows. No call tidies up all rows at once, either.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from daemon.bus.base import Row
from daemon.bus.codec import decode_row, encode_row, wake_of
from daemon.bus.keys import Keys
from daemon.bus.wakes import Entry, Wakes


class HeldRows:
    """Implements `Rows`."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._stored: dict[bytes, bytes] = {}
        self._keys = Keys()
        self._wakes = Wakes(partial(_stands, self._stored))
        self.apply(rows)

    def __len__(self) -> int:
        return len(self._stored)

    def apply(self, rows: Iterable[Row]) -> None:
        """Take over what has committed."""
        self.load((row.key, None if row.value is None else encode_row(row)) for row in rows)

    def load(self, stored: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take over rows as `encode_row` made them; None deletes.

        Raises `NewerRow` and `DecodeError`, before anything of that row is kept.
        """
        for key, value in stored:
            if value is not None:
                self._keep(key, value)
            elif self._stored.pop(key, None) is not None:
                self._keys.discard(key)

    def _keep(self, key: bytes, value: bytes) -> None:
        wake, before = wake_of(key, value), self._stored.get(key)
        self._stored[key] = value
        if before is None:
            self._keys.add(key)
        if wake is not None and (before is None or wake != wake_of(key, before)):
            self._wakes.put((wake, key), len(self._stored))

    def get(self, key: bytes) -> Row | None:
        stored = self._stored.get(key)
        return None if stored is None else decode_row(key, stored)

    def scan(self, prefix: bytes = b"") -> Iterator[Row]:
        return (decode_row(key, self._stored[key]) for key in self._keys.starting(prefix))

    def due(self, until: float, limit: int) -> Sequence[Row]:
        return [decode_row(key, self._stored[key]) for _, key in self._wakes.due(until, limit)]

    def next_wake(self, after: float = float("-inf")) -> float | None:
        """See `Rows.next_wake`; costs as much as there are rows with wakes up to `after`."""
        return self._wakes.next(after)


def _stands(rows: Mapping[bytes, bytes], entry: Entry) -> bool:
    """No method: what holds a million rows should go with its last reference, not wait in a cycle for the collector."""
    wake, key = entry
    stored = rows.get(key)
    return stored is not None and wake_of(key, stored) == wake
