"""Whose turn it is to ask a site (feeds 15): one request in flight per site, a gap after it, and a limit over all.

The site's turn is waited for first, so that a slow site's queue takes nobody else's place among the requests in flight.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

MOST: Final = 60.0
"""Seconds that a request may want to keep from the one before; so long the end of each is remembered."""
_EARLY: Final = 0.01
"""An event loop may call a little early (seconds)."""


@dataclass(slots=True)
class _Queue:
    """A site's turn: who holds it, how many want it, when the last ended (the loop's time), and the gap it was to keep.

    `timed`: whether the timer that forgets it runs.
    """

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    ended_at: float = float("-inf")
    gap: float = 0.0
    timed: bool = False


class Politeness:
    """Holds back requests of one process. `gap` in seconds from the end of a request to the next of its site.

    `gaps`: those of sites that have their own.
    """

    def __init__(self, *, gap: float, concurrency: int, gaps: Mapping[str, float] = MappingProxyType({})) -> None:
        self.keep(gap, gaps)
        self._places = asyncio.Semaphore(concurrency)
        self._queues: dict[str, _Queue] = {}

    def keep(self, gap: float, gaps: Mapping[str, float]) -> None:
        """These gaps from the next request on."""
        self._gap = gap
        self._gaps = gaps

    @asynccontextmanager
    async def turn(self, site: str, least: float = 0.0) -> AsyncIterator[None]:
        """Wait for the site's turn and for a place among all requests; hold both until left.

        `least`: seconds from the last request of the site, `MOST` at most, where they are more than its gap.
        """
        loop, gap = asyncio.get_running_loop(), self._gaps.get(site, self._gap)
        queue = self._queues.setdefault(site, _Queue())
        queue.users += 1
        try:
            async with queue.turn:
                wait = queue.ended_at + max(queue.gap, min(least, MOST)) - loop.time()
                if wait > 0:
                    await asyncio.sleep(wait)
                async with self._places:
                    try:
                        yield
                    finally:
                        queue.ended_at, queue.gap = loop.time(), gap
        finally:
            queue.users -= 1
            if not queue.timed:
                queue.timed = True
                loop.call_later(max(gap, MOST), self._forget, site, queue)

    def _forget(self, site: str, queue: _Queue) -> None:
        """One timer a site, however often it is asked: it runs on while the site is."""
        loop = asyncio.get_running_loop()
        left = queue.ended_at + max(queue.gap, MOST) - loop.time()
        if queue.users or left > _EARLY:
            loop.call_later(max(left, MOST), self._forget, site, queue)
        else:
            del self._queues[site]
