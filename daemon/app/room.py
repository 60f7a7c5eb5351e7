"""Whether the bus has room for more: polling waits while it has not, and what is on the bus goes on.

bus.trouble ─ asked every second, and before each poll ─▶ open │ closed ─▶ polls wait for `open`
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from daemon.metrics import Observe

_EVERY: Final = 1.0

log = structlog.get_logger()


class Room:
    """`shortage` says why nothing more should be put onto the bus, or None. Each change is told once."""

    def __init__(self, shortage: Callable[[], str | None], observe: Observe) -> None:
        self._shortage = shortage
        self._observe = observe
        self._open = asyncio.Event()
        self._open.set()
        observe("rasid_polling_stopped", amount=0)

    async def wait(self) -> None:
        """Until there is room."""
        self.look()
        await self._open.wait()

    def look(self) -> None:
        reason = self._shortage()
        if (reason is None) is self._open.is_set():
            return
        self._observe("rasid_polling_stopped", amount=float(reason is not None))
        if reason is None:
            self._open.set()
            log.info("polling_resumed")
        else:
            self._open.clear()
            log.warning("polling_stopped", reason=reason)


@asynccontextmanager
async def open_room(shortage: Callable[[], str | None], observe: Observe) -> AsyncIterator[Room]:
    """A room that is watched until the end."""
    room = Room(shortage, observe)
    watching = asyncio.create_task(_watch(room))
    try:
        yield room
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(room: Room) -> None:
    while True:
        room.look()
        await asyncio.sleep(_EVERY)
