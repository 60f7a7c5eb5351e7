"""The topics of the engine as it wants them: names, partitions, replicas, settings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from daemon.bus.kafka.stored import MESSAGE_BYTES
from daemon.bus.kafka.timing import milliseconds
from daemon.bus.topics import DAY, Topic
from daemon.config.models import KafkaSettings

TOMBSTONES_KEPT: Final = DAY
"""How long a changelog remembers that a row was deleted (`delete.retention.ms`); rows cached for longer may miss it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic by its full name, and what it is made with."""

    name: str
    partitions: int
    replicas: int
    configs: Mapping[str, str]


def state_of(group: str) -> str:
    """The changelog of a group, without prefix."""
    return f"{group}.state"


def wanted(settings: KafkaSettings, topics: Iterable[Topic], retention: Mapping[str, float]) -> list[Wanted]:
    """All topics of the engine. `retention`: seconds by topic, where it is not the topic's own."""
    prefix, count, replicas = settings.topic_prefix, settings.partitions, settings.replication_factor
    always = {"max.message.bytes": str(MESSAGE_BYTES), "min.insync.replicas": str(max(1, replicas - 1))}
    changelog = {
        **always,
        "cleanup.policy": "compact",
        "delete.retention.ms": str(milliseconds(TOMBSTONES_KEPT)),
        "segment.bytes": str(64 * 1024 * 1024),
    }
    found = []
    for topic in topics:
        kept = milliseconds(retention.get(topic.name, topic.retention))
        configs = {**always, "cleanup.policy": "delete", "retention.ms": str(kept)}
        found.append(Wanted(prefix + topic.name, count, replicas, configs))
        if topic.group is not None:
            found.append(Wanted(prefix + state_of(topic.group), count, replicas, changelog))
    return found
