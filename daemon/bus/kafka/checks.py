"""What of a topic is not as it is wanted: what cannot be worked with, and what can, but keeps less than was promised.

Pure: `daemon.bus.kafka.topics` looks the topics up, refuses for the first kind and warns of the second.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from daemon.bus.kafka.wanted import Wanted

_NO_LIMIT: Final = -1


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as it is. A setting the broker does not tell counts as one that is right."""

    partitions: int
    replicas: int
    configs: Mapping[str, str | None] = field(default_factory=dict)

    def number(self, key: str, otherwise: int) -> int:
        return int(self.configs.get(key) or otherwise)


def faults(wanted: Wanted, found: Found) -> Iterator[str]:
    """What makes the topic lose records or rows, or refuse them: one sentence each."""
    if found.partitions != wanted.partitions:
        yield (
            f"{wanted.name} has {found.partitions} partitions, bus.kafka.partitions says {wanted.partitions} "
            "(the number is fixed when a topic is made)"
        )
    policy = wanted.configs["cleanup.policy"]
    if (actual := found.configs.get("cleanup.policy") or policy) != policy:
        yield f"{wanted.name} has cleanup.policy={actual}, needed is {policy}"
    needed = int(wanted.configs["max.message.bytes"])
    if (limit := found.number("max.message.bytes", needed)) < needed:
        yield f"{wanted.name} takes messages up to max.message.bytes={limit}, at least {needed} are needed"
    if (in_sync := found.number("min.insync.replicas", 1)) > found.replicas:
        yield f"{wanted.name} has min.insync.replicas={in_sync} and {found.replicas} replicas: nothing can be written"
    remembered = int(wanted.configs.get("delete.retention.ms", 0))
    if policy == "compact" and (kept := found.number("delete.retention.ms", remembered)) < remembered:
        yield f"{wanted.name} forgets deletions after delete.retention.ms={kept}, at least {remembered} is needed"


def doubts(wanted: Wanted, found: Found) -> Iterator[str]:
    """What is safe to work with, but other than the configuration says: one sentence each."""
    if found.replicas < wanted.replicas:
        yield f"{wanted.name} has {found.replicas} replicas, bus.kafka.replication_factor says {wanted.replicas}"
    least = int(wanted.configs["min.insync.replicas"])
    if (in_sync := found.number("min.insync.replicas", least)) < least:
        yield f"{wanted.name} has min.insync.replicas={in_sync}, wanted is {least}: fewer brokers lost may be records lost"
    elif found.replicas > 1 and in_sync == found.replicas:
        yield f"{wanted.name} has min.insync.replicas={in_sync} and as many replicas: nothing is written while a broker is away"
    if wanted.configs["cleanup.policy"] == "delete":
        yield from _retention(wanted, found)


def _retention(wanted: Wanted, found: Found) -> Iterator[str]:
    kept = int(wanted.configs["retention.ms"])
    if (actual := found.number("retention.ms", kept)) != kept:
        yield f"{wanted.name} has retention.ms={actual}, wanted is {kept} (bus.retention)"
    if (size := found.number("retention.bytes", _NO_LIMIT)) != _NO_LIMIT:
        yield f"{wanted.name} has retention.bytes={size}: records may be removed before their time (bus.retention)"
