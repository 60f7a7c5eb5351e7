"""Virtual time in which the seed decides whose turn it is, and a process can be stopped as by SIGSTOP or kill -9.

What is ready at one instant runs in an order drawn from the seed. A process is whatever was started in a context
where `PROCESS` names it, and all that comes of it; while it is frozen none of that runs, and what falls due meanwhile runs
once it is thawed.
"""

import asyncio
import heapq
import random
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

from tests.virtual import VirtualLoop

PROCESS: ContextVar[str] = ContextVar("PROCESS", default="")


@contextmanager
def clocks_of(loop: "SeededLoop") -> Iterator[None]:
    """The machine's own clocks tell the loop's time, too: a runner sizes its steps by them, and a seed must say it all."""
    with patch.multiple(time, monotonic=loop.time, perf_counter=loop.time):
        yield


class SeededLoop(VirtualLoop):
    """Looks into the queues of asyncio's own loop, since there is no other way to them."""

    _ready: "deque[Any]"
    _scheduled: list[Any]
    _clock_resolution: float

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self._frozen: dict[str, list[asyncio.Handle]] = {}

    def freeze(self, process: str) -> None:
        """Nothing of the process runs from now on, but what runs at this moment up to its next await."""
        self._frozen.setdefault(process, [])

    def thaw(self, process: str) -> None:
        self._ready.extend(self._frozen.pop(process, ()))

    def thaw_all(self) -> None:
        for process in list(self._frozen):
            self.thaw(process)

    def selected(self) -> None:
        end = self.time() + self._clock_resolution
        while self._scheduled and self._scheduled[0].when() < end:
            timer = heapq.heappop(self._scheduled)
            timer._scheduled = False
            self._ready.append(timer)
        going: list[asyncio.Handle] = []
        for handle in self._ready:
            held = self._frozen.get(handle._context.get(PROCESS, ""), going)
            held.append(handle)
        self._chance.shuffle(going)
        self._ready.clear()
        self._ready.extend(going)
