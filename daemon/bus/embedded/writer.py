"""The one thread that writes the file: jobs that wait together are committed together, each all or nothing.

submit ─▶ queue ─▶ [BEGIN IMMEDIATE, job, job, …, flush, COMMIT] ─▶ answers and new ends, on the event loop
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw

from daemon.bus.embedded.transaction import Transaction
from daemon.bus.embedded.trouble import translate
from daemon.errors import BusError, RasidError

T = TypeVar("T")
Job = Callable[[Transaction], T]

_MOST_JOBS: Final = 512
_MOST_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Waiting:
    job: Job[Any]
    size: int
    answer: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Outcome:
    waiting: _Waiting
    result: Any = None
    error: Exception | None = None

    def tell(self) -> None:
        if self.waiting.answer.done():
            return
        if self.error is None:
            self.waiting.answer.set_result(self.result)
        else:
            self.waiting.answer.set_exception(self.error)


@dataclass(slots=True)
class _Done:
    """What became of a batch; `failure` when the file could not be written."""

    outcomes: list[_Outcome] = field(default_factory=list)
    ends: dict[int, int] = field(default_factory=dict)
    failure: BusError | None = None


class Writer:
    """Owns a connection. `trouble` says why the last commit failed, None once one has succeeded again.

    `service`: whether whoever writes tries again once there is space.
    """

    def __init__(
        self, db: apsw.Connection, path: Path, appended: Callable[[Mapping[int, int]], None], *, service: bool
    ) -> None:
        self._service = service
        self.trouble: str | None = None
        self._db = db
        self._path = path
        self._appended = appended
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="rasid-bus-writer", daemon=True)
        self._thread.start()

    async def submit(self, job: Job[T], size: int = 0) -> T:
        """Run a job in a transaction that commits before this returns. `size`: about how many bytes it writes.

        Raises what the job raised (nothing of it was written then), or `BusError`. Cancelling leaves the outcome open.
        """
        if self._closing:
            raise BusError("the bus is closed", subject=str(self._path))
        answer: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Waiting(job, size, answer))
        return await answer

    async def close(self, seconds: float) -> None:
        """Commit what was submitted, then close the connection; give up waiting after `seconds`."""
        self._closing = True
        self._queue.put(None)
        await asyncio.wait([self._ended], timeout=seconds)

    def _run(self) -> None:
        carried: _Waiting | None = None
        last = False
        while not last:
            first = carried or self._queue.get()
            if first is None:
                break
            batch, carried, last = self._gather(first)
            self._tell(self._settle, self._commit(batch))
        with suppress(apsw.Error):  # what it could complain of has been answered; nothing is left to be committed
            self._db.close(force=True)
        self._tell(self._end)

    def _tell(self, callback: Callable[..., None], *values: object) -> None:
        # The loop is gone when the program ended without closing the bus; then nobody waits for an answer.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *values)

    def _gather(self, first: _Waiting) -> tuple[Sequence[_Waiting], _Waiting | None, bool]:
        """What waits together with `first`; one that must wait for the next batch; whether the end was reached."""
        batch, size = [first], first.size
        while len(batch) < _MOST_JOBS:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                break
            if waiting is None:
                return batch, None, True
            if size + waiting.size > _MOST_BYTES:
                return batch, waiting, False
            batch.append(waiting)
            size += waiting.size
        return batch, None, False

    def _commit(self, batch: Sequence[_Waiting]) -> _Done:
        try:
            return self._transact(batch)
        except (apsw.FullError, apsw.IOError, apsw.BusyError, apsw.CantOpenError) as error:
            failure = translate(error, self._path, service=self._service)
            return _Done([_Outcome(waiting, error=failure) for waiting in batch], failure=failure)
        except Exception as error:  # noqa: BLE001 - the boundary of a batch: a job's bug must not end the thread
            if len(batch) > 1:
                return self._commit_each(batch)
            refused = translate(error, self._path) if isinstance(error, apsw.Error) else error
            return _Done([_Outcome(batch[0], error=refused)], failure=refused if isinstance(refused, BusError) else None)

    def _commit_each(self, batch: Sequence[_Waiting]) -> _Done:
        """One of the batch is at fault: commit each alone, so that it fails alone."""
        together = _Done()
        for waiting in batch:
            alone = self._commit([waiting])
            together.outcomes.extend(alone.outcomes)
            together.ends.update(alone.ends)
            together.failure = alone.failure
        return together

    def _transact(self, batch: Sequence[_Waiting]) -> _Done:
        done = _Done()
        self._db.execute("BEGIN IMMEDIATE")
        try:
            transaction = Transaction(self._db)
            for waiting in batch:
                try:
                    done.outcomes.append(_Outcome(waiting, waiting.job(transaction)))
                except RasidError as error:
                    done.outcomes.append(_Outcome(waiting, error=error))
            transaction.flush()
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        done.ends = transaction.ends
        return done

    def _settle(self, done: _Done) -> None:
        self.trouble = None if done.failure is None else str(done.failure)
        self._appended(done.ends)
        for outcome in done.outcomes:
            outcome.tell()

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
