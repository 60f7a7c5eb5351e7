"""A static member is killed and comes back in time: the others must hardly notice.

Two members live here and commit all the time on what they hold; the third is a process, killed and started again.
"""

import asyncio
import itertools
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager, suppress
from time import monotonic
from typing import Final

from daemon.bus.base import Bus, Lease, Row, Step
from daemon.bus.kafka.timing import Timing
from daemon.bus.topics import ARTICLES, RAW
from daemon.config.models import KafkaSettings
from daemon.errors import BusError
from tests.bus import kafka_engine
from tests.bus.engine import GROUP, everything, lane_of, record
from tests.faults.run import Run
from tests.faults.scene import PATIENCE
from tests.servers.kafka import Cluster

_PARTITIONS: Final = 6
_BEAT: Final = 0.05
_AT_MOST: Final = 2.0


class Pulse:
    """The last commit on each partition that a living member holds, and how long a partition stood still."""

    def __init__(self) -> None:
        self.last: dict[int, float] = {}
        self._longest = 0.0

    def beat(self, partition: int) -> None:
        now = monotonic()
        self._longest = max(self._longest, now - self.last.get(partition, now))
        self.last[partition] = now

    def anew(self) -> None:
        self._longest = 0.0

    def longest(self) -> float:
        """Since `anew`; what stands still now, included."""
        now = monotonic()
        return max([self._longest, *(now - last for last in self.last.values())])


async def live(bus: Bus, pulse: Pulse) -> None:
    """Hold what is given and commit on it, until cancelled."""
    async with aclosing(bus.leases(RAW, GROUP)) as offers, asyncio.TaskGroup() as holders:
        async for offer in offers:
            holders.create_task(_hold(offer, pulse))


async def _hold(offer: AbstractAsyncContextManager[Lease], pulse: Pulse) -> None:
    with suppress(BusError):
        async with offer as lease:
            try:
                while not lease.leaving.is_set():
                    await lease.commit(Step(None, (), [Row("lane", b"beat", b"")]))
                    pulse.beat(lease.partition)
                    await asyncio.sleep(_BEAT)
            finally:
                if lease.leaving.is_set():
                    pulse.last.pop(lease.partition, None)


@asynccontextmanager
async def member(settings: KafkaSettings, instance: str, pulse: Pulse) -> AsyncIterator[Bus]:
    """With the timing of the service."""
    named = KafkaSettings.model_validate(dict(settings) | {"instance": instance})
    async with kafka_engine.bus(named, timing=Timing()) as bus:
        living = asyncio.create_task(live(bus, pulse))
        try:
            yield bus
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)


class Victim:
    """The third member: a process that copies from `articles.raw` to `articles` what the two do not hold."""

    def __init__(self, bus: Bus, settings: KafkaSettings, pulse: Pulse) -> None:
        self._bus = bus
        self._pulse = pulse
        place = (settings.topic_prefix, str(_PARTITIONS), *settings.bootstrap_servers)
        self._command = (sys.executable, "-m", "tests.bus.copying", "--instance", "victim", *place)
        self._numbers = itertools.count()

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(*self._command)

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def works(self, within: float) -> None:
        """Wait until every partition lives: the two's, and a record put now into each of the others has been copied."""
        try:
            async with asyncio.timeout(within):
                while not await self._copies():  # noqa: ASYNC110 - a process does it
                    await asyncio.sleep(_BEAT)
        except TimeoutError:
            raise AssertionError(
                f"the third member does not work within {within:g} s; the two have {[*self._pulse.last]}"
            ) from None

    async def _copies(self) -> bool:
        """Whether it copies from all partitions that the two do not hold; False, too, when these change meanwhile."""
        theirs = set(range(_PARTITIONS)) - self._pulse.last.keys()
        put = [record(next(self._numbers), lane_of(partition, self._bus)) for partition in sorted(theirs)]
        await self._bus.publish(put)
        while theirs == set(range(_PARTITIONS)) - self._pulse.last.keys():
            if {each.key for each in put} <= {each.key for each in await everything(self._bus, ARTICLES)}:
                return 0 < len(theirs) < _PARTITIONS
            await asyncio.sleep(_BEAT)
        return False


async def comeback(run: Run, batch: int = 20) -> None:
    """The experiment: `standstill` is the longest of any partition of the living, `return` from start to work of the third."""
    for numbers in run.batches(batch):
        async with AsyncExitStack() as stack:
            settings = KafkaSettings(
                bootstrap_servers=stack.enter_context(Cluster()).bootstrap_servers,
                topic_prefix=f"c{uuid.uuid4().hex[:12]}.",
                partitions=_PARTITIONS,
                replication_factor=1,
            )
            pulse = Pulse()
            first, _ = [await stack.enter_async_context(member(settings, name, pulse)) for name in ("first", "second")]
            victim = Victim(first, settings, pulse)
            await victim.start()
            stack.push_async_callback(victim.kill)
            await victim.works(PATIENCE)
            for number in numbers:
                await asyncio.sleep(run.chance(number).uniform(0.0, 3.0))
                await _trial(run, victim, pulse)


async def _trial(run: Run, victim: Victim, pulse: Pulse) -> None:
    held = set(pulse.last)
    pulse.anew()
    await victim.kill()
    began = monotonic()
    await victim.start()
    await victim.works(Timing().session)
    run.tally.note("return", monotonic() - began)
    run.tally.note("standstill", standstill := pulse.longest())
    assert set(pulse.last) == held
    assert standstill < _AT_MOST
