"""The bus as hops and people see it: what every engine promises, and nothing of how.

    publish ─▶ topic ─▶ partition (hash of lane) ─▶ lease ─▶ step {outputs, rows, position} ─▶ commit, all or nothing

A *topic* is cut into partitions, fixed at creation. Records of one lane stay in one partition, in the order they were
committed. A *group* (one per hop) has a position and rows in each partition of its input topic. A *lease* is one input
partition held by one task of one process; at any time at most one lease of a partition can commit, whatever processes
believe. What a commit wrote becomes visible at once and as a whole, or never. Engines do not interpret keys or values.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

MAX_BYTES = 8 * 1024 * 1024
"""Largest `value` of a record or row; one byte more raises `TooLarge` and nothing of the step is written."""
CLOSE_WITHIN = 5.0
"""Seconds an engine may take to close; then it drops what is left. All that counts has committed before."""


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a topic. `lane` decides the partition, `key` is what it is about; `offset` is -1 until stored."""

    topic: str
    lane: str
    key: bytes
    value: bytes | None
    at: float
    offset: int = -1


@dataclass(frozen=True, slots=True)
class Row:
    """State of a hop. `wake`: the instant it wants to be looked at; `value` None deletes the row."""

    lane: str
    key: bytes
    value: bytes | None
    wake: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What commits together. `next_offset` None leaves the position as it is."""

    next_offset: int | None
    out: Sequence[Record] = ()
    rows: Sequence[Row] = ()


class Rows(Protocol):
    """The committed rows of one partition. Never shows what has not committed."""

    def get(self, key: bytes) -> Row | None: ...
    def scan(self, prefix: bytes = b"") -> Iterator[Row]:
        """Rows whose key starts with `prefix`, in key order. Not to be held across a commit."""
        ...

    def due(self, until: float, limit: int) -> Sequence[Row]:
        """At most `limit` rows with `wake <= until`, by (wake, key)."""
        ...

    def next_wake(self, after: float = float("-inf")) -> float | None:
        """The earliest `wake` of all rows that is later than `after`."""
        ...


class Lease(Protocol):
    """One input partition, held by one task of one process."""

    partition: int
    partitions: int
    """How many the input topic has."""
    position: int
    """The next offset to be read when the lease was opened; fixed."""
    rows: Rows
    leaving: asyncio.Event
    """Set when the engine wants the partition back: finish what is in hand within 8 s, then leave."""

    async def take(self, limit: int) -> Sequence[Record]:
        """At least one and at most `limit` records following those taken before. Safe to cancel: nothing is skipped."""
        ...

    def lag(self) -> int:
        """How many records are known to stand in the partition beyond those taken. A bound from below, cheap."""
        ...

    async def commit(self, step: Step) -> None:
        """Write outputs, rows and position, all or nothing. Raises `Lost`, `BusError`, `TooLarge`.

        After anything but success the outcome is unknown to the caller: it must leave the lease. Steps must not overlap.
        """
        ...


class Bus(Protocol):
    """A running engine. Engines are async context managers: entering opens, leaving closes within `CLOSE_WITHIN`."""

    def partitions(self, topic: str) -> int: ...

    def leases(self, topic: str, group: str) -> AsyncGenerator[AbstractAsyncContextManager[Lease], None]:
        """Each partition this process is given, as something to enter. Goes on until the iterator is closed.

        A lease that was left while the partition is still ours is offered again, after a growing pause when it was
        left by an exception. Closing the iterator sets `leaving` on leases still held. One left by `NewerRow` ends it: raises
        `NewerRow` with the place of the row.
        """
        ...

    async def publish(self, out: Sequence[Record], *, everywhere: bool = False) -> None:
        """Append durably, from any process; `everywhere` puts each record into every partition of its topic."""
        ...

    def read(self, topic: str, since: float = 0.0) -> AsyncIterator[Record]:
        """Committed records with `at >= since` up to the end at the time of the call: for people; no position, no group."""
        ...

    def state(self, group: str, prefix: bytes = b"") -> AsyncIterator[Row]:
        """All committed rows of a group whose keys begin with `prefix`: for people."""
        ...
