"""The end of the service: how long it may take, which part of it gets how much of that, and the watch over it.

asked ─▶ hops leave ─▶ connections ─▶ bus ─▶ status server ─▶ gone       what outlasts its seconds is broken off
"""

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Mapping
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from types import MappingProxyType, TracebackType
from typing import Any, Final, Generic, NoReturn, TypeVar

import structlog

from daemon.workers import abandon

T = TypeVar("T")
log = structlog.get_logger()


class Part(StrEnum):
    """What ends, in this order."""

    HOPS = "hops"
    CONNECTIONS = "connections"
    BUS = "bus"
    STATUS = "status server"


PROMISED: Final = 10.0
"""Seconds from the signal until the process is gone."""
SECONDS: Final[Mapping[Part, float]] = MappingProxyType(
    {Part.HOPS: 5.25, Part.CONNECTIONS: 0.5, Part.BUS: 3.25, Part.STATUS: 0.5}
)
"""That their sum fits into the promise is tested, and that hops allow themselves less."""
OVERDUE: Final = 9.7
"""Seconds from the signal until the watch ends the process, whatever still hangs."""
TELLING: Final = 0.2
"""Seconds the watch gives itself to say so: where the log goes may be what hangs."""


class End:
    """`asked` is set by a signal. Each part of an end is awaited by `within`; the watch is for what hangs the loop itself."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._part = Part.HOPS
        self._watch = threading.Timer(OVERDUE, self._overdue)
        self._watch.daemon = True
        self._begun = False

    def ask(self) -> None:
        self.asked.set()
        self.begin()

    def begin(self) -> None:
        """The seconds count from now, unless they do already."""
        if not self._begun:
            self._begun = True
            self._watch.start()

    def closing(self, part: Part, opened: AbstractAsyncContextManager[T]) -> "Closing[T]":
        """What is opened, whose leaving is bounded by the part's seconds."""
        return Closing(self, part, opened)

    async def within(self, part: Part, ending: Awaitable[T]) -> T | None:
        """What it gives; None when the part's seconds were over first: it is cancelled then, and not waited for."""
        self._part = part
        task = asyncio.ensure_future(ending)
        task.add_done_callback(_retrieve)
        done, _ = await asyncio.wait({task}, timeout=SECONDS[part])
        if done:
            return task.result()
        log.warning("end_cut_short", part=part.value, seconds=SECONDS[part])
        task.cancel()
        return None

    def _overdue(self) -> None:
        telling = threading.Thread(target=self._tell, daemon=True)
        telling.start()
        telling.join(TELLING)
        leave(1)

    def _tell(self) -> None:
        log.critical("end_overdue", part=self._part.value, at=_standing())


class Closing(Generic[T]):
    """A context whose leaving is a part of the end; made by `End.closing`."""

    def __init__(self, end: End, part: Part, opened: AbstractAsyncContextManager[T]) -> None:
        self._end = end
        self._part = part
        self._opened = opened

    async def __aenter__(self) -> T:
        return await self._opened.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._end.within(self._part, self._opened.__aexit__(kind, error, trace))


def leave(code: int) -> NoReturn:
    """End the process now: threads, tasks and worker processes that are left have nothing to say that anybody waits for."""
    abandon()
    os._exit(code)


def _standing() -> str:
    """Where the main thread, which runs the loop, is at."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001 - the only way to see another thread
    return "nowhere" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"


def _retrieve(task: "asyncio.Future[Any]") -> None:
    """What was broken off may still raise; nobody asks for it any more."""
    if not task.cancelled():
        task.exception()
