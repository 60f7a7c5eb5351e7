"""One step of a hop: its decisions over the table, in order, each undone alone when it raises. No I/O, no waiting.

Time.WALL     results ─ wakes due now ─ records
Time.RECORDS  results ─ per record: wakes earlier than it, then the record ─ once caught up: wakes due by the wall
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import structlog

from daemon.bus.base import MAX_BYTES, Record, Row
from daemon.errors import TooLarge
from daemon.stage.hop import Effects, Fact, Hop, Time, Work
from daemon.stage.poison import Grave, dead_letter
from daemon.stage.table import StepTable

R = TypeVar("R")
P = TypeVar("P")

TIME_KEY: Final = b"\0time"
_TIME: Final = struct.Struct(">d")
_TRIES: Final = 3
_AGAIN: Final = 60.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Unprepared:
    """What stands in the place of a prepared item whose record could not be decoded or prepared."""

    reason: str
    error: str


@dataclass(slots=True)
class Gathered:
    """What a step will publish, start and count once it has committed."""

    out: list[Record] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    dead: int = 0
    fired: int = 0

    def add(self, effects: Effects) -> None:
        self.out.extend(effects.out)
        self.work.extend(effects.work)
        self.facts.extend(effects.facts)


class Decisions(Generic[R, P]):
    """The decisions of one step. `busy` are the keys with work in flight: their rows are not woken."""

    def __init__(self, hop: Hop[R, P], grave: Grave, table: StepTable, busy: set[bytes], wall: float) -> None:
        self.hop = hop
        self.table = table
        self.gathered = Gathered()
        self._grave = grave
        self._busy = set(busy)
        self._wall = wall
        self._time = read_time(table) if hop.time is Time.RECORDS else wall

    def results(self, results: Sequence[tuple[bytes, object]]) -> None:
        """What work outside has answered. The caller has taken its keys off `busy` already."""
        for key, result in results:
            mark = self.table.mark()
            try:
                self._accept(self.hop.done(key, result, self.table, self._now(self._wall)))
            except Exception as error:  # noqa: BLE001 - the boundary of one result: it is undone alone
                self._put_off(mark, key, "done", error)

    def records(self, records: Sequence[Record], items: Sequence[P | Unprepared]) -> None:
        for record, item in zip(records, items, strict=True):
            if self.hop.time is Time.RECORDS:
                self.wakes(record.at)
            self._record(record, item)
        self._keep_time()

    def wakes(self, until: float, limit: int = 1 << 31) -> None:
        """Fire rows due by `until`, earliest first; what they put may fire, too."""
        for _ in range(limit):
            row = self.table.next_due(until, self._busy)
            if row is None:
                break
            self._wake(row)
        self._keep_time()

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
        self._time = max(self._time, at)
        return self._time

    def _keep_time(self) -> None:
        if self.hop.time is Time.RECORDS and self._time > read_time(self.table):
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
            self._accept(effects)
        except Exception as error:  # noqa: BLE001 - the boundary of one wake: it is undone alone and tried later
            self._put_off(mark, row.key, "wake", error)

    def _refuse_idle_wake(self, row: Row, effects: Effects) -> None:
        after = self.table.get(row.key)
        started = any(work.key == row.key for work in effects.work)
        if after is not None and after.wake is not None and after.wake <= (row.wake or 0.0) and not started:
            raise AssertionError("the row was left due and no work was started")

    def _accept(self, effects: Effects) -> None:
        for record in effects.out:
            if record.value is not None and len(record.value) > MAX_BYTES:
                raise TooLarge(f"{len(record.value)} bytes are too many for {record.topic}", subject=repr(record.key))
        self.gathered.add(effects)
        self._busy.update(work.key for work in effects.work)

    def _put_off(self, mark: int, key: bytes, kind: str, error: Exception) -> None:
        self.table.rollback(mark)
        row = self.table.get(key)
        if row is not None:
            later = max(self._time, self._wall) + _AGAIN
            self.table.put(key, Row(row.lane, key, row.value, later))
        self.gathered.facts.append(Fact("rasid_hop_failures_total", {"hop": self.hop.name, "kind": kind}))
        log.error("hop_failed", hop=self.hop.name, kind=kind, key=repr(key), exc_info=error)


def read_time(table: StepTable) -> float:
    """The time a record-driven partition has reached."""
    row = table.get(TIME_KEY)
    return float(_TIME.unpack(row.value)[0]) if row is not None and row.value is not None else 0.0
