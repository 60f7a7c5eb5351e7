"""From records to what a hop decides on: decoded and prepared, each failure in the place of its record. Keeps nothing."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor
from typing import Generic, TypeVar

from daemon.bus.base import Record
from daemon.errors import DecodeError, RasidError
from daemon.stage.hop import Hop
from daemon.stage.step import Unprepared

R = TypeVar("R")
P = TypeVar("P")


class ExecutorGone(RasidError):
    """What prepares records has ended or died: no fault of any record, so the lease is left and opened again."""


class Preparation(Generic[R, P]):
    """Runs a hop's CPU work, beside the event loop where there is an executor."""

    def __init__(self, hop: Hop[R, P], decode: Callable[[bytes | None], R], executor: Executor | None) -> None:
        self._hop = hop
        self._decode = decode
        self._executor = executor

    async def free(self) -> None:
        """Until what is before us in the executor has ended."""
        if self._executor is not None:
            await asyncio.get_running_loop().run_in_executor(self._executor, int)

    async def items(self, records: Sequence[Record]) -> Sequence[P | Unprepared]:
        """One for each record, in order."""
        if not records:
            return ()
        decoded = [self._decoded(record) for record in records]
        sound = [message for message in decoded if not isinstance(message, Unprepared)]
        prepared = iter(await self._prepared(sound))
        return [entry if isinstance(entry, Unprepared) else next(prepared) for entry in decoded]

    def _decoded(self, record: Record) -> R | Unprepared:
        try:
            return self._decode(record.value)
        except DecodeError as error:
            return Unprepared("undecodable", str(error))

    async def _prepared(self, messages: Sequence[R]) -> Sequence[P | Unprepared]:
        """All at once; when that raises, one by one, so that only the culprit is set aside."""
        try:
            return await self._run(messages)
        except ExecutorGone:
            raise
        except Exception:  # noqa: BLE001 - whichever message raised is found below
            return [await self._prepared_alone(message) for message in messages]

    async def _prepared_alone(self, message: R) -> P | Unprepared:
        try:
            return (await self._run([message]))[0]
        except ExecutorGone:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary of one record
            return Unprepared("raised", f"{type(error).__name__}: {error}")

    async def _run(self, messages: Sequence[R]) -> Sequence[P]:
        if self._executor is None or not messages:
            return self._hop.prepare(messages)
        try:
            preparing = asyncio.get_running_loop().run_in_executor(self._executor, self._hop.prepare, messages)
        except RuntimeError as error:  # what executors raise once they are shut down or broken
            raise ExecutorGone(f"cannot prepare records: {error}", subject=self._hop.name) from error
        try:
            return await preparing
        except BrokenExecutor as error:
            raise ExecutorGone(f"died while preparing records: {error}", subject=self._hop.name) from error
