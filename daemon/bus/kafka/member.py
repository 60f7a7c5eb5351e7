"""This process as a member of one group: its consumer, the partitions it is given, and a watch over both."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from daemon.bus.kafka.discard import leave_group, stop_consumer
from daemon.bus.kafka.link import translated
from daemon.bus.kafka.names import Group
from daemon.bus.kafka.shares import Shares
from daemon.bus.kafka.timing import milliseconds
from daemon.bus.kafka.twins import Twins
from daemon.errors import BusError, BusRefused

_NOBODY: Final = TopicPartition("", 0)
_FAILURES: Final = 3
log = structlog.get_logger()


class Member:
    """Joins, and joins again with a new consumer whenever the old one broke, until it is closed.

    With an instance name it is a static member: dying it keeps its place for a session, so that who comes back by that name in
    time moves no partitions of others; closing it leaves for good.
    """

    def __init__(self, group: Group, twins: Twins, gone: "Callable[[Member], None]") -> None:
        self.shares = Shares(group)
        self._group = group
        self._trouble: str | None = None
        self._twins = twins
        self._closing = asyncio.Event()
        self._running = asyncio.create_task(self._run())
        self._running.add_done_callback(lambda _: gone(self))

    @property
    def trouble(self) -> str | None:
        """What keeps this process from its part, in one sentence, or None."""
        return self._trouble or self.shares.trouble

    def close(self) -> None:
        """Ask holders to leave, and leave the group behind them; returns at once."""
        self.shares.close()
        self._closing.set()

    async def closed(self, within: float) -> None:
        """Wait until it is done, or break it off. For use after `close`."""
        await asyncio.wait({self._running}, timeout=within)
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        while not self._closing.is_set():
            try:
                await self._join()
            except BusRefused as error:
                self._trouble = str(error)
                self.shares.refuse(error)
                return
            except Exception as error:  # noqa: BLE001 - the boundary of one membership: another follows
                reason = translated(error, f"no part in group {self._group.ident}", self._group.link.address)
                self._trouble = str(reason)
                log.warning("group_left_by_error", group=self._group.name, reason=self._trouble)
                await self._pause(self._group.link.timing.heartbeat)

    async def _join(self) -> None:
        consumer = self._consumer()
        try:
            await self._serve(consumer)
            await self.shares.take_back()
        finally:
            self.shares.cut_off()
            self._group.link.discard(consumer, leave_group if self._closing.is_set() else stop_consumer)

    def _consumer(self) -> Any:
        timing = self._group.link.timing
        return self._group.link.consumer(
            group_id=self._group.ident,
            group_instance_id=self._group.link.settings.instance,
            session_timeout_ms=milliseconds(timing.session),
            heartbeat_interval_ms=milliseconds(timing.heartbeat),
            rebalance_timeout_ms=milliseconds(timing.rebalance),
            # What a leader does not know of the cluster is found out after so long at the latest.
            metadata_max_age_ms=60_000,
            # A broker answers one fetch at a time, and a partition that was not asked for in it waits so long at most.
            fetch_max_wait_ms=250,
            # aiokafka's own watch leaves the group and never comes back; ours is below.
            max_poll_interval_ms=2**31 - 1,
            # The assignor keeps its memory in its class: each consumer needs a class of its own.
            partition_assignment_strategy=[type("Sticky", (StickyPartitionAssignor,), {})],
        )

    async def _serve(self, consumer: Any) -> None:
        async with asyncio.timeout(self._group.link.timing.opening):
            await self._group.link.start(consumer)
            # A member that leads the group and does not know the topic yet would assign nothing to anybody.
            await consumer.beginning_offsets([TopicPartition(self._group.source, n) for n in range(self._group.names.count)])
        consumer.subscribe([self._group.source], listener=_Listener(self._group.name, self.shares, consumer, self._twins))
        self._trouble = None
        await self._watch(consumer)

    async def _watch(self, consumer: Any) -> None:
        """Look after the group until it is closed; raises `BusError` when the consumer is of no more use.

        After an error in the group aiokafka stands still until somebody calls `getmany`, which a member without partitions
        never does (aiokafka #1187). Asking for a partition that nobody has raises what is pending and takes no records.
        """
        timing = self._group.link.timing
        failures, stuck = 0, 0.0
        while failures < _FAILURES and stuck < timing.opening:
            if await self._pause(timing.heartbeat):
                return
            self._twins.check(self._group.name)
            try:
                async with asyncio.timeout(timing.heartbeat):
                    await consumer.getmany(_NOBODY)
            except TimeoutError:
                stuck += 2 * timing.heartbeat
            except Exception as error:  # noqa: BLE001 - the edge to aiokafka, which raises here whatever went wrong in it
                failures += 1
                self._trouble = str(translated(error, f"trouble in group {self._group.ident}", self._group.link.address))
                log.warning("group_in_trouble", group=self._group.name, reason=self._trouble)
            else:
                failures, stuck, self._trouble = 0, 0.0, None
        raise BusError("the consumer broke" if stuck < timing.opening else "the group cannot agree on who holds what")

    async def _pause(self, seconds: float) -> bool:
        """Wait, but not beyond the end; True when that has come."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return False
        return True


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka asks for its own, untyped class
    """What aiokafka calls around a rebalance."""

    def __init__(self, group: str, shares: Shares, consumer: Any, twins: Twins) -> None:
        self._group = group
        self._shares = shares
        self._consumer = consumer
        self._twins = twins

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002 - all are
        """Heartbeats go on meanwhile; but `getmany` would not return, so nobody may wait for it here."""
        if not self._member_id and self._twins.out_of_place(self._group):
            # Whoever returns from here joins again, and takes the place back from the twin.
            await asyncio.Event().wait()
        await self._shares.take_back()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Heartbeats stand still meanwhile: return at once."""
        self._twins.joined(self._group, self._member_id)
        self._consumer.pause(*assigned)
        self._shares.give(self._consumer, sorted(each.partition for each in assigned))

    @property
    def _member_id(self) -> str:
        """Empty while the group does not know us; aiokafka tells it nowhere else."""
        return str(self._consumer._coordinator.member_id)  # noqa: SLF001
