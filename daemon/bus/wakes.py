"""The wakes of rows held in memory, in order, without ever stopping to tidy up.

    put ─▶ heap ◀─ a few at a time ─ leftover

An entry counts only while `stands` says that it is its row's own. When too many do not, the heap becomes the leftover, and each
put moves some of its entries over, from its end: what is left is a heap still. So no call pays for all entries at once.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Final

_MOVED: Final = 4

Entry = tuple[float, bytes]


class Wakes:
    """Entries `(wake, key)`; `spare` are always allowed not to stand."""

    def __init__(self, stands: Callable[[Entry], bool], *, spare: int = 64) -> None:
        self._stands = stands
        self._spare = spare
        self._heap: list[Entry] = []
        self._leftover: list[Entry] = []

    def put(self, entry: Entry, rows: int) -> None:
        """Have one entry more; `rows` is how many can stand at most. One that stands already needs no second put."""
        heapq.heappush(self._heap, entry)
        if self._leftover:
            self._move()
        elif len(self._heap) > 2 * rows + self._spare:
            self._heap, self._leftover = [], self._heap

    def due(self, until: float, limit: int) -> Sequence[Entry]:
        """At most `limit` standing entries with a wake up to `until`, in order. Forgets others on its way."""
        popped = self._pop(until, limit)
        self._push(popped)
        return popped

    def next(self, after: float) -> float | None:
        """The earliest standing wake later than `after`; costs as much as there are entries up to it."""
        popped = self._pop(after, len(self._heap) + len(self._leftover))
        head = self._pop(float("inf"), 1)
        self._push(popped)
        self._push(head)
        return head[0][0] if head else None

    def _move(self) -> None:
        for _ in range(min(_MOVED, len(self._leftover))):
            entry = self._leftover.pop()
            if self._stands(entry):
                heapq.heappush(self._heap, entry)

    def _pop(self, until: float, limit: int) -> list[Entry]:
        """Take entries off, in order; those that do not stand, and doubles, vanish."""
        popped: list[Entry] = []
        while len(popped) < limit and (heap := self._first()) and heap[0][0] <= until:
            entry = heapq.heappop(heap)
            if self._stands(entry) and (not popped or popped[-1] != entry):
                popped.append(entry)
        return popped

    def _first(self) -> list[Entry]:
        """The one of both heaps with the earlier head."""
        if not self._heap or (self._leftover and self._leftover[0] < self._heap[0]):
            return self._leftover
        return self._heap

    def _push(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            heapq.heappush(self._heap, entry)
