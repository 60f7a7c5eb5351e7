"""A bus between a process and the memory engine that is slow, fails, and at which processes die: before, in and after commits.

What a failed commit did is drawn, as it is with a broker: nothing, or all of it.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Final, NoReturn

from daemon.bus.base import Lease, Record, Row, Rows, Step
from daemon.bus.memory import MemoryBus
from daemon.bus.topics import OUTBOX
from daemon.errors import BusError
from tests.simulation.answers import Answers

_STALE: Final = 0.5
"""Seconds for which a lag is not counted anew."""


class Fate(Enum):
    """How a commit ends."""

    WELL = "well"
    REFUSED = "refused"
    UNHEARD = "unheard"
    """It succeeded, and the caller is told that it failed."""
    DEATH_BEFORE = "death before"
    DEATH_AFTER = "death after"


@dataclass(frozen=True, slots=True)
class Weather:
    """Seconds that a take and each half of a commit may last, and in how many commits of a thousand each fate is met."""

    slowest: float = 0.0
    failing: int = 0
    deadly: int = 0

    def fate(self, chance: random.Random) -> Fate:
        drawn = chance.randrange(1000)
        if drawn < self.failing:
            return chance.choice((Fate.REFUSED, Fate.UNHEARD))
        if drawn < self.failing + self.deadly:
            return chance.choice((Fate.DEATH_BEFORE, Fate.DEATH_AFTER))
        return Fate.WELL


class RoughBus:
    """Implements `Bus`. `die` kills the process at once; `committing` are the commits under way."""

    def __init__(
        self,
        inner: MemoryBus,
        chance: random.Random,
        weather: Callable[[], Weather],
        die: Callable[[], None],
        answers: Answers,
    ) -> None:
        self._inner = inner
        self.chance = chance
        self.weather = weather
        self.die = die
        self.answers = answers
        self.committing = 0
        self._sending: set[_RoughLease] = set()

    def partitions(self, topic: str) -> int:
        return self._inner.partitions(topic)

    async def leases(self, topic: str, group: str) -> AsyncGenerator[AbstractAsyncContextManager[Lease], None]:
        async with aclosing(self._inner.leases(topic, group)) as offers:
            async for offer in offers:
                yield self._held(offer, topic)

    @asynccontextmanager
    async def _held(self, offer: AbstractAsyncContextManager[Lease], topic: str) -> AsyncIterator[Lease]:
        async with offer as lease:
            self.meet_trouble(lease)
            self.answers.open()
            rough = _RoughLease(lease, self)
            if topic == OUTBOX:
                self._sending.add(rough)
            try:
                yield rough
            finally:
                self.end(rough, asyncio.get_running_loop().time())

    def crash(self, ran_until: float) -> None:
        """The process is killed; it ran until then."""
        for lease in list(self._sending):
            self.end(lease, ran_until)
        self._inner.crash()

    def end(self, lease: "_RoughLease", now: float) -> None:
        """What its last step asked for has begun when time has passed since the step was known to stand."""
        if lease in self._sending:
            self._sending.discard(lease)
            self.answers.unsure += lease.stood_at >= now

    async def publish(self, out: Sequence[Record], *, everywhere: bool = False) -> None:
        await self._inner.publish(out, everywhere=everywhere)

    def read(self, topic: str, since: float = 0.0) -> AsyncIterator[Record]:
        return self._inner.read(topic, since)

    def state(self, group: str, prefix: bytes = b"") -> AsyncIterator[Row]:
        return self._inner.state(group, prefix)

    def meet_trouble(self, lease: Lease) -> None:
        if self.chance.randrange(1000) < self.weather().failing:
            raise BusError("the bus cannot be read now", subject=str(lease.partition))

    async def linger(self) -> None:
        await asyncio.sleep(self.chance.uniform(0.0, self.weather().slowest))


class _RoughLease:
    """Implements `Lease`."""

    def __init__(self, inner: Lease, bus: RoughBus) -> None:
        self.partition = inner.partition
        self.partitions = inner.partitions
        self.position = inner.position
        self.leaving = inner.leaving
        self.rows: Rows = inner.rows
        self._inner = inner
        self._bus = bus
        self._broken = False
        self._busy = False
        self.stood_at = float("-inf")
        """When the caller heard that its last step stands, in seconds of the loop; infinite while only the store knows."""
        self._asked, self._lag = float("-inf"), 0

    async def take(self, limit: int) -> Sequence[Record]:
        await self._bus.linger()
        self._bus.meet_trouble(self)
        return await self._inner.take(self._bus.chance.randint(1, limit))

    def lag(self) -> int:
        """As it was a while ago, which is a bound from below, too."""
        now = asyncio.get_running_loop().time()
        if now >= self._asked + _STALE:
            self._asked, self._lag = now, self._inner.lag()
        return min(self._lag, self._inner.lag())

    async def commit(self, step: Step) -> None:
        if self._busy or self._broken:
            raise AssertionError("steps must not overlap, and after a failed one the lease must be left")
        self._busy = self._broken = True
        self._bus.committing += 1
        try:
            await self._commit(step)
        finally:
            self._busy = False
            self._bus.committing -= 1
        self._broken = False

    async def _commit(self, step: Step) -> None:
        fate = self._bus.weather().fate(self._bus.chance)
        known = self._bus.answers.known() if step.out else ()
        await self._bus.linger()
        if fate is Fate.DEATH_BEFORE:
            await self._death()
        if fate is Fate.REFUSED:
            raise BusError("the commit failed", subject=str(self.partition))
        await self._inner.commit(step)
        self._bus.answers.heard.update(known)
        self.stood_at = float("inf")
        if fate is Fate.DEATH_AFTER:
            await self._death()
        await self._bus.linger()
        if fate is Fate.UNHEARD:
            raise BusError("the answer to the commit was lost", subject=str(self.partition))
        self.stood_at = asyncio.get_running_loop().time()

    async def _death(self) -> NoReturn:
        self._bus.die()
        await asyncio.Event().wait()
        raise AssertionError("the dead do not wake")
