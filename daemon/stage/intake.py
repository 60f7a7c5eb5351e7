"""Records on their way from a lease into steps, cut into portions that a step gets through quickly.

take ─▶ waiting ─▶ portion │ portion │ …        how many are asked for follows how long the last portions took

Nothing is waited for to fill a portion: when idle, one record is a step at once; when behind, what came meanwhile is the next.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from daemon.bus.base import Lease, Record

STEP_SECONDS: Final = 0.25
"""What a step should take: longer ones keep timers and answers waiting, much shorter ones are mostly commit."""
PORTION_BYTES: Final = 4 * 1024 * 1024
_FIRST: Final = 16


class Intake:
    """What was asked for and what has come, of at most `most` records a portion."""

    def __init__(self, lease: Lease, most: int) -> None:
        self._lease = lease
        self._most = most
        self._count = min(most, _FIRST)
        self._waiting: Sequence[Record] = ()
        self.asking: asyncio.Task[Sequence[Record]] | None = None

    def ask(self, *, alone: bool) -> None:
        """Have records taken unless some are here or on their way; `alone`: one only."""
        if self.asking is None and not self._waiting:
            self.asking = asyncio.create_task(self._lease.take(1 if alone else self._count))

    @property
    def ready(self) -> bool:
        """Whether a portion is at hand, or the news that there will be none."""
        return bool(self._waiting) or (self.asking is not None and self.asking.done())

    @property
    def waiting(self) -> int:
        """How many records are at hand."""
        return len(self._at_hand())

    @property
    def oldest(self) -> float | None:
        """The instant of the first record at hand."""
        records = self._at_hand()
        return records[0].at if records else None

    def portion(self) -> Sequence[Record]:
        """The next records for a step, none when none are at hand. Raises what `take` raised."""
        if not self._waiting and self.asking is not None and self.asking.done():
            asking, self.asking = self.asking, None
            self._waiting = asking.result()
        count = self._fitting()
        portion, self._waiting = self._waiting[:count], self._waiting[count:]
        return portion

    def took(self, count: int, seconds: float) -> None:
        """So many records were a step of so many seconds: ask for more or for fewer."""
        if not count:
            return
        if seconds > STEP_SECONDS:
            self._count = max(1, min(self._count, count) // 2)
        elif count >= self._count and seconds < STEP_SECONDS / 2:
            self._count = min(self._most, 2 * self._count)

    def _at_hand(self) -> Sequence[Record]:
        asking = self.asking
        if self._waiting or asking is None or not asking.done() or asking.cancelled() or asking.exception() is not None:
            return self._waiting
        return asking.result()

    def _fitting(self) -> int:
        """At least one, however large it is."""
        size = 0
        for count, record in enumerate(self._waiting[: self._count]):
            size += len(record.value or b"")
            if count and size > PORTION_BYTES:
                return count
        return min(self._count, len(self._waiting))
