"""The bus in one SQLite file, for one service process and the commands beside it. No server, nothing to install.

service ── leases, publish ─▶ writer thread ─▶ file ◀─ publish, read, state ── commands (`service=False`)
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from daemon.bus.base import CLOSE_WITHIN, Lease, Record, Row
from daemon.bus.embedded.lease import open_lease
from daemon.bus.embedded.retention import Retention
from daemon.bus.embedded.schema import numbered
from daemon.bus.embedded.shelf import Shelf
from daemon.bus.embedded.space import FreeSpace
from daemon.bus.embedded.transaction import Transaction
from daemon.bus.group import Group, Member, Turn
from daemon.bus.sizes import refuse_large
from daemon.clock import Clock
from daemon.errors import BusError, BusRefused, NewerRow

_LOOK_EVERY: Final = 0.2
"""Seconds between looks for what commands appended."""
_PROBE_EVERY: Final = 2.0
"""Seconds between tries to write while writing fails."""
_NO_RETENTION: Final[Mapping[str, float]] = MappingProxyType({})


class EmbeddedBus:
    """Implements `Bus`. Entering raises `BusRefused` with a sentence for people when the file cannot be used.

    `partitions` is for the file's creation (4 when None); another count than the file's is refused. `retention` (seconds a
    topic) overrides that of `daemon.bus.topics`; `max_bytes` bounds the file; `min_free` is the floor of free space beside it.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        service: bool,
        partitions: int | None = None,
        retention: Mapping[str, float] = _NO_RETENTION,
        max_bytes: int = 20_000_000_000,
        min_free: int = 100_000_000,
    ) -> None:
        self._path = path
        self._clock = clock
        self._service = service
        self._wanted = partitions
        self._retention = retention
        self._max_bytes = max_bytes
        self._space = FreeSpace(path.parent, min_free)
        self._shelf_open: Shelf | None = None
        self._sweeper: Retention | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._groups: dict[str, Group] = {}
        self._members: dict[Member, Group] = {}
        self._refused: BusRefused | None = None

    async def __aenter__(self) -> Self:
        shelf = await Shelf.open(self._path, service=self._service, partitions=self._wanted)
        self._shelf_open = shelf
        if self._service:
            self._sweeper = Retention(shelf, self._clock, self._retention, self._max_bytes)
            loops = (self._look(shelf), self._probe(shelf), self._sweeper.run())
            self._tasks = [asyncio.create_task(loop) for loop in loops]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_members()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._shelf_open is not None:
            shelf, self._shelf_open = self._shelf_open, None
            await shelf.close(CLOSE_WITHIN)

    def partitions(self, topic: str) -> int:  # noqa: ARG002 - all topics of this engine have as many
        return self._shelf.partitions

    async def leases(self, topic: str, group: str) -> AsyncGenerator[AbstractAsyncContextManager[Lease], None]:
        if not self._service:
            raise BusRefused("only the service takes leases; a command reads and publishes", subject=str(self._path))
        shared = self._groups.setdefault(group, Group(self._shelf.partitions))
        member = shared.join()
        self._members[member] = shared
        try:
            while (turn := await member.next()) is not None:
                yield self._held(topic, group, turn)
            if self._refused is not None:
                raise self._refused
        finally:
            shared.part(member)
            self._members.pop(member, None)

    async def publish(self, out: Sequence[Record], *, everywhere: bool = False) -> None:
        refuse_large(out)
        if out:
            entries, size = await self._shelf.entries(out, everywhere=everywhere)
            await self._shelf.writer.submit(lambda transaction: transaction.append(entries), size)

    async def read(self, topic: str, since: float = 0.0) -> AsyncIterator[Record]:
        reader = self._shelf.reader
        number, ends = reader.topic(topic), reader.ends()
        if number is None:
            return
        for partition in range(self._shelf.partitions):
            part = numbered(number, partition)
            for records in reader.records_since(topic, part, ends.get(part, 0), since):
                for record in records:
                    yield record
                await asyncio.sleep(0)

    async def state(self, group: str, prefix: bytes = b"") -> AsyncIterator[Row]:
        number = self._shelf.reader.group(group)
        if number is None:
            return
        for partition in range(self._shelf.partitions):
            for row in self._shelf.reader.rows(numbered(number, partition), prefix):
                yield row

    def trouble(self) -> str | None:
        """Why nothing more should be put onto the bus now; None when all is well. Cheap."""
        shelf = self._shelf_open
        if shelf is None or self._refused is not None:
            return f"{self._path}: {self._refused.reason if self._refused else 'the bus is closed'}"
        if shelf.writer.trouble is not None:
            return shelf.writer.trouble
        if self._sweeper is not None and self._sweeper.full:
            return f"{self._path}: more than {self._max_bytes} bytes, and nothing may be forgotten: the hops are behind"
        return self._space.trouble()

    @property
    def _shelf(self) -> Shelf:
        if self._shelf_open is None:
            raise BusError("the bus is closed", subject=str(self._path))
        return self._shelf_open

    @asynccontextmanager
    async def _held(self, topic: str, name: str, turn: Turn) -> AsyncIterator[Lease]:
        group, failed = self._groups[name], True
        try:
            lease = await open_lease(self._shelf, topic, name, turn, self._groups[name])
            try:
                yield lease
                failed = False
            finally:
                lease.leave()
        except BusRefused as error:
            place = f"{self._path}, partition {turn.partition} of {name}"
            self._refuse(error.at(place) if isinstance(error, NewerRow) else error)
            raise
        finally:
            group.left(turn, failed=failed)

    def _refuse(self, error: BusRefused) -> None:
        """The file is not to be used any more (a newer service, damage, another file): all iterators of leases end so."""
        self._refused = self._refused or error
        self._end_members()

    def _end_members(self) -> None:
        for member, group in self._members.items():
            member.end()
            group.part(member)

    async def _look(self, shelf: Shelf) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                shelf.look()
            except BusError:
                # The writer meets the same trouble, and says so; what was appended is found by a later look.
                continue

    async def _probe(self, shelf: Shelf) -> None:
        while True:
            await asyncio.sleep(_PROBE_EVERY)
            displaced = shelf.displaced()
            if displaced is not None:
                self._refuse(BusRefused(displaced, subject=str(self._path)))
            if shelf.writer.trouble is not None:
                with suppress(BusError):
                    await shelf.writer.submit(_touch)


def _touch(transaction: Transaction) -> None:
    transaction.db.execute("UPDATE meta SET value = value WHERE name = 'partitions'")
