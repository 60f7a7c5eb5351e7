"""Runs one hop on every partition the bus gives this process, until it is stopped.

bus.leases ─▶ one task a lease ─▶ Partition.run       a lease that broke is offered again by the bus, after a pause
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Final, Generic, TypeVar

import structlog

from daemon.bus.base import Bus, Lease
from daemon.errors import BusError, Lost, RasidError, TooLarge
from daemon.stage.hop import Fact
from daemon.stage.partition import LAST_COMMITS, Kit, Partition, Standing
from daemon.stage.poison import DeadLetterRate, HopStopped
from daemon.stage.preparation import ExecutorGone

R = TypeVar("R")
P = TypeVar("P")
_STUCK: Final = 3
log = structlog.get_logger()


class Stage(Generic[R, P]):
    """One hop at work. `stopped` says why when the hop gave up by itself (see `HopStopped`)."""

    def __init__(self, kit: Kit[R, P], bus: Bus) -> None:
        self._kit = kit
        self._bus = bus
        self._rate = DeadLetterRate(kit.hop.name)
        self._held: dict[int, Partition[R, P]] = {}
        self._holding: set[asyncio.Task[None]] = set()
        self._excused: set[int] = set()
        self._end = asyncio.Event()
        self._broken: str | None = None
        self._failing: dict[int, tuple[int, str]] = {}
        self.stopped: str | None = None

    @property
    def name(self) -> str:
        return self._kit.hop.name

    @property
    def trouble(self) -> str | None:
        """Why the hop does not work, in one sentence, or None. A partition that broke is forgiven once others commit."""
        if self._broken is not None and self._held and all(partition.commits for partition in self._held.values()):
            self._broken = None
        return self.stopped or self._broken or next(self._stuck(), None)

    def reconcile(self) -> None:
        """Configuration was reloaded: every lease brings its rows in line."""
        for partition in self._held.values():
            partition.reconcile()

    def stop(self) -> None:
        """Leave every lease in good order; `run` then returns."""
        self._end.set()

    async def run(self) -> None:
        """Serve until `stop`. An engine that refuses (`BusRefused`) or a bug ends it by raising."""
        offers = asyncio.create_task(self._serve_offers())
        ending = asyncio.create_task(self._end.wait())
        try:
            await asyncio.wait({offers, ending}, return_when=asyncio.FIRST_COMPLETED)
            if offers.done():
                await offers
        finally:
            ending.cancel()
            offers.cancel()
            await asyncio.gather(offers, ending, return_exceptions=True)
            await self._drain()

    async def _serve_offers(self) -> None:
        async with aclosing(self._bus.leases(self._kit.topic, self.name)) as offers:
            async for offer in offers:
                holder = asyncio.create_task(self._hold(offer))
                self._holding.add(holder)
                holder.add_done_callback(self._holding.discard)

    async def _drain(self) -> None:
        """Holders outlive nothing: they leave in good order, or are ended, also when we are cancelled ourselves."""
        try:
            if self._holding:
                await asyncio.wait(self._holding, timeout=self._kit.limits.patience + LAST_COMMITS)
        finally:
            for holder in self._holding:
                holder.cancel()
            await asyncio.gather(*self._holding, return_exceptions=True)

    async def _hold(self, offer: AbstractAsyncContextManager[Lease]) -> None:
        try:
            async with offer as lease:
                await self._serve(lease)
        except Lost as error:
            self._left("lease_lost", error)
        except (BusError, TooLarge) as error:
            self._left("bus_failed", error)
        except HopStopped as error:
            self.stopped = str(error)
            log.critical("hop_stopped", hop=self.name, reason=error.reason)
            self.stop()
        except Exception as error:  # the boundary of one lease: it is offered again
            self._broken = f"a partition broke: {type(error).__name__}"
            log.exception("lease_broke", hop=self.name)
            self._kit.observe("rasid_leases_lost_total", {"hop": self.name})

    async def _serve(self, lease: Lease) -> None:
        number = lease.partition
        partition = Partition(self._kit, lease, self._rate)
        excused = number in self._excused
        self._excused.discard(number)
        self._held[number] = partition
        self._count()
        try:
            await partition.run(excused=excused)
        except (BusError, ExecutorGone) as error:
            self._excused.add(number)
            times = 0 if partition.commits else self._failing.get(number, (0, ""))[0]
            self._failing[number] = (times + 1, str(error))
            raise
        finally:
            if self._held.get(number) is partition:
                del self._held[number]
                self._tell(number, Standing())
                self._tell_facts(number, self._kit.hop.survey(lambda _prefix: (), self._kit.clock.now()))
            self._count()

    def _left(self, event: str, error: RasidError) -> None:
        log.warning(event, hop=self.name, reason=error.reason, subject=error.subject)
        self._kit.observe("rasid_leases_lost_total", {"hop": self.name})

    def _stuck(self) -> Iterator[str]:
        """Partitions that the bus has failed time and again, with nothing committed in between."""
        for number, (times, error) in self._failing.items():
            held = self._held.get(number)
            if times >= _STUCK and not (held and held.commits):
                yield f"partition {number} gets nowhere: {error}"

    def measure(self) -> None:
        """Set the gauges of what is held to how it stands now; to be called when somebody is about to look at them."""
        for number, partition in self._held.items():
            self._tell(number, partition.measure())
            self._tell_facts(number, partition.survey())

    def _tell(self, number: int, standing: Standing) -> None:
        place = {"hop": self.name, "partition": str(number)}
        self._kit.observe("rasid_hop_lag_records", place, standing.lag)
        self._kit.observe("rasid_hop_lag_seconds", place, standing.age)
        self._kit.observe("rasid_hop_held", place, standing.in_flight)

    def _tell_facts(self, number: int, facts: Sequence[Fact]) -> None:
        for fact in facts:
            self._kit.observe(fact.metric, {**fact.labels, "partition": str(number)}, fact.amount)

    def _count(self) -> None:
        self._kit.observe("rasid_leases", {"hop": self.name}, len(self._held))
