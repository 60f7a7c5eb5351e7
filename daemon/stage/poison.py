"""What to do with records that no hop can handle: counted across crashes, set aside, and never the whole stream.

open ─ the same offset as last time? ─▶ opens + 1 ─ three without a commit ─▶ steps of one, each announced before
announced three times and never committed ─▶ that record killed its process: it is set aside

Less would blame records for a process that others keep killing soon after its start.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Final

import orjson

from daemon.bus.base import Row
from daemon.errors import NewerRow, RasidError

OPENS_KEY: Final = b"\0opens"
CAREFUL_AFTER: Final = 3
KILLS: Final = 3
_WINDOW: Final = 60.0
_MANY: Final = 20


class HopStopped(RasidError):
    """Dead letters have become the rule: the hop stopped rather than drain the stream. People must look."""


@dataclass(frozen=True, slots=True)
class Opens:
    """How often the lease was opened at one offset without a commit, and how often its next record was tried alone."""

    offset: int
    opens: int = 0
    alone: int = 0

    @property
    def careful(self) -> bool:
        return self.opens >= CAREFUL_AFTER

    @property
    def killer(self) -> bool:
        return self.alone >= KILLS

    def row(self) -> Row:
        return Row("", OPENS_KEY, orjson.dumps([self.offset, self.opens, self.alone]))

    def tried_alone(self, offset: int) -> "Opens":
        """Announced just before the record at `offset` is stepped alone."""
        return replace(self, offset=offset, alone=self.alone + 1 if offset == self.offset else 1)


def opened(row: Row | None, position: int, *, excused: bool) -> Opens:
    """The count after one more open at `position`. `excused`: the last lease ended by an error of the bus, not a crash.

    Raises `NewerRow`.
    """
    if row is None or row.value is None:
        return Opens(position, opens=1)
    try:
        offset, opens, alone = orjson.loads(row.value)
    except ValueError as error:
        raise NewerRow("the count of opens", "unknown") from error
    if offset != position:
        return Opens(position, opens=1)
    if excused:
        return Opens(position, opens, max(0, alone - 1))
    return Opens(position, opens + 1, alone)


class DeadLetterRate:
    """Raises `HopStopped` when over 20 dead letters a minute are also over half of the hop's input."""

    def __init__(self, hop: str) -> None:
        self._hop = hop
        self._steps: deque[tuple[float, int, int]] = deque()
        self._taken = 0
        self._dead = 0

    def add(self, now: float, taken: int, dead: int) -> None:
        if not taken and not dead:
            return
        self._steps.append((now, taken, dead))
        self._taken += taken
        self._dead += dead
        while self._steps[0][0] < now - _WINDOW:
            _, old_taken, old_dead = self._steps.popleft()
            self._taken -= old_taken
            self._dead -= old_dead
        if self._dead > _MANY and self._dead * 2 > self._taken:
            reason = f"{self._dead} of the last {self._taken} records could not be handled; the hop stops until it is restarted"
            raise HopStopped(reason, subject=self._hop)
