"""Topics of the engine: made when they are missing, or compared with what the engine needs."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from daemon.bus.kafka.discard import stop_admin
from daemon.bus.kafka.link import Link, translated
from daemon.bus.kafka.stored import MESSAGE_BYTES
from daemon.bus.kafka.timing import milliseconds
from daemon.bus.topics import DAY, Topic
from daemon.errors import BusError, BusRefused

TOMBSTONES_KEPT: Final = DAY
"""How long a changelog remembers that a row was deleted (`delete.retention.ms`); rows cached for longer may miss it."""

_ANNOUNCED: Final = 0.05


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic by its full name, and what it is made with."""

    name: str
    partitions: int
    configs: Mapping[str, str]


def state_of(group: str) -> str:
    """The changelog of a group, without prefix."""
    return f"{group}.state"


def wanted(link: Link, topics: Iterable[Topic], retention: Mapping[str, float]) -> list[Wanted]:
    """All topics of the engine. `retention`: seconds by topic, where it is not the topic's own."""
    count, replication = link.settings.partitions, link.settings.replication_factor
    always = {"max.message.bytes": str(MESSAGE_BYTES), "min.insync.replicas": str(max(1, replication - 1))}
    found = []
    for topic in topics:
        kept = milliseconds(retention.get(topic.name, topic.retention))
        configs = {**always, "cleanup.policy": "delete", "retention.ms": str(kept)}
        found.append(Wanted(link.named(topic.name), count, configs))
        if topic.group is not None:
            configs = {
                **always,
                "cleanup.policy": "compact",
                "delete.retention.ms": str(milliseconds(TOMBSTONES_KEPT)),
                "segment.bytes": str(64 * 1024 * 1024),
            }
            found.append(Wanted(link.named(state_of(topic.group)), count, configs))
    return found


async def prepare(link: Link, topics: Sequence[Wanted]) -> None:
    """Make what is missing, compare all. Raises `BusRefused` with all that differs, `BusError` when to try again.

    Not bounded here: a topic that was made is known to every broker only after a while.
    """
    admin = link.admin()
    try:
        await link.start(admin)
        counts = await _counts(admin)
        if missing := [topic for topic in topics if topic.name not in counts]:
            await _create(link, admin, missing)
        while not all(topic.name in counts for topic in topics):
            await asyncio.sleep(_ANNOUNCED)
            counts = await _counts(admin)
        _refuse(await _differences(admin, topics, counts))
    except BusError:
        raise
    except Exception as error:  # the edge to aiokafka: it raises an AttributeError where the cluster has no controller yet
        raise translated(error, "topics cannot be looked up", link.address) from error
    finally:
        link.discard(admin, stop_admin)


async def _counts(admin: Any) -> dict[str, int]:
    # All topics, because asking for one by name makes it where the broker creates topics by itself.
    return {each["topic"]: len(each["partitions"]) for each in await admin.describe_topics()}


async def _create(link: Link, admin: Any, missing: Sequence[Wanted]) -> None:
    if not link.settings.create_topics:
        names = ", ".join(topic.name for topic in missing)
        raise BusRefused(f"topics are missing and bus.kafka.create_topics is false: {names}", subject=link.address)
    replication = link.settings.replication_factor
    new = [NewTopic(each.name, each.partitions, replication, topic_configs=dict(each.configs)) for each in missing]
    answer = await admin.create_topics(new)
    for name, code, *message in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:  # another process was first: it made the same
            raise BusError(f"cannot be created: {' '.join(filter(None, message)) or error.__name__}", subject=name)


async def _differences(admin: Any, topics: Sequence[Wanted], counts: Mapping[str, int]) -> list[str]:
    found = [
        f"{topic.name} has {counts[topic.name]} partitions, bus.kafka.partitions says {topic.partitions} "
        "(the number is fixed when a topic is made)"
        for topic in topics
        if counts[topic.name] != topic.partitions
    ]
    actual = await _configs(admin, [topic.name for topic in topics])
    for topic in topics:
        configs = actual.get(topic.name, {})
        limit = int(configs.get("max.message.bytes") or MESSAGE_BYTES)
        if limit < MESSAGE_BYTES:
            found.append(f"{topic.name} takes messages up to max.message.bytes={limit}, at least {MESSAGE_BYTES} are needed")
        policy = configs.get("cleanup.policy") or topic.configs["cleanup.policy"]
        if policy != topic.configs["cleanup.policy"]:
            found.append(f"{topic.name} has cleanup.policy={policy}, needed is {topic.configs['cleanup.policy']}")
    return found


async def _configs(admin: Any, names: Sequence[str]) -> dict[str, dict[str, str | None]]:
    if not names:
        return {}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for code, _, _, name, entries in answer.resources
        if not code
    }


def _refuse(differences: Sequence[str]) -> None:
    if differences:
        raise BusRefused("the topics are not as they have to be: " + "; ".join(differences))
