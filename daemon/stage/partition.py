"""One lease, held: waits for records, results and wakes, makes steps of them, commits, and starts the work they ask for.

open ─▶ (wait ─▶ step)* ─▶ leave        any error on the way leaves the lease; nothing of its step has happened then
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from daemon.bus.base import Lease, Record, Step
from daemon.clock import Clock
from daemon.errors import DecodeError
from daemon.metrics import Observe
from daemon.stage.hop import Failed, Hop, Time, Work
from daemon.stage.poison import OPENS_KEY, DeadLetterRate, Grave, Opens, opened
from daemon.stage.step import Decisions, Unprepared
from daemon.stage.table import StepTable

R = TypeVar("R")
P = TypeVar("P")

LONGEST_WAIT: Final = 30.0
"""Seconds after which a waiting lease looks at the clock again, whatever its rows say: the wall may have jumped."""

CATCHING_UP: Final = 0.1
"""Seconds until a record-driven hop that is behind looks again: what an engine counted as lag may be nothing to take."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one lease: records and wakes a step, pieces of work in flight, seconds to wait for work when leaving."""

    records: int = 500
    wakes: int = 500
    in_flight: int = 256
    patience: float = 8.0


@dataclass(frozen=True, slots=True)
class Kit(Generic[R, P]):
    """What a hop runs with. `work` performs jobs; `executor` runs `prepare` beside the event loop where there is one.

    `alone` is held while a suspect is handled, so that when the process dies then, that one alone is to blame: to be
    shared by all hops of a process.
    """

    hop: Hop[R, P]
    topic: str
    decode: Callable[[bytes | None], R]
    clock: Clock
    observe: Observe
    work: Callable[[Any], Awaitable[object]] | None = None
    executor: Executor | None = None
    limits: Limits = Limits()
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)


class Partition(Generic[R, P]):
    """Serves one lease until it is told to leave or something breaks."""

    def __init__(self, kit: Kit[R, P], lease: Lease, rate: DeadLetterRate) -> None:
        self._kit = kit
        self._lease = lease
        self._rate = rate
        self._labels = {"hop": kit.hop.name}
        self._place = {"hop": kit.hop.name, "partition": str(lease.partition)}
        self._grave = Grave(lease.partition, kit.hop.name)
        self._taking: asyncio.Task[Sequence[Record]] | None = None
        self._flying: dict[bytes, asyncio.Task[None]] = {}
        self._results: list[tuple[bytes, object]] = []
        self._stir = asyncio.Event()
        self._stirring: asyncio.Task[bool] | None = None
        self._reconcile = True
        self._careful = 0
        self._opens = Opens(lease.position)

    def reconcile(self) -> None:
        """Configuration was reloaded: bring rows in line in a step soon."""
        self._reconcile = True
        self._stir.set()

    async def run(self, *, excused: bool) -> None:
        leaving = asyncio.create_task(self._watch_leaving())
        try:
            await self._open(excused=excused)
            while not self._lease.leaving.is_set():
                await self._wait()
                await self._step()
            await self._leave()
        finally:
            await _cancelled([leaving, self._taking, self._stirring, *self._flying.values()])

    async def _watch_leaving(self) -> None:
        await self._lease.leaving.wait()
        self._stir.set()

    async def _open(self, *, excused: bool) -> None:
        self._opens = opened(self._lease.rows.get(OPENS_KEY), self._lease.position, excused=excused)
        self._careful = self._kit.limits.records if self._opens.careful else 0
        await self._lease.commit(Step(None, (), [self._opens.row()]))

    async def _wait(self) -> None:
        """Until there is something to do: records taken, a result, a wake that is due, a reload, or the end."""
        if self._taking is None:
            self._taking = asyncio.create_task(self._lease.take(1 if self._careful else self._kit.limits.records))
        if self._reconcile or self._results or self._taking.done() or self._lease.leaving.is_set():
            return
        self._kit.observe("rasid_hop_lag_records", self._place, self._lease.lag())
        self._kit.observe("rasid_hop_held", self._place, len(self._flying))
        if self._stirring is None or self._stirring.done():
            self._stirring = asyncio.create_task(self._stir.wait())
        await asyncio.wait({self._taking, self._stirring}, timeout=self._pause(), return_when=asyncio.FIRST_COMPLETED)

    def _pause(self) -> float:
        """Seconds until the next wake that may fire; rows in flight and a full flight wait for results instead."""
        if len(self._flying) >= self._kit.limits.in_flight:
            return LONGEST_WAIT
        if not self._may_wake():
            return CATCHING_UP
        rows = self._lease.rows
        if self._flying:
            upcoming = [row for row in rows.due(float("inf"), len(self._flying) + 1) if row.key not in self._flying]
            wake = upcoming[0].wake if upcoming else None
        else:
            wake = rows.next_wake()
        return LONGEST_WAIT if wake is None else min(LONGEST_WAIT, max(0.0, wake - self._kit.clock.now()))

    def _may_wake(self) -> bool:
        """A record-driven hop that is behind is woken by its records' time only."""
        return self._kit.hop.time is Time.WALL or (self._lease.lag() == 0 and not (self._taking and self._taking.done()))

    async def _step(self) -> None:
        if not self._careful:
            await self._decided()
            return
        async with self._kit.alone:
            await self._decided()

    async def _decided(self) -> None:
        """One step: prepare, decide, commit, start."""
        began = time.perf_counter()
        records = self._taken()
        items = await self._items(records)
        table = StepTable(self._lease.rows)
        results, self._results = self._results, []
        self._stir.clear()
        decisions = Decisions(self._kit.hop, self._grave, table, set(self._flying), self._kit.clock.now())
        self._decide(decisions, records, items, results)
        await self._commit(decisions, table, records, began)

    def _decide(
        self,
        decisions: Decisions[R, P],
        records: Sequence[Record],
        items: Sequence[P | Unprepared],
        results: Sequence[tuple[bytes, object]],
    ) -> None:
        hop, table, now, limits = self._kit.hop, decisions.table, self._kit.clock.now(), self._kit.limits
        if self._reconcile:
            self._reconcile = False
            decisions.gathered.add(hop.reconcile(self._lease.partition, self._lease.partitions, table, now))
        decisions.results(results)
        leaving = self._lease.leaving.is_set()
        if hop.time is Time.WALL and not leaving:
            decisions.wakes(now, min(limits.wakes, max(0, limits.in_flight - len(self._flying))))
        decisions.records(records, items)
        if hop.time is Time.RECORDS and not leaving and not records and self._may_wake():
            decisions.wakes(now, limits.wakes)

    async def _commit(self, decisions: Decisions[R, P], table: StepTable, records: Sequence[Record], began: float) -> None:
        gathered = decisions.gathered
        self._rate.add(self._kit.clock.now(), len(records), gathered.dead)
        rows = table.changes()
        if records or rows or gathered.out:
            position = records[-1].offset + 1 if records else None
            await self._lease.commit(Step(position, gathered.out, rows))
            self._careful = max(0, self._careful - len(records))
        self._start(gathered.work)
        for fact in gathered.facts:
            self._kit.observe(fact.metric, fact.labels, fact.amount)
        self._measure(len(records), len(gathered.out), time.perf_counter() - began)

    def _measure(self, taken: int, put: int, seconds: float) -> None:
        observe, labels = self._kit.observe, self._labels
        observe("rasid_hop_records_total", {**labels, "direction": "in"}, taken)
        observe("rasid_hop_records_total", {**labels, "direction": "out"}, put)
        observe("rasid_hop_step_seconds", labels, seconds)

    def _taken(self) -> Sequence[Record]:
        if self._taking is None or not self._taking.done():
            return ()
        taking, self._taking = self._taking, None
        return taking.result()

    async def _items(self, records: Sequence[Record]) -> Sequence[P | Unprepared]:
        """The prepared records. A suspect stepped alone is announced first, where a crash cannot unsay it."""
        if records and self._careful:
            offset = records[0].offset
            if self._opens.killer and offset == self._opens.offset:
                return [Unprepared("killer", "the process died whenever this record was handled")]
            await self._executor_free()
            self._opens = self._opens.tried_alone(offset)
            await self._lease.commit(Step(None, (), [self._opens.row()]))
        return await self._prepare(records)

    async def _executor_free(self) -> None:
        """Until what is before us has ended: a suspect that merely waits is not to blame when the process dies."""
        if self._kit.executor is not None:
            await asyncio.get_running_loop().run_in_executor(self._kit.executor, int)

    async def _prepare(self, records: Sequence[Record]) -> Sequence[P | Unprepared]:
        if not records:
            return ()
        decoded = [self._decoded(record) for record in records]
        sound = [message for message in decoded if not isinstance(message, Unprepared)]
        prepared = iter(await self._prepared(sound))
        return [entry if isinstance(entry, Unprepared) else next(prepared) for entry in decoded]

    def _decoded(self, record: Record) -> R | Unprepared:
        try:
            return self._kit.decode(record.value)
        except DecodeError as error:
            return Unprepared("undecodable", str(error))

    async def _prepared(self, messages: Sequence[R]) -> Sequence[P | Unprepared]:
        """All at once; when that raises, one by one, so that only the culprit is set aside."""
        try:
            return await self._run_prepare(messages)
        except Exception:  # noqa: BLE001 - whichever message raised is found below
            return [await self._prepared_alone(message) for message in messages]

    async def _prepared_alone(self, message: R) -> P | Unprepared:
        try:
            return (await self._run_prepare([message]))[0]
        except Exception as error:  # noqa: BLE001 - the boundary of one record
            return Unprepared("raised", f"{type(error).__name__}: {error}")

    async def _run_prepare(self, messages: Sequence[R]) -> Sequence[P]:
        if self._kit.executor is None or not messages:
            return self._kit.hop.prepare(messages)
        return await asyncio.get_running_loop().run_in_executor(self._kit.executor, self._kit.hop.prepare, messages)

    def _start(self, work: Sequence[Work]) -> None:
        for piece in work:
            self._flying[piece.key] = asyncio.create_task(self._perform(piece))

    async def _perform(self, piece: Work) -> None:
        if self._kit.work is None:
            raise AssertionError(f"hop {self._kit.hop.name} asked for work and has no worker")
        try:
            result = await self._kit.work(piece.job)
        except Exception as error:  # noqa: BLE001 - the boundary of one piece of work; `done` is told
            result = Failed(f"{type(error).__name__}: {error}")
        del self._flying[piece.key]
        self._results.append((piece.key, result))
        self._stir.set()

    async def _leave(self) -> None:
        """Start nothing new; let work in flight end for a while; commit what it said; forget the count of opens."""
        if self._taking is not None:
            await _cancelled([self._taking])
            self._taking = None
        if self._flying:
            await asyncio.wait(self._flying.values(), timeout=self._kit.limits.patience)
        table = StepTable(self._lease.rows)
        results, self._results = self._results, []
        decisions = Decisions(self._kit.hop, self._grave, table, set(self._flying), self._kit.clock.now())
        decisions.results(results)
        decisions.gathered.work.clear()
        table.put(OPENS_KEY, None)
        await self._commit(decisions, table, (), time.perf_counter())


async def _cancelled(tasks: Iterable[asyncio.Task[Any] | None]) -> None:
    started = [task for task in tasks if task is not None]
    for task in started:
        task.cancel()
    await asyncio.gather(*started, return_exceptions=True)
