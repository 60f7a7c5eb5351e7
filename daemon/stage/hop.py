"""What a hop is: pure decisions over a table of rows. No I/O, no clock, no randomness (jitter is a hash of key and attempt)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, TypeAlias, TypeVar

from daemon.bus.base import Record, Row


class Time(Enum):
    """Whose time a hop lives in (architecture.md, “The bus and the hop”)."""

    WALL = "wall"
    RECORDS = "records"
    """The records' own, never decreasing in a partition; timers earlier than the next record fire first."""


@dataclass(frozen=True, slots=True)
class Work:
    """Something to do outside, once the step that asked for it has committed. `key` is the row it belongs to.

    Only `Hop.wake` may ask for it, for the row that woke or another one: put a row with a wake to get there. At most one
    piece of work per key is in flight (asking for a second one raises); while it is, the row is not woken. Its result
    comes to `Hop.done`.
    """

    key: bytes
    job: object


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to count, once the step has committed: a metric of `daemon.metrics` by its name there, labels, amount."""

    metric: str
    labels: Mapping[str, str] = field(default_factory=dict)
    amount: float = 1.0


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to log as an error, once the step has committed: an event, and what it is about.

    It may come again with every record, so a process logs the first that is `about` the same; `details` are of that one.
    """

    event: str
    about: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Effects:
    """What a decision asks for, besides what it put into the table."""

    out: Sequence[Record] = ()
    work: Sequence[Work] = ()
    facts: Sequence[Fact] = ()
    notices: Sequence[Notice] = ()


NOTHING = Effects()


@dataclass(frozen=True, slots=True)
class Failed:
    """What `done` gets when the work raised instead of answering: the worker should have translated it, so this is a bug."""

    error: str


class Table(Protocol):
    """A hop's view of its rows within one step. What a record that raises has put is undone alone."""

    def get(self, key: bytes) -> Row | None: ...
    def put(self, key: bytes, new: Row | None) -> None:
        """Set or (None) delete; `new.key` must be `key`. Keys starting with NUL are the runner's own."""
        ...

    def scan(self, prefix: bytes) -> Iterator[Row]:
        """Rows by prefix in key order, this step's changes included. Not to be held across a `put`."""
        ...

    def mark(self) -> int: ...
    def rollback(self, mark: int) -> None: ...


R = TypeVar("R", contravariant=True)
P = TypeVar("P")


Scan: TypeAlias = Callable[[bytes], Iterable[Row]]


class Hop(Protocol[R, P]):
    """One hop. `R` is the decoded message of its input topic, `P` what `prepare` makes of it, one for one.

    Explicit subclasses inherit the defaults of `wake`, `done`, `reconcile` and `survey`.
    """

    name: str
    time: Time

    def prepare(self, batch: Sequence[R]) -> Sequence[P]:
        """The CPU work: stateless, as many results as inputs, in order; may run in a thread beside the event loop."""
        ...

    def decide(self, item: P, table: Table, now: float) -> Effects:
        """Pure: what becomes of one record."""
        ...

    def wake(self, row: Row, table: Table, now: float) -> Effects:  # noqa: ARG002 - a default
        """A row's time has come. Must move or clear its `wake`, delete it, or start work for it; else it is an error."""
        raise AssertionError(f"hop {self.name} has no timers")

    def done(self, key: bytes, result: object, table: Table, now: float) -> Effects:  # noqa: ARG002 - a default
        """Work for `key` has ended. The row may be gone or changed meanwhile."""
        raise AssertionError(f"hop {self.name} has no work")

    def reconcile(self, partition: int, partitions: int, table: Table, now: float) -> Effects:  # noqa: ARG002 - a default
        """Called when a lease opens and when configuration was reloaded: bring rows in line with the files."""
        return NOTHING

    def survey(self, scan: Scan, now: float) -> Sequence[Fact]:  # noqa: ARG002 - a default
        """Gauges of how a partition's rows stand, for somebody who is about to look at metrics; the runner adds `partition`.

        `scan` gives committed rows by prefix; none of them once the partition was left.
        """
        return ()
