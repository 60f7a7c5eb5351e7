"""Which partitions of a group this process has been given, and the offers it makes of them."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import structlog
from aiokafka import TopicPartition

from daemon.bus.kafka.names import Group
from daemon.bus.kafka.offer import Offer
from daemon.bus.kafka.restore import Kept
from daemon.bus.kafka.wanted import TOMBSTONES_KEPT
from daemon.errors import BusRefused, NewerRow

_ROWS_KEPT: Final = TOMBSTONES_KEPT / 2
log = structlog.get_logger()


class Shares:
    """At most one offer of a partition stands at a time. Rows stay cached here when a partition goes, as it often returns."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._timing = group.link.timing
        self._queue: asyncio.Queue[Offer | BusRefused] = asyncio.Queue()
        self._current: dict[int, Offer] = {}
        self._later: dict[int, asyncio.TimerHandle] = {}
        self._pauses: dict[int, float] = {}
        self._kept: dict[int, Kept] = {}
        self._failing: dict[int, str] = {}
        self._consumer: Any = None
        self._closed = False

    @property
    def trouble(self) -> str | None:
        """Why a partition that is ours cannot be opened, or None."""
        return next((text for number, text in self._failing.items() if not self._open(number)), None)

    def _open(self, partition: int) -> bool:
        offer = self._current.get(partition)
        return offer is not None and offer.lease is not None

    async def next(self) -> Offer:
        """The next offer that still stands. Raises `BusRefused`."""
        while True:
            offer = await self._queue.get()
            if isinstance(offer, BusRefused):
                raise offer
            if not offer.leaving.is_set():
                return offer

    def refuse(self, error: BusRefused) -> None:
        """There will be no more offers; `next` raises why."""
        self._queue.put_nowait(error)

    def give(self, consumer: Any, partitions: Iterable[int]) -> None:
        """These are ours now. Called while heartbeats stand still: does not wait for anything."""
        self._consumer = consumer
        if not self._closed:
            for partition in partitions:
                self._offer(partition)

    async def take_back(self) -> None:
        """None are ours any more: has every holder leave, and after a while cuts off those who have not."""
        self._cancel_later()
        held = self._ask_to_leave()
        try:
            async with asyncio.timeout(self._timing.leave):
                for offer in held:
                    await offer.over.wait()
        except TimeoutError:
            log.warning("holders_cut_off", group=self._group.name, count=sum(offer.held for offer in held))
        self.cut_off()

    def cut_off(self) -> None:
        """None are ours any more, at once: whoever still holds one can only leave it, without commit."""
        self._cancel_later()
        for partition, offer in self._current.items():
            if not offer.entered:
                self._kept[partition] = offer.kept
            offer.end()
        self._current.clear()
        self._failing.clear()

    def _cancel_later(self) -> None:
        for handle in self._later.values():
            handle.cancel()
        self._later.clear()

    def close(self) -> None:
        """Make no more offers and ask every holder to leave; returns at once."""
        self._closed = True
        self._ask_to_leave()

    def _ask_to_leave(self) -> list[Offer]:
        for offer in self._current.values():
            offer.leaving.set()
        return [offer for offer in self._current.values() if offer.held]

    def _offer(self, partition: int) -> None:
        self._later.pop(partition, None)
        kept = self._kept.pop(partition, None)
        if kept is None or self._group.names.clock.now() - kept.since > _ROWS_KEPT:
            kept = Kept()
        offer = Offer(self._group, self._consumer, partition, kept, self._left)
        self._current[partition] = offer
        self._queue.put_nowait(offer)

    def _left(self, offer: Offer) -> None:
        """Offer the partition again if it is still ours, after a pause that grows while errors follow each other."""
        partition = offer.partition
        if self._current.get(partition) is not offer:
            return
        del self._current[partition]
        self._kept[partition] = offer.kept
        if isinstance(offer.error, NewerRow):
            self.refuse(offer.error.at(f"{self._group.changelog}/{partition}"))
            return
        if self._closed or offer.leaving.is_set():
            return
        pause = self._pause(offer)
        self._consumer.pause(TopicPartition(self._group.source, partition))
        self._later[partition] = asyncio.get_running_loop().call_later(pause, self._offer, partition)

    def _pause(self, offer: Offer) -> float:
        error, lease = offer.error, offer.lease
        if error is None or (lease is not None and lease.progressed):
            self._pauses.pop(offer.partition, None)
        if lease is None and error is not None:
            self._failing[offer.partition] = str(error)
        else:
            self._failing.pop(offer.partition, None)
        if error is None:
            return 0.0
        pause = self._pauses.get(offer.partition, self._timing.pause)
        self._pauses[offer.partition] = min(2 * pause, self._timing.longest_pause)
        if lease is not None and lease.fenced:
            # It may be us who are out of date: a heartbeat will tell, before we fence the rightful holder.
            return max(pause, 2 * self._timing.heartbeat)
        return pause
