"""A machine's clock that somebody sets: what a process makes of it is `daemon.clock.WallClock`, as in the service."""

import asyncio

from daemon.clock import WallClock


class Hands:
    """Implements `daemon.clock.Clock` for one process after the other. Moves on with the running loop's time."""

    def __init__(self, start: float) -> None:
        self._offset = start
        self._clock = WallClock(self._wall, self._steady)

    def turn(self, seconds: float) -> None:
        """The clock is set forward, or back."""
        self._offset += seconds

    def restart(self) -> None:
        """A new process believes what it finds."""
        self._clock = WallClock(self._wall, self._steady)

    def now(self) -> float:
        return self._clock.now()

    def _wall(self) -> float:
        return self._steady() + self._offset

    def _steady(self) -> float:
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return 0.0
