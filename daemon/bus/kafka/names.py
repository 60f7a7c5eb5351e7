"""What things are called on the cluster: the topics the engine was made with, and what belongs to one group."""

from collections.abc import Mapping
from dataclasses import dataclass

from daemon.bus.base import Record
from daemon.bus.kafka.link import Link
from daemon.bus.kafka.stored import Entry, entry_of
from daemon.bus.kafka.wanted import state_of
from daemon.clock import Clock
from daemon.errors import BusRefused
from daemon.metrics import Observe


@dataclass(frozen=True, slots=True)
class Names:
    """Full names by topic; `count` is how many partitions each of them has."""

    full: Mapping[str, str]
    count: int
    clock: Clock

    def of(self, topic: str) -> str:
        """Raises `BusRefused` for a topic the engine was not made with."""
        full = self.full.get(topic)
        if full is None:
            raise BusRefused("is not a topic of this bus", subject=topic)
        return full

    def entry_of(self, record: Record) -> Entry:
        """Raises `TooLarge`, and `BusRefused` for an unknown topic."""
        return entry_of(record, self.of(record.topic), self.count, self.clock.now())


@dataclass(frozen=True, slots=True)
class Group:
    """One hop's: `name` and `topic` as hops call them, the properties as the cluster does."""

    link: Link
    names: Names
    topic: str
    name: str
    observe: Observe

    @property
    def ident(self) -> str:
        return self.link.named(self.name)

    @property
    def source(self) -> str:
        return self.names.of(self.topic)

    @property
    def changelog(self) -> str:
        return self.names.of(state_of(self.name))

    def producer(self, partition: int) -> str:
        """The transactional id of a partition's holder: who starts a producer by it fences the one before."""
        return f"{self.ident}.{self.topic}.{partition}"
