"""What the conformance suite needs of an engine, and what its tests are written with: a holder of leases, records, lanes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Protocol

from daemon.bus.base import Bus, Lease, Record, Row
from daemon.bus.topics import RAW, partition_of

GROUP = "enricher"
HERE = 0


class Engine(Protocol):
    """One engine with a store of the test's own: what one test wrote no other sees.

    Buses left open are closed after the test. The suite uses topics and groups of `daemon.bus.topics`: `articles.raw` consumed
    by `enricher`, `articles` by `matcher`.
    """

    patience: float
    """Seconds a lease may need to be offered, taken over or fenced."""

    async def open(self, *, service: bool = True) -> Bus:
        """The store as another process would open it: a service, or a command beside it."""
        ...

    async def close(self, bus: Bus) -> None:
        """In good order."""
        ...

    async def crash(self, bus: Bus) -> None:
        """As kill -9 would: nothing more is committed, and nobody is told."""
        ...

    async def usurp(self, bus: Bus) -> Bus:
        """A second service that is given partitions although `bus`, like a frozen process, lives on and holds its leases."""
        ...

    async def age(self, bus: Bus) -> None:
        """Have everything in `articles.raw` become older than it is kept, and what the enricher consumed be forgotten."""
        ...

    def buffered(self, lease: Lease) -> int:
        """How many records stand in this process's memory for a lease that has not taken them yet."""
        ...


class Holder:
    """Takes every lease a bus offers for a group and keeps each until told to leave it. Enter and exit are one task's."""

    def __init__(self, bus: Bus, topic: str, group: str, patience: float) -> None:
        self._bus = bus
        self._topic = topic
        self._group = group
        self._patience = patience
        self._held: dict[int, Lease] = {}
        self._end: dict[int, asyncio.Future[None]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._changed = asyncio.Condition()
        self._entering: asyncio.Task[None] | None = None
        self._closing = False
        self._offers = asyncio.create_task(self._serve())

    async def lease(self, partition: int) -> Lease:
        """The lease of one partition, as soon as it is held."""
        async with asyncio.timeout(self._patience), self._changed:
            await self._changed.wait_for(lambda: partition in self._held)
            return self._held[partition]

    async def any(self) -> Lease:
        """Whichever lease is held first."""
        async with asyncio.timeout(self._patience), self._changed:
            await self._changed.wait_for(lambda: bool(self._held))
            return next(iter(self._held.values()))

    async def all(self) -> Sequence[Lease]:
        """Every partition's lease, in order."""
        return [await self.lease(number) for number in range(self._bus.partitions(self._topic))]

    async def leave(self, partition: int, error: Exception | None = None) -> None:
        """Leave a lease, in good order or by an error."""
        end, task = self._end[partition], self._tasks[partition]
        if error is None:
            end.set_result(None)
        else:
            end.set_exception(error)
        await asyncio.wait([task], timeout=self._patience)

    async def stop_offers(self) -> None:
        """Close the iterator; leases stay held until they are left."""
        self._offers.cancel()
        await asyncio.gather(self._offers, return_exceptions=True)

    async def ended(self) -> None:
        """Until the bus ends the iterator by itself; raises what it raised."""
        async with asyncio.timeout(self._patience):
            await self._offers

    async def close(self) -> None:
        """Leave everything, also what is only being entered."""
        self._closing = True
        await self.stop_offers()
        for end in self._end.values():
            if not end.done():
                end.set_result(None)
        entering = [self._entering] if self._entering else []
        await asyncio.gather(*entering, *self._tasks.values(), return_exceptions=True)

    async def _serve(self) -> None:
        async with aclosing(self._bus.leases(self._topic, self._group)) as offers:
            async for offer in offers:
                entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                task = asyncio.create_task(self._hold(offer, entered))
                self._entering = task
                task.add_done_callback(_seen)
                await asyncio.wait([task, entered], return_when=asyncio.FIRST_COMPLETED)

    async def _hold(self, offer: AbstractAsyncContextManager[Lease], entered: asyncio.Future[None]) -> None:
        async with offer as lease:
            number = lease.partition
            end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            task = asyncio.current_task()
            if task is None:
                raise AssertionError("a coroutine runs in a task")
            self._tasks[number], self._end[number] = task, end
            entered.set_result(None)
            async with self._changed:
                self._held[number] = lease
                self._changed.notify_all()
            try:
                if not self._closing:
                    await end
            finally:
                if self._held.get(number) is lease:
                    del self._held[number]


def _seen(task: asyncio.Task[None]) -> None:
    """How a holding ended is for the test to say: an offer may be void when it is entered, a lease left by an error."""
    if not task.cancelled():
        task.exception()


@asynccontextmanager
async def holding(bus: Bus, topic: str, group: str, patience: float) -> AsyncIterator[Holder]:
    """All leases of a group, held while the block runs."""
    holder = Holder(bus, topic, group, patience)
    try:
        yield holder
    finally:
        await holder.close()


async def take_all(lease: Lease, count: int, patience: float) -> list[Record]:
    """Exactly `count` records of a lease, in as many takes as it needs."""
    taken: list[Record] = []
    async with asyncio.timeout(patience):
        while len(taken) < count:
            taken.extend(await lease.take(count - len(taken)))
    return taken


def record(number: int, lane: str, topic: str = RAW, at: float | None = None) -> Record:
    return Record(topic, lane, b"k%d" % number, b"v%d" % number, 1000.0 + number if at is None else at)


def lane_of(partition: int, bus: Bus, topic: str = RAW) -> str:
    """A lane that lives in a given partition."""
    count = bus.partitions(topic)
    return next(lane for lane in (f"site-{n}.example" for n in range(10_000)) if partition_of(lane, count) == partition)


async def everything(bus: Bus, topic: str, since: float = 0.0) -> list[Record]:
    return [stored async for stored in bus.read(topic, since)]


async def state(bus: Bus, group: str = GROUP) -> dict[bytes, Row]:
    return {row.key: row async for row in bus.state(group)}
