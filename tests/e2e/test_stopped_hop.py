"""A hop that stopped by itself: the service says so, and the other hops go on."""

import asyncio
from pathlib import Path

import orjson

from daemon.bus.base import Record
from daemon.bus.embedded import EmbeddedBus
from daemon.bus.topics import ARTICLES, OUTBOX, RAW
from daemon.clock import WallClock
from tests.e2e.service import running
from tests.e2e.workplace import records, write
from tests.faults.ledger import WATCHLIST, keeping

JUNK = 60


async def test_a_hop_that_stopped(tmp_path: Path) -> None:
    """/readyz fails with the hop's sentence alone; feeds are polled and enriched, what is queued is sent, it ends in order."""
    async with keeping(tmp_path / "ledger", 2026, takes=0.1) as ledger:
        folder = write(tmp_path, WATCHLIST, [ledger.feed()], ledger.sink.url)
        ledger.publish(30)
        async with running(folder) as service:
            await ledger.taken_more(60.0)
            await _until_there_are(folder, OUTBOX, 30)
            async with EmbeddedBus(folder / "data" / "bus.sqlite", clock=WallClock(), service=False) as bus:
                await bus.publish([Record(ARTICLES, "lane", b"junk", b"no message", 1.0) for _ in range(JUNK)])
            stopped = await service.event("hop_stopped", hop="matcher")
            status, body = await service.get("/readyz")
            parts = orjson.loads(body)["parts"]
            assert status == 503
            assert {part for part, trouble in parts.items() if trouble} == {"matcher"}
            assert stopped["reason"] in parts["matcher"]
            assert "could not be handled" in parts["matcher"]
            assert (await service.get("/healthz"))[0] == 200
            ledger.publish(5)
            await _until_there_are(folder, RAW, 35)
            await _until_there_are(folder, ARTICLES, 35 + JUNK)
            assert await ledger.taken_when(lambda: len(ledger.intake.links) == 30, within=60.0)
            assert await service.stop() == 0, service.told()


async def _until_there_are(folder: Path, topic: str, count: int) -> None:
    async with asyncio.timeout(60):
        while len((await records(folder, topic))[topic]) < count:  # noqa: ASYNC110 - another process fills it
            await asyncio.sleep(0.2)
