"""The Kafka engine as hops and commands see it.

Entering it waits for a broker for a few seconds only. Without one it goes on: it tries again in the background until the
cluster answers, `trouble` says why nothing happens, leases are offered later; `publish`, `read` and `state` raise `BusError`.
Topics that are not as they have to be raise `BusRefused`: from entering, or, when the broker came later, from everything else.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

from daemon.bus.base import CLOSE_WITHIN, Lease, Record, Row
from daemon.bus.kafka import history
from daemon.bus.kafka.link import Link
from daemon.bus.kafka.member import Member
from daemon.bus.kafka.names import Group, Names
from daemon.bus.kafka.producer import Publisher
from daemon.bus.kafka.timing import Timing
from daemon.bus.kafka.topics import prepare
from daemon.bus.kafka.twins import Twins
from daemon.bus.kafka.wanted import state_of, wanted
from daemon.bus.topics import TOPICS, Topic
from daemon.clock import Clock
from daemon.config.models import KafkaSettings
from daemon.errors import BusError, BusRefused
from daemon.metrics import Observe

_PART_WITHIN: Final = 2.0
"""Of the seconds to close, those for members to leave in order; the rest is for their clients' connections."""
log = structlog.get_logger()


class KafkaBus:
    """Implements `Bus`. `retention`: seconds by topic, where it is not the topic's own; `folder`: where `ca_file` lies.

    Raises `ConfigError` for a `ca_file` that cannot be used.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        clock: Clock,
        observe: Observe,
        retention: Mapping[str, float] | None = None,
        topics: Iterable[Topic] = tuple(TOPICS.values()),
        folder: Path = Path(),
        timing: Timing | None = None,
    ) -> None:
        self._link = Link(settings, timing or Timing(), "rasid", folder)
        self._wanted = wanted(settings, topics, retention or {})
        start = len(settings.topic_prefix)
        self._names = Names({each.name[start:]: each.name for each in self._wanted}, settings.partitions, clock)
        self._observe = observe
        self._publisher = Publisher(self._link)
        self._twins = Twins(settings.instance)
        self._members: set[Member] = set()
        self._ready = asyncio.Event()
        self._refused: BusRefused | None = None
        self._trouble: str | None = f"not connected yet to {self._link.address}"
        self._tending: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._tending = asyncio.create_task(self._tend())
        try:
            async with asyncio.timeout(self._link.timing.start):
                await self._ready.wait()
        except TimeoutError:
            log.warning("bus_not_ready_yet", reason=self._trouble)
        except BaseException:
            await self._close()
            raise
        if self._refused is not None:
            await self._close()
            raise self._refused
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    def trouble(self) -> str | None:
        """What is wrong, in one sentence, or None."""
        return self._trouble or next(filter(None, (member.trouble for member in self._members)), None)

    def partitions(self, topic: str) -> int:
        """Raises `BusRefused` for a topic the engine was not made with."""
        self._names.of(topic)
        return self._names.count

    async def leases(self, topic: str, group: str) -> AsyncGenerator[AbstractAsyncContextManager[Lease], None]:
        share = Group(self._link, self._names, topic, group, self._observe)
        self._names.of(topic)
        self._names.of(state_of(group))
        await self._ready.wait()
        self._check()
        member = Member(share, self._twins, self._members.discard)
        self._members.add(member)
        try:
            while True:
                yield await member.shares.next()
        finally:
            member.close()

    async def publish(self, out: Sequence[Record], *, everywhere: bool = False) -> None:
        entries = [self._names.entry_of(record) for record in out]
        if everywhere:
            entries = [replace(entry, partition=n) for entry in entries for n in range(self._names.count)]
        await self._until_ready()
        if entries:
            await self._publisher.publish(entries)

    async def read(self, topic: str, since: float = 0.0) -> AsyncIterator[Record]:
        full = self._names.of(topic)
        await self._until_ready()
        span = (since, self._names.clock.now())
        async with aclosing(history.read(self._link, topic, full, self._names.count, span)) as records:
            async for record in records:
                yield record

    async def state(self, group: str, prefix: bytes = b"") -> AsyncIterator[Row]:
        full = self._names.of(state_of(group))
        await self._until_ready()
        async with aclosing(history.rows(self._link, full, self._names.count, prefix)) as rows:
            async for row in rows:
                yield row

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(self._link.timing.start):
                await self._ready.wait()
        except TimeoutError:
            raise BusError(str(self._trouble)) from None
        self._check()

    def _check(self) -> None:
        if self._refused is not None:
            raise self._refused

    async def _tend(self) -> None:
        """Have the topics ready, then keep looking whether the cluster answers."""
        try:
            await self._prepare()
        except BusRefused as error:
            self._refused = error
            self._say(str(error))
            return
        finally:
            self._ready.set()
        known = frozenset[int]()
        while True:
            brokers = await self._publisher.brokers()
            self._say(None if brokers else await self._link.refusal() or f"no broker answers at {self._link.address}")
            if known and brokers and brokers != known:
                self._link.look_again()
            known = brokers or known
            await asyncio.sleep(self._link.timing.look)

    async def _prepare(self) -> None:
        pause = self._link.timing.pause
        while True:
            try:
                async with asyncio.timeout(self._link.timing.opening):
                    await prepare(self._link, self._wanted)
            except BusRefused:
                raise
            except (BusError, TimeoutError) as error:
                self._say(str(error) or f"no broker answers at {self._link.address}")
            else:
                self._say(None)
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._link.timing.longest_pause)

    def _say(self, trouble: str | None) -> None:
        """Log a change for the worse or the better, once."""
        if trouble != self._trouble:
            if trouble is None:
                log.info("bus_ready", address=self._link.address)
            else:
                log.warning("bus_not_ready", reason=trouble)
        self._trouble = trouble

    async def _close(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + CLOSE_WITHIN
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        for member in self._members:
            member.close()
        await asyncio.gather(*(member.closed(_PART_WITHIN) for member in list(self._members)))
        self._publisher.close()
        await self._link.settle(deadline - loop.time())
