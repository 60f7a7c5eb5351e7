"""Time, passed in. Instants are seconds since 1970 in UTC, as float. Nothing else in Rasid asks the machine for the time."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

JUMP = 600.0
"""A jump of the wall clock beyond this many seconds is held back until it has lasted as long."""


class Clock(Protocol):
    """Where `now` comes from."""

    def now(self) -> float:
        """The present instant, UTC."""
        ...


class WallClock:
    """The machine's clock, steadied: a jump over ten minutes is held back until it has lasted ten minutes.

    While a jump is held back, time goes on at the pace of the monotonic clock.
    """

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()
        self._jumped_at: float | None = None

    def now(self) -> float:
        steady = self._steady()
        offset = self._wall() - steady
        if abs(offset - self._offset) <= JUMP:
            self._offset, self._jumped_at = offset, None
        elif self._jumped_at is None:
            self._jumped_at = steady
        elif steady - self._jumped_at >= JUMP:
            self._offset, self._jumped_at = offset, None
        return steady + self._offset


class LoopClock:
    """The running event loop's time from a given start: virtual time where the loop's time is virtual."""

    def __init__(self, start: float = 0.0) -> None:
        self._start = start

    def now(self) -> float:
        return self._start + asyncio.get_running_loop().time()
