"""One step of a hop: its decisions over the table, in order, each undone alone when it raises. No I/O, no waiting.

Time.WALL     results ─ records ─ wakes due now
Time.RECORDS  results ─ per record: wakes earlier than it, then the record ─ once caught up: wakes due by the wall
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

import structlog

from daemon.bus.base import MAX_BYTES, Record, Row
from daemon.clock import JUMP
from daemon.errors import BusError, NewerRow, TooLarge
from daemon.stage.graveyard import Grave, dead_letter
from daemon.stage.hop import Effects, Fact, Hop, Notice, Time, Work
from daemon.stage.table import StepTable

R = TypeVar("R")
P = TypeVar("P")

TIME_KEY: Final = b"\0time"
_TIME: Final = struct.Struct(">d")
_TRIES: Final = 3
AGAIN: Final = 60.0
"""Seconds until what raised is tried again."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Unprepared:
    """What stands in the place of a prepared item whose record could not be decoded or prepared."""

    reason: str
    error: str


@dataclass(slots=True)
class Gathered:
    """What a step will publish, start, count and log once it has committed."""

    out: list[Record] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    dead: int = 0
    fired: int = 0

    def add(self, effects: Effects) -> None:
        self.out.extend(effects.out)
        self.work.extend(effects.work)
        self.facts.extend(effects.facts)
        self.notices.extend(effects.notices)


class Decisions(Generic[R, P]):
    """The decisions of one step. `busy` are the keys with work in flight: their rows are not woken."""

    def __init__(self, hop: Hop[R, P], grave: Grave, table: StepTable, busy: set[bytes], wall: float) -> None:
        self.hop = hop
        self.table = table
        self.gathered = Gathered()
        self._grave = grave
        self._busy = set(busy)
        self._wall = wall
        self._time = wall
        if hop.time is Time.RECORDS:
            self._time = read_time(table)
            self._follow_back()

    def results(self, results: Sequence[tuple[bytes, object]]) -> None:
        """What work outside has answered. The caller has taken its keys off `busy` already."""
        for key, result in results:
            mark = self.table.mark()
            try:
                self._accept(self.hop.done(key, result, self.table, self._now(self._wall)))
            except Exception as error:  # noqa: BLE001 - the boundary of one result: it is undone alone
                _let_pass(error)
                self._put_off(mark, key, "done", error)

    def reconcile(self, partition: int, partitions: int) -> bool:
        """Let the hop bring its rows in line; gives whether it did. When it raises, nothing of it stands."""
        mark = self.table.mark()
        try:
            self._accept(self.hop.reconcile(partition, partitions, self.table, self._time))
        except Exception as error:  # noqa: BLE001 - the boundary of a reload
            _let_pass(error)
            self.table.rollback(mark)
            self._failed("reconcile", repr(partition), error)
            return False
        return True

    def records(self, pairs: Sequence[tuple[Record, P | Unprepared]], wakes: int) -> int:
        """Decide records in order; gives how many. In record time at most `wakes` rows are woken for them in all."""
        for decided, (record, item) in enumerate(pairs):
            if self.hop.time is Time.RECORDS and not self.wakes(self._believed(record.at), wakes - self.gathered.fired):
                return decided
            self._record(record, item)
        self._keep_time()
        return len(pairs)

    def wakes(self, until: float, limit: int) -> bool:
        """Fire rows due by `until`, earliest first; what they put may fire, too. Gives whether none is left due."""
        row = self.table.next_due(until, self._busy)
        while row is not None and limit > 0:
            self._wake(row)
            limit -= 1
            row = self.table.next_due(until, self._busy)
        self._keep_time()
        return row is None

    def set_aside(self, record: Record, reason: str, error: str) -> None:
        """Give a record up: its bytes and the error go to `deadletter`, the partition moves on."""
        now = self._now(record.at)
        self.gathered.dead += 1
        self.gathered.out.append(dead_letter(record, self._grave, reason, error, now))
        self.gathered.facts.append(Fact("rasid_dead_letters_total", {"hop": self.hop.name, "reason": reason}))
        log.warning("dead_letter", hop=self.hop.name, reason=reason, offset=record.offset, error=error[:300])

    def _now(self, at: float) -> float:
        if self.hop.time is Time.WALL:
            return self._wall
        self._time = max(self._time, self._believed(at))
        return self._time

    def _believed(self, at: float) -> float:
        """A record far ahead of the wall was made before the clock was set back, or by a clock that goes wrong."""
        return self._wall if at > self._wall + JUMP else at

    def _follow_back(self) -> None:
        """Time that is far ahead of the wall would stand still until the wall is there: it goes back, and timers with it."""
        ahead = self._time - self._wall
        if ahead > JUMP:
            for row in [row for row in self.table.scan(b"") if row.wake is not None]:
                self.table.put(row.key, replace(row, wake=(row.wake or 0.0) - ahead))
            self._time = self._wall
            self._keep_time()

    def _keep_time(self) -> None:
        if self.hop.time is Time.RECORDS and self._time != read_time(self.table):
            self.table.put(TIME_KEY, Row("", TIME_KEY, _TIME.pack(self._time)))

    def _record(self, record: Record, item: P | Unprepared) -> None:
        if isinstance(item, Unprepared):
            self.set_aside(record, item.reason, item.error)
            return
        mark, failure = self.table.mark(), ""
        for _ in range(_TRIES):
            try:
                self._accept(self.hop.decide(item, self.table, self._now(record.at)))
            except Exception as error:  # noqa: BLE001 - the boundary of one record: it is undone alone
                _let_pass(error)
                self.table.rollback(mark)
                failure = f"{type(error).__name__}: {error}"
            else:
                return
        self.set_aside(record, "raised", failure)

    def _wake(self, row: Row) -> None:
        self.gathered.fired += 1
        mark = self.table.mark()
        try:
            effects = self.hop.wake(row, self.table, self._now(row.wake or 0.0))
            self._refuse_idle_wake(row, effects)
            self._accept(effects, may_work=True)
        except Exception as error:  # noqa: BLE001 - the boundary of one wake: it is undone alone and tried later
            _let_pass(error)
            self._put_off(mark, row.key, "wake", error)

    def _refuse_idle_wake(self, row: Row, effects: Effects) -> None:
        after = self.table.get(row.key)
        started = any(work.key == row.key for work in effects.work)
        if after is not None and after.wake is not None and after.wake <= (row.wake or 0.0) and not started:
            raise AssertionError("the row was left due and no work was started")

    def _accept(self, effects: Effects, *, may_work: bool = False) -> None:
        """Take the effects over. Work may be asked for from `wake` only, so that what is in flight is always bounded."""
        for record in effects.out:
            if record.value is not None and len(record.value) > MAX_BYTES:
                raise TooLarge(f"{len(record.value)} bytes are too many for {record.topic}", subject=repr(record.key))
        keys = [work.key for work in effects.work]
        if keys and (not may_work or not self._busy.isdisjoint(keys) or len(set(keys)) < len(keys)):
            raise AssertionError("work may be asked for from wake only, and once a key while it is in flight")
        self.gathered.add(effects)
        self._busy.update(keys)

    def _put_off(self, mark: int, key: bytes, kind: str, error: Exception) -> None:
        self.table.rollback(mark)
        row = self.table.get(key)
        if row is not None:
            later = max(self._time, self._wall) + AGAIN
            self.table.put(key, Row(row.lane, key, row.value, later))
        self._failed(kind, repr(key), error)

    def _failed(self, kind: str, subject: str, error: Exception) -> None:
        self.gathered.facts.append(Fact("rasid_hop_failures_total", {"hop": self.hop.name, "kind": kind}))
        log.error("hop_failed", hop=self.hop.name, kind=kind, subject=subject, exc_info=error)


def _let_pass(error: Exception) -> None:
    """A bus that cannot be read is no fault of the record at hand: nothing is set aside for it, the lease is left."""
    if isinstance(error, BusError):
        raise error


def read_time(table: StepTable) -> float:
    """The time a record-driven partition has reached."""
    row = table.get(TIME_KEY)
    return 0.0 if row is None else time_of(row)


def time_of(row: Row) -> float:
    """What the row at `TIME_KEY` says. Raises `NewerRow`."""
    if row.value is not None and len(row.value) != _TIME.size:
        raise NewerRow("the time of a partition", "unknown")
    return float(_TIME.unpack(row.value)[0]) if row.value is not None else 0.0
