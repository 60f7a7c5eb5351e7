"""The file as `daemon.bus.move` reads one and makes another. Both are used by nobody else meanwhile."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Final

import apsw

from daemon.bus.base import Record, Row
from daemon.bus.embedded.backup import translated
from daemon.bus.embedded.names import group_number, topic_number
from daemon.bus.embedded.reader import Reader
from daemon.bus.embedded.schema import OFFSET_BITS, connect_writer, numbered, partition_count, transaction
from daemon.bus.embedded.transaction import Transaction
from daemon.bus.embedded.whereabouts import stands
from daemon.bus.move import Span, Stand
from daemon.bus.topics import TOPICS, Topic, lane_bytes
from daemon.errors import BusError, BusRefused

_AT_ONCE: Final = 500


class EmbeddedOrigin:
    """Implements `Origin`; made by `open_origin`."""

    def __init__(self, db: apsw.Connection, path: Path) -> None:
        self.partitions = partition_count(db, path, None)
        self._reader = Reader(db, path)

    def refuse_unknown(self, path: Path) -> None:
        """Raises `BusRefused` when the file holds what would be left behind."""
        groups = {topic.group for topic in TOPICS.values()}
        for sql, known in (("SELECT name FROM topic", set(TOPICS)), ("SELECT name FROM grp", groups)):
            unknown = sorted({name for (name,) in self._reader.fetch(sql)} - known)
            if unknown:
                raise BusRefused(f"holds {', '.join(unknown)}, which this version does not know", subject=str(path))

    async def stand(self, topic: Topic, partition: int) -> Stand:
        number = self._reader.topic(topic.name)
        if number is None:
            return Stand(0, 0, 0)
        part = numbered(number, partition)
        base = part << OFFSET_BITS
        end = self._reader.number("SELECT next FROM head WHERE part = ?", (part,)) or 0
        first = self._reader.number("SELECT min(id) FROM log WHERE id >= ? AND id < ?", (base, base + end))
        start = end if first is None else first - base
        return Stand(start, max(start, end if topic.group is None else self._position(topic.group, partition)), end)

    def _position(self, name: str, partition: int) -> int:
        group = self._reader.group(name)
        place = numbered(group or 0, partition)
        return self._reader.number("SELECT position FROM place WHERE id = ?", (place,)) or 0

    @asynccontextmanager
    async def reading(self, topic: str, spans: Sequence[Span]) -> AsyncIterator[Sequence[AsyncIterator[Record]]]:
        number = self._reader.topic(topic) or 0
        yield [self._records(topic, numbered(number, partition), span) for partition, span in enumerate(spans)]

    async def _records(self, topic: str, part: int, span: Span) -> AsyncGenerator[Record, None]:
        start, end = span
        while start < end:
            found = self._reader.records(topic, part, start, min(_AT_ONCE, end - start))
            for record in found:
                if record.offset < end:
                    yield record
            start = found[-1].offset + 1 if found else end
            await asyncio.sleep(0)

    async def rows(self, topic: Topic, partition: int) -> AsyncGenerator[Row, None]:
        group = self._reader.group(topic.group or "")
        if group is not None:
            for row in self._reader.rows(numbered(group, partition), b""):
                yield row


class EmbeddedGoal:
    """Implements `Goal`; made by `open_goal`. Offsets begin at 0."""

    def __init__(self, db: apsw.Connection, path: Path) -> None:
        self.partitions = partition_count(db, path, None)
        self._db = db
        self._path = path

    async def append(self, batch: Sequence[tuple[int, Record]]) -> None:
        with translated(self._path), transaction(self._db):
            numbers = {name: topic_number(self._db, name) for name in {record.topic for _, record in batch}}
            writing = Transaction(self._db)
            writing.append(
                [
                    (
                        numbered(numbers[record.topic], partition),
                        record.at,
                        lane_bytes(record.lane),
                        record.key,
                        record.value,
                    )
                    for partition, record in batch
                ]
            )
            writing.flush()

    async def put(self, topic: Topic, batch: Sequence[tuple[int, Row]]) -> None:
        with translated(self._path), transaction(self._db):
            group, writing = self._group(topic), Transaction(self._db)
            for partition, row in batch:
                writing.put(numbered(group, partition), [row])
            writing.flush()

    async def begin(self, topic: Topic, consumed: Sequence[int]) -> None:
        with translated(self._path), transaction(self._db):
            group = self._group(topic)
            places = [(numbered(group, partition), count) for partition, count in enumerate(consumed)]
            self._db.executemany("INSERT INTO place VALUES (?, ?, 1)", places)

    async def verify(self, topic: Topic, counts: Sequence[int]) -> None:
        with translated(self._path):
            number = self._db.execute("SELECT id FROM topic WHERE name = ?", (topic.name,)).get or 0
            for partition, count in enumerate(counts):
                part = numbered(number, partition)
                span = (part << OFFSET_BITS, part + 1 << OFFSET_BITS)
                found = self._db.execute("SELECT count(*) FROM log WHERE id >= ? AND id < ?", span).get
                if found != count:
                    raise BusError(f"{found} records of {topic.name}/{partition} arrived of {count}", subject=str(self._path))

    def _group(self, topic: Topic) -> int:
        return group_number(self._db, topic.group or "", topic_number(self._db, topic.name))


@contextmanager
def open_origin(path: Path) -> Iterator[EmbeddedOrigin]:
    """The file, with all writing by others held off. The caller holds its lock. Raises `BusError`."""
    if not stands(path):
        raise BusRefused("there is no such file: nothing to move", subject=str(path))
    with translated(path), closing(connect_writer(path, None)) as db:
        db.execute("BEGIN IMMEDIATE")
        origin = EmbeddedOrigin(db, path)
        origin.refuse_unknown(path)
        yield origin
        db.execute("ROLLBACK")


@contextmanager
def open_goal(part: Path, named: Path, partitions: int | None) -> Iterator[EmbeddedGoal]:
    """A file to be made there, which people will know as `named`. Raises `BusError` about that one."""
    with translated(named), closing(connect_writer(part, partitions)) as db:
        yield EmbeddedGoal(db, named)
