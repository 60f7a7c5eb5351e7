"""A cluster's topics as `daemon.bus.move` reads and fills them, while no service is a member of their groups."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, for_code

from daemon.bus.base import Record, Row
from daemon.bus.kafka.discard import stop_admin, stop_consumer
from daemon.bus.kafka.link import Link, edge
from daemon.bus.kafka.names import Group, Names
from daemon.bus.kafka.producer import Fenced, Publisher
from daemon.bus.kafka.reading import bounds, place, reader
from daemon.bus.kafka.restore import Kept, restore
from daemon.bus.kafka.stored import entry_of, entry_of_row, record_of
from daemon.bus.kafka.timing import Timing, milliseconds
from daemon.bus.kafka.wanted import state_of
from daemon.bus.move import Span, Stand
from daemon.bus.topics import Topic
from daemon.clock import Clock
from daemon.config.models import KafkaSettings
from daemon.errors import BusError, BusRefused
from daemon.metrics import count_nothing

_AT_ONCE: Final = 500
_LOOK: Final = 0.05
_AT_REST: Final = frozenset({"Empty", "Dead"})


class KafkaStore:
    """Implements `Origin` and `Goal`; made by `open_origin` and `open_goal`."""

    def __init__(self, link: Link, names: Names, consumer: Any, admin: Any) -> None:
        self.partitions = names.count
        self._link = link
        self._names = names
        self._consumer = consumer
        self._admin = admin
        self._publisher = Publisher(link)
        self._bases: dict[TopicPartition, int] = {}

    async def refuse_members(self, topics: Iterable[Topic]) -> None:
        """Raises `BusRefused` when a service is a member of a group."""
        for group in self._groups(topics):
            state = await self._asked(partial(self._state, group.ident), group.ident)
            if state not in _AT_REST:
                wait = f"{self._link.timing.session:g} s"
                reason = f"a service is running (the group is {state}); stop it, or wait {wait} after its death"
                raise BusRefused(reason, subject=group.ident)

    async def _state(self, group: str) -> str:
        (answer,) = await self._admin.describe_consumer_groups([group])
        code, _, state, *_ = answer.groups[0]
        if code:
            raise for_code(code)
        return str(state)

    async def refuse_records(self, topics: Iterable[Topic]) -> None:
        """Raises `BusRefused` when there is anything already; remembers where each partition begins."""
        topics = list(topics)
        names = [self._names.of(topic.name) for topic in topics] + [group.changelog for group in self._groups(topics)]
        for name in names:
            for partition in self._parts(name):
                first, end = await self._bounds(partition)
                if first != end:
                    reason = "holds records already; move to topics of another topic_prefix, or delete these"
                    raise BusRefused(reason, subject=f"{name}/{partition.partition}")
                self._bases[partition] = end

    async def settle(self, topics: Iterable[Topic]) -> None:
        """Fence whoever held a partition, so that its transaction is over and its position final."""
        for group in self._groups(topics):
            for partition in range(self.partitions):
                fence = Fenced(self._link, group.producer(partition))
                try:
                    with edge("a partition cannot be fenced", f"{group.source}/{partition}"):
                        async with asyncio.timeout(self._link.timing.opening):
                            await fence.start()
                finally:
                    fence.discard()

    async def close(self) -> None:
        self._publisher.close()
        self._link.discard(self._consumer, stop_consumer)
        self._link.discard(self._admin, stop_admin)
        await self._link.settle()

    async def stand(self, topic: Topic, partition: int) -> Stand:
        part = TopicPartition(self._names.of(topic.name), partition)
        first, end = await self._bounds(part)
        for group in self._groups([topic]):
            asking = partial(self._admin.list_consumer_group_offsets, group.ident, partitions=[part])
            found = await self._asked(asking, group.ident)
            if part not in found:  # as in `daemon.bus.kafka.position`: an error of the whole answer, not that there is none
                raise BusError("the group's coordinator is not ready: try again", subject=group.ident)
            return Stand(first, max(first, found[part].offset), end)
        return Stand(first, end, end)

    @asynccontextmanager
    async def reading(self, topic: str, spans: Sequence[Span]) -> AsyncIterator[Sequence[AsyncIterator[Record]]]:
        parts = dict(zip(self._parts(self._names.of(topic)), spans, strict=True))
        filled = {part: span for part, span in parts.items() if span[0] < span[1]}
        async with reader(self._link) as consumer:
            place(consumer, {part: start for part, (start, _) in filled.items()})
            yield [self._records(consumer, topic, part, span) for part, span in parts.items()]

    async def _records(self, consumer: Any, topic: str, part: TopicPartition, span: Span) -> AsyncGenerator[Record, None]:
        if span[0] >= span[1]:
            return
        with edge("records cannot be read", f"{part.topic}/{part.partition}"):
            while True:
                async with asyncio.timeout(self._link.timing.step):
                    found = await _some(consumer, part, span[1])
                for message in found:
                    yield record_of(message, topic)
                if not found:
                    return

    async def rows(self, topic: Topic, partition: int) -> AsyncGenerator[Row, None]:
        for group in self._groups([topic]):
            with edge("rows cannot be read", f"{group.changelog}/{partition}"):
                async with asyncio.timeout(self._link.timing.opening), reader(self._link) as consumer:
                    kept = await restore(consumer, TopicPartition(group.changelog, partition), Kept(), 0.0)
            for row in kept.rows.scan():
                yield row

    async def append(self, batch: Sequence[tuple[int, Record]]) -> None:
        now = self._names.clock.now()
        entries = [
            replace(entry_of(record, self._names.of(record.topic), self.partitions, now), partition=partition)
            for partition, record in batch
        ]
        await self._publisher.publish(entries)

    async def put(self, topic: Topic, batch: Sequence[tuple[int, Row]]) -> None:
        for group in self._groups([topic]):
            await self._publisher.publish([entry_of_row(row, group.changelog, partition) for partition, row in batch])

    async def begin(self, topic: Topic, consumed: Sequence[int]) -> None:
        for group in self._groups([topic]):
            offsets = {part: self._bases[part] + count for part, count in zip(self._parts(group.source), consumed, strict=True)}
            consumer = self._link.consumer(group_id=group.ident)
            try:
                with edge("positions cannot be set", group.ident):
                    async with asyncio.timeout(self._link.timing.opening):
                        await self._link.start(consumer)
                        consumer.assign(list(offsets))
                        await consumer.commit(offsets)
            finally:
                self._link.discard(consumer, stop_consumer)

    async def verify(self, topic: Topic, counts: Sequence[int]) -> None:
        for part, count in zip(self._parts(self._names.of(topic.name)), counts, strict=True):
            _, end = await self._bounds(part)
            if end - self._bases[part] != count:
                reason = f"{end - self._bases[part]} records arrived of {count}; does anybody else write there?"
                raise BusError(reason, subject=f"{part.topic}/{part.partition}")

    async def _asked(self, ask: Callable[[], Awaitable[Any]], group: str) -> Any:
        """A cluster's first question about a group finds no coordinator yet: asked again until there is one."""
        with edge("a group cannot be looked up", group):
            async with asyncio.timeout(self._link.timing.opening):
                while True:
                    try:
                        return await ask()
                    except KafkaError as error:
                        if not error.retriable:
                            raise
                    await asyncio.sleep(self._link.timing.pause)

    async def _bounds(self, part: TopicPartition) -> tuple[int, int]:
        with edge("a topic cannot be looked up", f"{part.topic}/{part.partition}"):
            async with asyncio.timeout(self._link.timing.step):
                return await bounds(self._consumer, part)

    def _groups(self, topics: Iterable[Topic]) -> Iterator[Group]:
        for topic in topics:
            if topic.group is not None:
                yield Group(self._link, self._names, topic.name, topic.group, count_nothing)

    def _parts(self, name: str) -> list[TopicPartition]:
        return [TopicPartition(name, number) for number in range(self.partitions)]

    @classmethod
    async def open(cls, settings: KafkaSettings, folder: Path, topics: Iterable[Topic], clock: Clock) -> Self:
        """Raises `BusError`. The topics are there already."""
        link = Link(settings, Timing(), "rasid-move", folder)
        names = [name for topic in topics for name in (topic.name, *([state_of(topic.group)] if topic.group else []))]
        consumer, admin = link.consumer(), link.admin()
        store = cls(link, Names({name: link.named(name) for name in names}, settings.partitions, clock), consumer, admin)
        try:
            with edge("the cluster cannot be reached", link.address):
                async with asyncio.timeout(link.timing.step):
                    await link.start(consumer)
                    await link.start(admin)
        except BaseException:
            await store.close()
            raise
        return store


@asynccontextmanager
async def open_origin(
    settings: KafkaSettings, folder: Path, topics: Sequence[Topic], clock: Clock
) -> AsyncIterator[KafkaStore]:
    """What is to be moved from a cluster. Raises `BusRefused` while a service runs, `BusError`."""
    store = await KafkaStore.open(settings, folder, topics, clock)
    try:
        await store.refuse_members(topics)
        await store.settle(topics)
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_goal(settings: KafkaSettings, folder: Path, topics: Sequence[Topic], clock: Clock) -> AsyncIterator[KafkaStore]:
    """A cluster to be moved to. Raises `BusRefused` while a service runs or when the topics hold anything, `BusError`."""
    store = await KafkaStore.open(settings, folder, topics, clock)
    try:
        await store.refuse_members(topics)
        await store.refuse_records(topics)
        yield store
    finally:
        await store.close()


async def _some(consumer: Any, part: TopicPartition, end: int) -> list[Any]:
    """The next messages before `end`; none when it is reached."""
    while await consumer.position(part) < end:
        found = await consumer.getmany(part, timeout_ms=milliseconds(_LOOK), max_records=_AT_ONCE)
        messages = [message for message in found.get(part, ()) if message.offset < end]
        if messages:
            return messages
    return []
