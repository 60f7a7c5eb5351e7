"""One lease, held: waits for records, results and wakes, makes steps of them, commits, and starts the work they ask for.

open ─▶ (wait ─▶ step)* ─▶ leave        any error on the way leaves the lease; nothing of its step has happened then
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from daemon.bus.base import Lease, Record, Row, Step
from daemon.clock import JUMP, Clock
from daemon.errors import BusError, BusRefused
from daemon.metrics import Observe
from daemon.stage.alone import Alone
from daemon.stage.graveyard import Grave
from daemon.stage.hop import Fact, Failed, Hop, Time, Work
from daemon.stage.intake import Intake
from daemon.stage.notices import Notices
from daemon.stage.poison import OPENS_KEY, DeadLetterRate, Opens, opened
from daemon.stage.preparation import Preparation
from daemon.stage.step import AGAIN, Decisions, Unprepared
from daemon.stage.table import StepTable

R = TypeVar("R")
P = TypeVar("P")

LONGEST_WAIT: Final = 30.0
"""Seconds after which a waiting lease looks at the clock again, whatever its rows say: the wall may have jumped."""

CATCHING_UP: Final = 0.1
"""Seconds until a record-driven hop that is behind looks again: what an engine counted as lag may be nothing to take."""
LAST_COMMITS: Final = 1.0
"""Seconds a lease has beyond its patience, to commit what its work came to; then it is broken off."""
SETTLING: Final = 2.0
"""Seconds by which the wall's wakes trail in a record-driven hop, so that records already on their way come first."""
SURVEYED: Final = 60.0
"""Seconds between two looks at all rows for the sake of metrics."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one lease: records and wakes a step, pieces of work in flight, seconds to wait for work when leaving.

    An engine gives a lease that is asked to leave 8 s, the end of the process fewer (`daemon.app.end`).
    """

    records: int = 500
    wakes: int = 500
    in_flight: int = 256
    patience: float = 4.0


@dataclass(frozen=True, slots=True)
class Kit(Generic[R, P]):
    """What a hop runs with. `work` performs jobs; `executor` runs `prepare` beside the event loop where there is one.

    `alone` sees to it that when the process dies while a suspect is handled, that one alone is to blame: to be shared by all
    hops of a process.
    """

    hop: Hop[R, P]
    topic: str
    decode: Callable[[bytes | None], R]
    clock: Clock
    observe: Observe
    work: Callable[[Any], Awaitable[object]] | None = None
    executor: Executor | None = None
    limits: Limits = Limits()
    alone: Alone = field(default_factory=Alone)
    notices: Notices = field(default_factory=Notices)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a lease is behind: records not decided yet, seconds of age of the oldest at hand, pieces of work in flight."""

    lag: int = 0
    age: float = 0.0
    in_flight: int = 0


class Partition(Generic[R, P]):
    """Serves one lease until it is told to leave or something breaks."""

    def __init__(self, kit: Kit[R, P], lease: Lease, rate: DeadLetterRate) -> None:
        self._kit = kit
        self._lease = lease
        self._rate = rate
        self._labels = {"hop": kit.hop.name}
        self._grave = Grave(lease.partition, kit.hop.name)
        self._preparation = Preparation(kit.hop, kit.decode, kit.executor)
        self._undecided: Sequence[Record] = ()
        self._in_hand: Sequence[tuple[Record, P | Unprepared]] = ()
        self._more_due = True
        self._woken = float("-inf")
        self._intake = Intake(lease, kit.limits.records)
        self._flying: dict[bytes, asyncio.Task[None]] = {}
        self._results: list[tuple[bytes, object]] = []
        self._stir = asyncio.Event()
        self._stirring: asyncio.Task[bool] | None = None
        self._reconcile = True
        self._later: asyncio.TimerHandle | None = None
        self._now = float("-inf")
        self._careful = 0
        self.commits = 0
        self._over = False
        self._surveyed = float("-inf")
        self._opens = Opens(lease.position)

    def reconcile(self) -> None:
        """Configuration was reloaded: bring rows in line in a step soon."""
        self._reconcile = True
        self._stir.set()

    def measure(self) -> Standing:
        """Where the lease stands at this instant."""
        oldest = self._undecided[0].at if self._undecided else self._intake.oldest
        age = 0.0 if oldest is None else max(0.0, self._kit.clock.now() - oldest)
        return Standing(self._lease.lag() + self._intake.waiting + len(self._undecided), age, len(self._flying))

    def survey(self) -> Sequence[Fact]:
        """What the hop says of its rows, at most once in `SURVEYED`: it looks at each, and nothing else goes on meanwhile."""
        now = self._kit.clock.now()
        if abs(now - self._surveyed) < SURVEYED:
            return ()
        self._surveyed = now
        with suppress(BusError):
            return self._kit.hop.survey(self._lease.rows.scan, now)
        return ()

    async def run(self, *, excused: bool) -> None:
        leaving = asyncio.create_task(self._watch_leaving())
        try:
            await self._open(excused=excused)
            while not self._lease.leaving.is_set():
                await self._wait()
                await self._step()
            await self._leave()
        except BusRefused:
            await self._blame_nobody()
            raise
        finally:
            self._over = True
            if self._later is not None:
                self._later.cancel()
            await _cancelled([leaving, self._intake.asking, self._stirring, *self._flying.values()])

    async def _blame_nobody(self) -> None:
        """However often the process is started on a bus that refuses it, no record is a suspect for that."""
        with suppress(BusError):
            await self._lease.commit(Step(None, (), [Row("", OPENS_KEY, None)]))

    async def _watch_leaving(self) -> None:
        await self._lease.leaving.wait()
        self._stir.set()

    async def _open(self, *, excused: bool) -> None:
        if self._lease.lag():
            self._opens = opened(self._lease.rows.get(OPENS_KEY), self._lease.position, excused=excused)
        self._careful = self._kit.limits.records if self._opens.careful else 0
        await self._lease.commit(Step(None, (), [self._opens.row()]))

    async def _wait(self) -> None:
        """Until there is something to do: records taken, a result, a wake that is due, a reload, or the end."""
        if not self._in_hand:
            self._intake.ask(alone=self._careful > 0)
        if self._reconcile or self._results or self._in_hand or self._lease.leaving.is_set() or self._intake.ready:
            return
        if self._stirring is None or self._stirring.done():
            self._stirring = asyncio.create_task(self._stir.wait())
        awaited = {self._stirring} if self._intake.asking is None else {self._stirring, self._intake.asking}
        await asyncio.wait(awaited, timeout=self._pause(), return_when=asyncio.FIRST_COMPLETED)

    def _pause(self) -> float:
        """Seconds until the next wake that may fire; rows in flight and a full flight wait for results instead."""
        if len(self._flying) >= self._kit.limits.in_flight:
            return LONGEST_WAIT
        if not self._may_wake():
            return CATCHING_UP
        if self._more_due:
            return 0.0
        now = self._kit.clock.now()
        # What was due when the step looked has been woken, or is in flight and stirs by its result; not so what fell due since.
        wake = self._lease.rows.next_wake(after=self._woken)
        return LONGEST_WAIT if wake is None else min(LONGEST_WAIT, max(0.0, wake - self._until(now)))

    def _until(self, now: float) -> float:
        """Up to which instant the wall may wake: a record-driven hop waits for what is still being committed before it."""
        return now if self._kit.hop.time is Time.WALL else now - SETTLING

    def _may_wake(self) -> bool:
        """A record-driven hop that is behind is woken by its records' time only."""
        if self._kit.hop.time is Time.WALL:
            return True
        return self._lease.lag() == 0 and not self._in_hand and not self._intake.ready

    async def _step(self) -> None:
        if self._careful and (self._in_hand or self._intake.ready):
            async with self._kit.alone.suspect():
                await self._decided()
        else:
            await self._decided()

    async def _decided(self) -> None:
        """One step: prepare, decide, commit, start."""
        began = time.perf_counter()
        pairs = self._in_hand or await self._taken()
        table = StepTable(self._lease.rows)
        results, self._results = self._results, []
        self._stir.clear()
        decisions = Decisions(self._kit.hop, self._grave, table, set(self._flying), self._told_time())
        if self._reconcile:
            self._reconcile = False
            if not decisions.reconcile(self._lease.partition, self._lease.partitions):
                self._later = asyncio.get_running_loop().call_later(AGAIN, self.reconcile)
        decisions.results(results)
        decided = self._decide(decisions, pairs)
        await self._commit(decisions, [record for record, _ in pairs[:decided]], began)
        self._undecided, self._in_hand = self._undecided[decided:], pairs[decided:]

    def _told_time(self) -> float:
        """The present. Where the clock was set back, rows are brought in line: their instants were of another time."""
        now = self._kit.clock.now()
        self._reconcile |= now < self._now - JUMP / 2
        self._now = now
        return now

    def _decide(self, decisions: Decisions[R, P], pairs: Sequence[tuple[Record, P | Unprepared]]) -> int:
        """Wakes and records, as many of these as the limit of wakes a step lets through; gives their count."""
        limits = self._kit.limits
        decided = decisions.records(pairs, limits.wakes)
        self._more_due = True
        if self._kit.hop.time is Time.WALL:
            room = min(limits.wakes, max(0, limits.in_flight - len(self._flying)))
        else:
            room = limits.wakes if not pairs and self._may_wake() else 0
        if room and not self._lease.leaving.is_set():
            self._woken = self._until(self._kit.clock.now())
            self._more_due = not decisions.wakes(self._woken, room)
        return decided

    async def _commit(self, decisions: Decisions[R, P], records: Sequence[Record], began: float) -> None:
        gathered = decisions.gathered
        self._rate.add(self._kit.clock.now(), len(records), gathered.dead)
        rows = decisions.table.changes()
        if records or rows or gathered.out:
            position = records[-1].offset + 1 if records else None
            await self._lease.commit(Step(position, gathered.out, rows))
            self._careful = max(0, self._careful - len(records))
            self.commits += 1
        self._start(gathered.work)
        for fact in gathered.facts:
            self._kit.observe(fact.metric, fact.labels, fact.amount)
        for notice in gathered.notices:
            self._kit.notices.tell(notice)
        seconds = time.perf_counter() - began
        self._intake.took(len(records), seconds)
        observe, labels = self._kit.observe, self._labels
        observe("rasid_hop_records_total", {**labels, "direction": "in"}, len(records))
        observe("rasid_hop_records_total", {**labels, "direction": "out"}, len(gathered.out))
        observe("rasid_hop_rows_total", labels, len(rows))
        observe("rasid_hop_step_seconds", labels, seconds)

    async def _taken(self) -> Sequence[tuple[Record, P | Unprepared]]:
        """What `take` gave, prepared. A suspect stepped alone is announced first, where a crash cannot unsay it."""
        records = self._undecided = self._intake.portion()
        if not records:
            return ()
        if self._careful:
            offset = records[0].offset
            if self._opens.killer and offset == self._opens.offset:
                return [(records[0], Unprepared("killer", "the process died whenever this record was handled"))]
            await self._preparation.free()
            self._opens = self._opens.tried_alone(offset)
            await self._lease.commit(Step(None, (), [self._opens.row()]))
            return list(zip(records, await self._preparation.items(records), strict=True))
        async with self._kit.alone.other():
            return list(zip(records, await self._preparation.items(records), strict=True))

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
        except asyncio.CancelledError:
            if self._over:
                raise
            result = Failed("cancelled by something else than the end of the lease")
        del self._flying[piece.key]
        self._results.append((piece.key, result))
        self._stir.set()

    async def _leave(self) -> None:
        """Start nothing new; commit what work in flight says, as it says it, for a while; forget the count of opens."""
        await _cancelled([self._intake.asking])
        deadline = time.monotonic() + self._kit.limits.patience
        while self._flying and (left := deadline - time.monotonic()) > 0:
            await asyncio.wait(self._flying.values(), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if self._results:
                await self._settle(StepTable(self._lease.rows))
        table = StepTable(self._lease.rows)
        table.put(OPENS_KEY, None)
        await self._settle(table)

    async def _settle(self, table: StepTable) -> None:
        """A step of results only."""
        results, self._results = self._results, []
        decisions = Decisions(self._kit.hop, self._grave, table, set(self._flying), self._kit.clock.now())
        decisions.results(results)
        await self._commit(decisions, (), time.perf_counter())


async def _cancelled(tasks: Iterable[asyncio.Task[Any] | None]) -> None:
    started = [task for task in tasks if task is not None]
    for task in started:
        task.cancel()
    await asyncio.gather(*started, return_exceptions=True)
