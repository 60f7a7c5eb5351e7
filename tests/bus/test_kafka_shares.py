"""Offers and consumers as a process makes them for itself: nothing here needs a broker."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import TopicPartition

from daemon.bus.base import Row
from daemon.bus.kafka.bus import KafkaBus
from daemon.bus.kafka.member import Member
from daemon.bus.kafka.names import Group
from daemon.bus.kafka.shares import Shares
from daemon.bus.kafka.wanted import TOMBSTONES_KEPT
from daemon.bus.topics import RAW
from daemon.config.models import KafkaSettings
from daemon.errors import Lost
from daemon.metrics import Metrics
from tests.bus.engine import GROUP

SETTINGS = KafkaSettings(bootstrap_servers=("127.0.0.1:9",), partitions=1)


class SetClock:
    """Says what it was set to."""

    def __init__(self) -> None:
        self.instant = 1000.0

    def now(self) -> float:
        return self.instant


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def group(clock: SetClock) -> Group:
    """The enricher's, on a cluster that does not answer."""
    bus = KafkaBus(SETTINGS, clock=clock, observe=Metrics().observe)
    return Group(bus._link, bus._names, RAW, GROUP, bus._observe)


@pytest.fixture
async def members(group: Group) -> AsyncIterator[list[Member]]:
    """Two of one program, as two hops have them."""
    bus = KafkaBus(SETTINGS, clock=SetClock(), observe=Metrics().observe)
    made = [Member(group, bus._twins, lambda _: None) for _ in range(2)]
    yield made
    for member in made:
        member.close()
        await member.closed(5.0)
    await group.link.settle()


@pytest.mark.parametrize(("away", "kept"), [(TOMBSTONES_KEPT / 2 - 1, True), (TOMBSTONES_KEPT / 2 + 1, False)])
async def test_rows_kept_too_long_are_read_anew(group: Group, clock: SetClock, away: float, *, kept: bool) -> None:
    """Rows kept while a partition was away for over half the time that deletions are remembered may miss one: not used."""
    shares = Shares(group)
    shares.give(None, [0])
    offer = await shares.next()
    offer.kept.rows.apply([Row("lane", b"row", b"v")])
    offer.kept.since = clock.now()
    shares.cut_off()
    clock.instant += away
    shares.give(None, [0])
    assert ((await shares.next()).kept.rows.get(b"row") is not None) == kept


async def test_an_offer_of_a_lost_partition_is_void(group: Group) -> None:
    """Who was offered a partition that went before it was entered must not open it: that would fence its rightful holder."""
    shares = Shares(group)
    shares.give(None, [0])
    offer = await shares.next()
    shares.cut_off()
    with pytest.raises(Lost):
        await offer.__aenter__()


async def test_every_consumer_has_an_assignor_of_its_own(members: list[Member]) -> None:
    """The assignor's memory is in its class: what one consumer was assigned, be it in another group, no other remembers."""
    one, other = [_assignor(member._consumer()) for member in members]
    one.on_assignment(_Assigned())
    assert one.member_assignment
    assert not other.member_assignment


async def test_a_member_that_reached_no_broker_closes(members: list[Member]) -> None:
    """Closed before it ever knew its group, a member drops its consumer: nothing is left open, nothing complains."""
    for member in members:
        member.close()
        await member.closed(5.0)


def _assignor(consumer: Any) -> Any:
    (assignor,) = consumer._partition_assignment_strategy
    consumer._closed = True  # it was never started: there is nothing to be stopped
    return assignor


class _Assigned:
    """What a group tells its member."""

    def partitions(self) -> list[TopicPartition]:
        return [TopicPartition(RAW, 0)]
