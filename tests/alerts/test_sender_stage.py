"""The sender under the real runner, on the memory bus, to a real server."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from alerts.channels.build import Outside, build_channels, channel_names
from alerts.sender import Sender
from alerts.sending import SendWorker
from daemon.bus.base import Record
from daemon.bus.memory import MemoryBus, MemoryStore
from daemon.bus.topics import ALERTS, OUTBOX
from daemon.clock import WallClock
from daemon.config.models import Receiver
from daemon.messages import wire
from daemon.messages.alert import Delivery, Message, Sent
from daemon.metrics import Metrics
from daemon.stage.partition import Kit
from daemon.stage.runner import Stage
from tests.alerts.samples import message
from tests.servers.hooks import HookServer, Say


def outboxed(value: bytes | None) -> Message:
    decoded = wire.decode(value)
    assert isinstance(decoded, Message)
    return decoded


class Service:
    """A sender stage that can be started and stopped over one store."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.clock = WallClock()
        self.store = MemoryStore(partitions=2, clock=self.clock)
        self.metrics = Metrics()
        self._receivers = [Receiver.model_validate({"name": f"r{n}", "webhook": {"url": url}}) for n in range(3)]
        self._outside = Outside(session, io.StringIO(), self.clock, Path())

    def publish(self, *ids: str) -> None:
        for number, id_ in enumerate(ids):
            sent = message(id_, receiver=f"r{number % 3}", found=self.clock.now())
            self.store.append([Record(OUTBOX, sent.receiver, id_.encode(), wire.encode(sent), self.clock.now())])

    async def run(self, journalled: int) -> list[Sent]:
        """Serve until the journal holds so many deliveries, then stop in good order; the journal's whole content."""
        worker = SendWorker(build_channels(self._receivers, self._outside))
        hop = Sender(channel_names(self._receivers))
        kit = Kit(hop, OUTBOX, outboxed, self.clock, self.metrics.observe, work=worker)
        async with MemoryBus(self.store) as bus:
            stage = Stage(kit, bus)
            running = asyncio.create_task(stage.run())
            async with asyncio.timeout(20):
                while len(delivered(await self.journal())) < journalled:  # noqa: ASYNC110 - the bus tells nobody
                    await asyncio.sleep(0.01)
            stage.stop()
            await running
        return await self.journal()

    async def journal(self) -> list[Sent]:
        entries = [wire.decode(entry.value) async for entry in MemoryBus(self.store).read(ALERTS)]
        return [entry for entry in entries if isinstance(entry, Sent)]


def delivered(journal: list[Sent]) -> list[str]:
    return [sent.message for sent in journal if sent.outcome is Delivery.DELIVERED]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_delivers_once_across_starts(session: aiohttp.ClientSession) -> None:
    """Over two starts every message arrives once, in each receiver's order, with nothing doubtful after a good stop."""
    async with HookServer() as server:
        server.script(Say(503))
        service = Service(server.url, session)
        service.publish(*(f"a{number:02}" for number in range(30)))
        await service.run(30)
        service.publish(*(f"b{number:02}" for number in range(30)))
        journal = await service.run(60)
        ids = [posted.headers["webhook-id"] for posted in server.posted]
    assert len(ids) == 61
    assert len(set(ids)) == 60
    for receiver in ("r0", "r1", "r2"):
        told = [sent.message for sent in journal if sent.receiver == receiver and sent.outcome is Delivery.DELIVERED]
        assert told == sorted(told)
    assert not any(sent.doubtful for sent in journal)
    counted = service.metrics.registry.get_sample_value("rasid_messages_total", {"channel": "webhook", "outcome": "delivered"})
    assert counted == 60
