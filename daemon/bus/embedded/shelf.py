"""The open file: one writer, one reader, and what both of them know. Leases, retention and the bus work on it."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import apsw

from daemon.bus.base import Record
from daemon.bus.embedded.lock import ServiceLock
from daemon.bus.embedded.names import Names
from daemon.bus.embedded.reader import Reader
from daemon.bus.embedded.schema import (
    check_for,
    connect_reader,
    connect_writer,
    numbered,
    partition_count,
    refuse_old_sqlite,
    transaction,
)
from daemon.bus.embedded.tails import Tails
from daemon.bus.embedded.transaction import Entry, Transaction
from daemon.bus.embedded.trouble import translate
from daemon.bus.embedded.whereabouts import Whereabouts, leave_behind
from daemon.bus.embedded.writer import Writer
from daemon.bus.topics import lane_bytes, partition_of
from daemon.errors import BusRefused

_CHECK_SECONDS: Final = 1.0
_OVERHEAD: Final = 200
"""Bytes a record takes besides its value, about."""


@dataclass(frozen=True, slots=True)
class _Opened:
    lock: ServiceLock | None
    writing: apsw.Connection
    reading: apsw.Connection
    partitions: int
    generation: int


class Shelf:
    """See `open`. `generation` counts the services that have opened the file; a newer one fences the older."""

    def __init__(self, path: Path, opened: _Opened) -> None:
        self.path = path
        self.partitions = opened.partitions
        self.generation = opened.generation
        self.lock = opened.lock
        self._whereabouts = Whereabouts((path, opened.lock.file)) if opened.lock is not None else None
        self.tails = Tails()
        self.reader = Reader(opened.reading, path)
        self.writer = Writer(opened.writing, path, self.tails.advance, service=opened.lock is not None)
        self.names = Names(self.reader, self.writer)
        self.look()

    @classmethod
    async def open(cls, path: Path, *, service: bool, partitions: int | None) -> Self:
        """Raises `BusRefused` with a sentence for people, or `BusError`."""
        try:
            return cls(path, await asyncio.to_thread(_open, path, partitions, service=service))
        except (apsw.Error, OSError) as error:
            raise translate(error, path, service=service) from error

    def displaced(self) -> str | None:
        """What has become of a service's files behind its back, in one sentence, or None."""
        return None if self._whereabouts is None else self._whereabouts.trouble()

    def look(self) -> None:
        """Learn what other processes have appended."""
        if self.reader.changed():
            self.tails.advance(self.reader.ends())

    async def entries(self, out: Sequence[Record], *, everywhere: bool = False) -> tuple[Sequence[Entry], int]:
        """What to append for records, and about how many bytes it is."""
        entries: list[Entry] = []
        for record in out:
            topic, lane = await self.names.topic(record.topic), lane_bytes(record.lane)
            chosen = range(self.partitions) if everywhere else (partition_of(record.lane, self.partitions),)
            entries.extend((numbered(topic, each), record.at, lane, record.key, record.value) for each in chosen)
        return entries, sum(_OVERHEAD + len(entry[-1] or b"") for entry in entries)

    async def open_place(self, place: int) -> tuple[int, int]:
        """Begin a lease of a place: its position, and the epoch that fences the leases before."""
        return await self.writer.submit(lambda begun: self._open_place(begun, place))

    def _open_place(self, begun: Transaction, place: int) -> tuple[int, int]:
        if begun.db.execute("SELECT value FROM meta WHERE name = 'generation'").get != self.generation:
            raise BusRefused("a newer service has taken the file over; this one must end", subject=str(self.path))
        upsert = "INSERT INTO place VALUES (?, 0, 1) ON CONFLICT(id) DO UPDATE SET epoch = epoch + 1 RETURNING position, epoch"
        opened: tuple[int, int] = begun.db.execute(upsert, (place,)).get
        return opened

    async def close(self, seconds: float) -> None:
        self.reader.close()
        await self.writer.close(seconds)
        if self._whereabouts is not None and self._whereabouts.replaced(self.path):
            leave_behind(self.path)
        if self.lock is not None:
            self.lock.release()


def _open(path: Path, partitions: int | None, *, service: bool) -> _Opened:
    refuse_old_sqlite(apsw.sqlite_lib_version())
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as refused:
        lock = ServiceLock(path) if service else None
        if lock is not None:
            lock.take()
            refused.callback(lock.release)
        writing = connect_writer(path, partitions)
        refused.callback(writing.close)
        count = partition_count(writing, path, partitions)
        generation = 0
        if service:
            check_for(writing, path, _CHECK_SECONDS)
            generation = _begin_generation(writing)
        opened = _Opened(lock, writing, connect_reader(path), count, generation)
        refused.pop_all()
        return opened


def _begin_generation(db: apsw.Connection) -> int:
    """Fence the service before: no lease of it can commit, and it can open none."""
    with transaction(db):
        db.execute("UPDATE place SET epoch = epoch + 1")
        generation: int = db.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation' RETURNING value").get
    return generation
