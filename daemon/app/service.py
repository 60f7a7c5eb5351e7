"""The running service: opens everything, runs the chosen roles, and ends them in order (`daemon.app.end`).

status server ─ bus ─ stages … stop ─▶ stages leave their leases ─▶ workers, connections ─▶ bus ─▶ status server
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from importlib.metadata import version
from typing import Any, Final, TextIO, TypeVar

import structlog

from daemon.app.buses import OpenBus, open_bus, shortage
from daemon.app.end import End, Part, leave
from daemon.app.reload import Read, Reloads, reloading
from daemon.app.roles import Role
from daemon.app.room import open_room
from daemon.app.setup import Setup
from daemon.app.stages import Outside, open_stages
from daemon.clock import Clock, WallClock
from daemon.errors import BusError, RasidError
from daemon.metrics import Metrics
from daemon.server.status import serve_status
from daemon.stage.runner import Stage

OPEN_AGAIN: Final = 2.0
"""Seconds between tries to open a bus that cannot be opened yet."""
SWITCH_INTERVAL: Final = 0.0005
"""Python's 5 ms let the bus's writer thread wait behind a busy loop for seconds (docs/decisions.md)."""
COLLECT_AFTER: Final = (10_000, 20, 20)
"""Python looks at all that lives too often for a service that holds many rows and makes few cycles (docs/decisions.md)."""

T = TypeVar("T")
log = structlog.get_logger()


async def serve(setup: Setup, roles: Iterable[Role], stream: TextIO, again: Read) -> int:
    """Run until SIGINT or SIGTERM; gives the exit code. `stream` is where the console channel prints.

    `again` reads the setup anew, as the files are then (`load_setup`).

    Raises `RasidError` for what stops a start: an address in use, a bus that refuses.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(*COLLECT_AFTER)
    end, metrics, parts, clock = End(), Metrics(), Parts(), WallClock()
    reloads = Reloads(setup, again, metrics.observe, clock)
    _on_signals(end, reloads)
    metrics.observe("rasid_build_info", {"version": version("rasid")})
    async with AsyncExitStack() as stack:
        listen = setup.config.server.listen
        status = serve_status(listen, metrics.registry, parts.readiness, parts.measure)
        port = await stack.enter_async_context(end.closing(Part.STATUS, status))
        log.info("listening", address=listen, port=port)

        async def enter_bus(opening: AbstractAsyncContextManager[OpenBus]) -> OpenBus:
            return await stack.enter_async_context(end.closing(Part.BUS, opening))

        bus = await _unless(end, _opened(setup, clock, metrics, parts, enter_bus))
        if bus is None:
            log.info("stopping", reason="signal")
            return 0
        room = await stack.enter_async_context(open_room(partial(shortage, bus), metrics.observe))
        outside = Outside(clock=clock, observe=metrics.observe, stream=stream, may_poll=room.wait)
        opening = open_stages(setup, sorted(set(roles), key=list(Role).index), bus, outside)
        opened = await stack.enter_async_context(end.closing(Part.CONNECTIONS, opening))
        parts.take(bus, opened.stages)
        await stack.enter_async_context(reloading(reloads, opened.take))
        log.info("started", roles=[stage.name for stage in opened.stages], bus=setup.config.bus.kind)
        return await _run(opened.stages, end)


EnterBus = Callable[[AbstractAsyncContextManager[OpenBus]], Awaitable[OpenBus]]


async def _opened(setup: Setup, clock: Clock, metrics: Metrics, parts: "Parts", enter: EnterBus) -> OpenBus:
    """The bus; tried again and again while only waiting can help (a full disk), and `/readyz` says for what."""
    while True:
        opening = open_bus(setup.config, setup.folder, clock=clock, service=True, observe=metrics.observe)
        try:
            return await enter(opening)
        except BusError as error:
            if not error.retry:
                raise
            if parts.waits_for != str(error):
                log.warning("bus_not_ready", reason=str(error))
            parts.waits_for = str(error)
        await asyncio.sleep(OPEN_AGAIN)


class Parts:
    """What `/readyz` and `/metrics` ask: each hop at work, and the bus."""

    def __init__(self) -> None:
        self.waits_for = "is being opened"
        """Why there is no bus yet."""
        self._bus: OpenBus | None = None
        self._stages: Sequence[Stage[Any, Any]] = ()

    def take(self, bus: OpenBus, stages: Sequence[Stage[Any, Any]]) -> None:
        self._bus, self._stages = bus, stages

    def readiness(self) -> Mapping[str, str | None]:
        if self._bus is None:
            return {"bus": self.waits_for}
        return {"bus": self._bus.trouble(), **{stage.name: stage.trouble for stage in self._stages}}

    def measure(self) -> None:
        for stage in self._stages:
            stage.measure()


async def _unless(end: End, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work gives; None, and the work broken off, when the end is asked for first."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(end.asked.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        working.cancel()
        stopping.cancel()
        await end.within(Part.BUS, asyncio.gather(working, stopping, return_exceptions=True))


async def _run(stages: Sequence[Stage[Any, Any]], end: End) -> int:
    """Until the end is asked for, or until a stage breaks for good; then everyone leaves in good order."""
    running = [asyncio.create_task(stage.run(), name=stage.name) for stage in stages]
    stopping = asyncio.create_task(end.asked.wait())
    broken = await _first_broken(running, stopping)
    end.begin()
    log.info("stopping", reason="signal" if broken is None else str(broken))
    for stage in stages:
        stage.stop()
    stopping.cancel()
    await end.within(Part.HOPS, asyncio.gather(*running, stopping, return_exceptions=True))
    if isinstance(broken, RasidError):
        raise broken
    if broken is not None:
        log.error("stage_broke", exc_info=broken)
    return 0 if broken is None else 1


async def _first_broken(running: Sequence[asyncio.Task[None]], stopping: asyncio.Task[Any]) -> BaseException | None:
    """What a stage raised, or None for a stop. A hop that stopped by itself leaves the others running."""
    waiting = {stopping, *running}
    while stopping in waiting and len(waiting) > 1:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            if task.exception() is not None:
                return task.exception()
    await stopping
    return None


def _on_signals(end: End, reloads: Reloads) -> None:
    """The first signal asks for an orderly end, the second ends at once; SIGHUP asks for a reload."""

    def on_signal() -> None:
        if end.asked.is_set():
            leave(1)
        end.ask()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reloads.ask)
