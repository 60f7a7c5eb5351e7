"""One input partition, held by one task of the service."""

from collections.abc import Sequence

from daemon.bus.base import Record, Rows, Step
from daemon.bus.embedded.reader import PlaceRows
from daemon.bus.embedded.schema import numbered
from daemon.bus.embedded.shelf import Shelf
from daemon.bus.embedded.transaction import Transaction
from daemon.bus.group import Group, Turn
from daemon.bus.sizes import refuse_large
from daemon.errors import Lost


class EmbeddedLease:
    """Implements `Lease`; made by `open_lease`."""

    def __init__(self, shelf: Shelf, topic: tuple[str, int], place: tuple[int, int, int], turn: Turn, group: Group) -> None:
        self.partition = turn.partition
        self.partitions = shelf.partitions
        self.leaving = turn.leaving
        self._shelf = shelf
        self._topic, number = topic
        self._part = numbered(number, turn.partition)
        self._place, self.position, self._epoch = place
        self._next = self.position
        self._turn = turn
        self._group = group
        self._left = False
        self.rows: Rows = PlaceRows(shelf.reader, self._place)

    async def take(self, limit: int) -> Sequence[Record]:
        while True:
            await self._shelf.tails.beyond(self._part, self._next)
            records = self._shelf.reader.records(self._topic, self._part, self._next, limit)
            self._next = records[-1].offset + 1 if records else self._shelf.tails.end(self._part)
            if records:
                return records

    def lag(self) -> int:
        return max(0, self._shelf.tails.end(self._part) - self._next)

    async def commit(self, step: Step) -> None:
        refuse_large(step.out, step.rows)
        if self._left:
            raise Lost("the lease was left", subject=str(self.partition))
        entries, size = await self._shelf.entries(step.out)
        size += sum(len(row.value or b"") for row in step.rows)

        def write(transaction: Transaction) -> None:
            transaction.move(self._place, self._epoch, step.next_offset)
            transaction.append(entries)
            transaction.put(self._place, step.rows)

        await self._shelf.writer.submit(write, size)
        if step.next_offset is not None:
            self._group.progressed(self._turn)

    def leave(self) -> None:
        """No commit begins any more."""
        self._left = True


async def open_lease(shelf: Shelf, topic: str, name: str, turn: Turn, group: Group) -> EmbeddedLease:
    """Fence the partition's leases before and read its position. Raises `BusError`, `BusRefused`."""
    number = await shelf.names.topic(topic)
    place = numbered(await shelf.names.group(name, topic), turn.partition)
    position, epoch = await shelf.open_place(place)
    return EmbeddedLease(shelf, (topic, number), (place, position, epoch), turn, group)
