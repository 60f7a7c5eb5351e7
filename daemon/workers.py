"""The process pool with time and memory limits, for parsers that bad input can hang or blow up.

Processes start when first needed, are recycled, and are replaced when one dies. What breaks a worker is tried once more
alone, so that neighbours of a killer are not blamed.
"""

import asyncio
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing import resource_tracker, util
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from types import FrameType
from typing import Final, Self, TypeVar

import structlog

from daemon.errors import RasidError

T = TypeVar("T")

_GRACE: Final = 5.0
"""Seconds a new process gets to start, on a busy machine."""
_WALL: Final = 5.0
"""By the wall, a call may take so many times its CPU: a machine that is busy with other things makes no document bad."""
_GROUP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
"""What a terminal or a supervisor sends to every process of the service."""
log = structlog.get_logger()


class Trouble(StrEnum):
    """Why a call in a worker gave no answer."""

    TIMEOUT = "timeout"
    MEMORY = "memory"
    DIED = "died"
    RAISED = "raised"


class WorkerFailed(RasidError):
    """A call in a worker ended without an answer; `trouble` says how. The same input would fail again."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        super().__init__(detail, subject=trouble.value)
        self.trouble = trouble
        self.detail = detail

    def __reduce__(self) -> tuple[type["WorkerFailed"], tuple[Trouble, str]]:
        """It travels from the worker to the parent."""
        return WorkerFailed, (self.trouble, self.detail)


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Per call: seconds of its CPU, and five times as many by the wall.

    Per process: bytes of address space beyond what it starts with, calls until recycled. After `idle` seconds without a call
    the processes end; the next call starts new ones.
    """

    seconds: float = 2.0
    memory: int = 512 * 1024 * 1024
    calls: int = 500
    idle: float = 60.0


class Workers:
    """Runs picklable functions in worker processes. An async context manager; leaving ends the processes."""

    def __init__(self, size: int, limits: WorkerLimits = WorkerLimits()) -> None:
        self._size = size
        self._limits = limits
        self._pool: ProcessPoolExecutor | None = None
        self._places = asyncio.Semaphore(size)
        self._alone = asyncio.Lock()
        self._running = 0
        self._rest: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._rest is not None:
            self._rest.cancel()
        self._discard(self._pool)

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """The function's answer. Raises `WorkerFailed` for one that took too long, too much memory, or raised.

        The time limit counts from when a process is free for the call, not from when it was asked for.
        """
        async with self._places:
            try:
                return await self._submit(function, arguments)
            except BrokenProcessPool:
                pass
        async with self._alone, self._all_places():
            try:
                return await self._submit(function, arguments)
            except BrokenProcessPool as error:
                raise WorkerFailed(Trouble.DIED, "the worker process died twice") from error

    @asynccontextmanager
    async def _all_places(self) -> AsyncIterator[None]:
        """Nothing else runs meanwhile: whatever dies now is to blame."""
        async with AsyncExitStack() as stack:
            for _ in range(self._size):
                await stack.enter_async_context(self._places)
            yield

    async def _submit(self, function: Callable[..., T], arguments: tuple[object, ...]) -> T:
        pool = self._begin()
        call = asyncio.get_running_loop().run_in_executor(pool, _limited, self._limits.seconds, function, arguments)
        try:
            async with asyncio.timeout(_WALL * self._limits.seconds + _GRACE):
                return await call
        except BrokenProcessPool:
            log.warning("worker_died")
            self._discard(pool)
            raise
        except asyncio.CancelledError as error:
            if _is_leaving():
                raise
            raise BrokenProcessPool("the pool was ended for a neighbour's sake") from error
        except TimeoutError as error:
            self._discard(pool)
            raise WorkerFailed(Trouble.TIMEOUT, f"no answer within {_WALL * self._limits.seconds:g} s") from error
        finally:
            self._end()

    def _begin(self) -> ProcessPoolExecutor:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        self._running += 1
        self._pool = self._pool or self._start()
        return self._pool

    def _end(self) -> None:
        self._running -= 1
        if not self._running:
            self._rest = asyncio.get_running_loop().call_later(self._limits.idle, lambda: self._discard(self._pool))

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._size,
            mp_context=_ShieldedContext(),
            initializer=_prepare,
            initargs=(self._limits.memory,),
            max_tasks_per_child=self._limits.calls,
        )

    def _discard(self, pool: ProcessPoolExecutor | None) -> None:
        """End a pool now, a hanging worker included."""
        if pool is None:
            return
        if self._pool is pool:
            self._pool = None
        for process in list((pool._processes or {}).values()):  # noqa: SLF001 - a hung worker can only be killed by its process
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)


class _ShieldedProcess(SpawnProcess):
    """A worker that no signal to the group reaches before `_prepare`: earlier it would die of one, with a traceback."""

    def start(self) -> None:
        resource_tracker.ensure_running()  # before, because starting it unblocks the signals
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _GROUP_SIGNALS)
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _ShieldedContext(SpawnContext):
    Process = _ShieldedProcess


def abandon() -> None:
    """For a process about to end by `os._exit`: its workers end too, and what they shared is not reported as leaked."""
    for process in multiprocessing.active_children():
        process.kill()
    util._run_finalizers(0)  # type: ignore[attr-defined]  # noqa: SLF001 - part of a good exit, without a public name


def _is_leaving() -> bool:
    """Whether it is the caller that was cancelled, and not the call in the pool."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _prepare(memory: int) -> None:
    """In a new worker: signals to the whole group are the parent's business; memory beyond the limit raises."""
    for number in _GROUP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _GROUP_SIGNALS)
    threading.Thread(target=_follow_parent, name="follow-parent", daemon=True).start()
    most = _used() + memory
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _used() -> int:
    """Bytes of address space that this process has."""
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - of the kernel's, not a file
        return int(statm.read().split()[0]) * resource.getpagesize()


def _follow_parent() -> None:
    """A parent that was killed cannot end its workers, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def limited(limits: WorkerLimits, function: Callable[..., T], *arguments: object) -> T:
    """The function's answer, here and now, under a worker's limits: for a command, in its main thread.

    Raises `WorkerFailed`.
    """
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_used() + limits.memory, before[1]))
    try:
        return _limited(limits.seconds, function, arguments)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _limited(seconds: float, function: Callable[..., T], arguments: tuple[object, ...]) -> T:
    """The call under a timer; what it raises is made a `WorkerFailed`, which always pickles."""

    def expire(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    signal.signal(signal.SIGPROF, expire)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return function(*arguments)
    except TimeoutError:
        raise WorkerFailed(Trouble.TIMEOUT, f"stopped after {seconds:g} s of CPU") from None
    except (MemoryError, RecursionError) as error:
        raise WorkerFailed(Trouble.MEMORY, type(error).__name__) from None
    except Exception as error:  # noqa: BLE001 - the boundary of a call in a worker: the parent is told
        raise WorkerFailed(Trouble.RAISED, f"{type(error).__name__}: {error}"[:500]) from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
