"""The embedded engine as the conformance suite and its own tests open it."""

import asyncio
import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from daemon.bus.base import Bus, Lease
from daemon.bus.embedded import EmbeddedBus
from daemon.bus.topics import RAW, TOPICS
from daemon.clock import WallClock


class EmbeddedEngine:
    """See `tests.bus.engine.Engine`. `settings` are those of `EmbeddedBus`; nothing is forgotten by age unless they say so."""

    patience = 15.0

    def __init__(self, folder: Path, settings: Mapping[str, Any] = MappingProxyType({})) -> None:
        self.path = folder / "bus.sqlite"
        self._settings = {"clock": WallClock(), "retention": dict.fromkeys(TOPICS, math.inf), **settings}
        self._open: list[EmbeddedBus] = []

    async def open(self, *, service: bool = True) -> EmbeddedBus:
        bus = await EmbeddedBus(self.path, service=service, **self._settings).__aenter__()
        self._open.append(bus)
        return bus

    async def close(self, bus: Bus) -> None:
        await own(bus).__aexit__(None, None, None)

    async def crash(self, bus: Bus) -> None:
        """The lock is freed as it would be by the system; what still runs of the bus is fenced. test_embedded_kill.py kills."""
        shelf = own(bus)._shelf
        assert shelf.lock is not None
        shelf.lock.release()

    async def usurp(self, bus: Bus) -> Bus:
        await self.crash(bus)
        return await self.open()

    async def age(self, bus: Bus) -> None:
        sweeper = own(bus)._sweeper
        assert sweeper is not None
        sweeper._keep[RAW] = 0.0
        await sweeper.sweep()
        sweeper._keep[RAW] = math.inf

    def buffered(self, lease: Lease) -> int:
        return 0

    async def end(self) -> None:
        await asyncio.gather(*(self.close(bus) for bus in self._open))


def own(bus: Bus) -> EmbeddedBus:
    assert isinstance(bus, EmbeddedBus)
    return bus
