"""Whose turn it is to ask a site (feeds 15): one request in flight per site, a gap after it, and a limit over all.

The site's turn is waited for first, so that a slow site's queue takes nobody else's place among the requests in flight.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

_EARLY: Final = 0.01
"""An event loop may call a little early (seconds)."""


@dataclass(slots=True)
class _Queue:
    """A site's turn: who holds it, how many want it, and when the next may begin (the loop's time)."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    free_at: float = 0.0


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
    async def turn(self, site: str) -> AsyncIterator[None]:
        """Wait for the site's turn and for a place among all requests; hold both until left."""
        loop, gap = asyncio.get_running_loop(), self._gaps.get(site, self._gap)
        queue = self._queues.setdefault(site, _Queue())
        queue.users += 1
        try:
            async with queue.turn:
                wait = queue.free_at - loop.time()
                if wait > 0:
                    await asyncio.sleep(wait)
                async with self._places:
                    try:
                        yield
                    finally:
                        queue.free_at = loop.time() + gap
        finally:
            queue.users -= 1
            loop.call_later(gap, self._forget, site)

    def _forget(self, site: str) -> None:
        queue = self._queues.get(site)
        soon = asyncio.get_running_loop().time() + _EARLY
        if queue is not None and queue.users == 0 and queue.free_at <= soon:
            del self._queues[site]
