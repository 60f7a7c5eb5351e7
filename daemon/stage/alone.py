"""Who may handle records beside a suspect: nobody, so that when the process dies then, that one alone is to blame."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Alone:
    """Shared by all hops of a process. Suspects go one by one, the others beside each other, never both."""

    def __init__(self) -> None:
        self._suspect = asyncio.Lock()
        self._others = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def suspect(self) -> AsyncIterator[None]:
        """Entered once no other is inside; keeps all out until it is left."""
        try:
            async with self._suspect:
                async with self._changed:
                    await self._changed.wait_for(lambda: self._others == 0)
                yield
        finally:
            async with self._changed:
                self._changed.notify_all()

    @asynccontextmanager
    async def other(self) -> AsyncIterator[None]:
        """Entered at once unless there is a suspect."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._suspect.locked())
            self._others += 1
        try:
            yield
        finally:
            self._others -= 1
            async with self._changed:
                self._changed.notify_all()
