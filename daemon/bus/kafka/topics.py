"""Topics of the engine: made when they are missing, and checked."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import structlog
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from daemon.bus.kafka.checks import Found, doubts, faults
from daemon.bus.kafka.discard import stop_admin
from daemon.bus.kafka.link import Link, edge
from daemon.bus.kafka.wanted import Wanted
from daemon.errors import BusError, BusRefused

_ANNOUNCED: Final = 0.05
log = structlog.get_logger()


async def prepare(link: Link, topics: Sequence[Wanted]) -> None:
    """Make what is missing, check all, warn of what is in doubt.

    Raises `BusRefused` with everything that cannot be worked with, `BusError` when to try again.

    Not bounded here: a topic that was made is known to every broker only after a while.
    """
    admin = link.admin()
    try:
        with edge("topics cannot be looked up", link.address):
            await link.start(admin)
            found = await _found(admin)
            if missing := [topic for topic in topics if topic.name not in found]:
                await _create(link, admin, missing)
            while not all(topic.name in found for topic in topics):
                await asyncio.sleep(_ANNOUNCED)
                found = await _found(admin)
            _judge(topics, await _described(admin, {topic.name: found[topic.name] for topic in topics}))
    finally:
        link.discard(admin, stop_admin)


async def _found(admin: Any) -> dict[str, Found]:
    # All topics, because asking for one by name makes it where the broker creates topics by itself.
    found = {each["topic"]: each["partitions"] for each in await admin.describe_topics()}
    return {name: Found(len(each), min((len(one["replicas"]) for one in each), default=0)) for name, each in found.items()}


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


async def _described(admin: Any, found: Mapping[str, Found]) -> dict[str, Found]:
    """The topics with their settings. Those of a topic we may not look up stay empty, with a warning."""
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in found])
    described = dict(found)
    for code, _, _, name, entries in (resource for answer in answers for resource in answer.resources):
        if code:
            log.warning("topic_in_doubt", reason=f"{name} cannot be checked: {for_code(code).__name__}")
        else:
            described[name] = replace(found[name], configs={entry[0]: entry[1] for entry in entries})
    return described


def _judge(topics: Sequence[Wanted], found: Mapping[str, Found]) -> None:
    if refused := [sentence for topic in topics for sentence in faults(topic, found[topic.name])]:
        raise BusRefused("the topics are not as they have to be: " + "; ".join(refused))
    for topic in topics:
        for sentence in doubts(topic, found[topic.name]):
            log.warning("topic_in_doubt", reason=sentence)
