"""An event loop in virtual time: when nothing is ready, the time jumps to the next timer instead of waiting for it.

Plain asyncio code runs in it unchanged and, as long as it uses neither sockets nor threads, deterministically. These are
served, too, but time does not wait for them. A program in which nothing can ever happen again is reported, not waited for.
"""

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any, Final

_REAL_WAIT: Final = 60.0
"""Seconds to wait for a thread or socket when no timer is left; longer and the program is taken to be stuck."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at second 0; use `daemon.clock.LoopClock` for a wall clock that goes with it."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        super().__init__(_Jump(self))

    def time(self) -> float:
        return self._elapsed

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._elapsed += seconds

    def selected(self) -> None:
        """Called once a turn, before what is ready runs."""


class _Jump(selectors.BaseSelector):
    """Looks for what is ready without waiting; when there is nothing, lets the time jump that should have been waited."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            ready = self._real.select(_REAL_WAIT)
            if not ready:
                raise RuntimeError("stuck: no timer is set, and no thread or socket has answered")
            return ready
        ready = self._real.select(0)
        if not ready and timeout > 0:
            self._loop.jump(timeout)
        self._loop.selected()
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()
