"""`rasid feeds poll` beside the running service, on both buses."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from daemon.config.models import KafkaSettings
from tests.bus.kafka_engine import settings
from tests.e2e.desk import install
from tests.e2e.service import command, running
from tests.servers.feeds import Answer, FeedServer, RssItem, feed_server, rss
from tests.servers.kafka import Cluster

WITHIN = 60.0
SELDOM = {"min_interval": "1h", "default_interval": "1h", "max_interval": "1h"}


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as made:
        made.publish("/good", rss([RssItem(guid="a", title="a")]))
        made.script("/many", Answer(status=429, headers={"Retry-After": "3600"}))
        made.script("/missing", Answer(status=404))
        yield made


async def poll(folder: Path, *arguments: str) -> tuple[int, Mapping[str, Any]]:
    code, out, err = await command(folder, "feeds", "poll", *arguments)
    return code, orjson.loads(out) if out else {"error": err}


async def carried_out(folder: Path, server: FeedServer, kafka: KafkaSettings | None) -> None:
    """A poll that goes well, one that fails, one that a site does not want, one that nobody waits for, one of nothing."""
    feeds = [{"id": name, "url": server.url(f"/{name}")} for name in ("good", "missing")]
    bus: Mapping[str, Any] = {"kind": "kafka", "kafka": kafka.model_dump(mode="json")} if kafka else {"kind": "embedded"}
    install(folder, feeds=feeds, polling=SELDOM, bus=bus)
    async with running(folder) as service, asyncio.timeout(3 * WITHIN):
        await server.wait_for("/good")
        await server.wait_for("/missing")
        code, told = await poll(folder, "good")
        assert (code, told["answer"], told["outcome"], told["items"]) == (0, "polled", "not_modified", 1)
        assert len(server.asked("/good")) == 2
        code, told = await poll(folder, "missing")
        assert (code, told["answer"], told["outcome"]) == (1, "polled", "not_found")
        code, told = await poll(folder, "good", "--no-wait")
        assert (code, told["answer"]) == (0, "sent")
        await server.wait_for("/good", 3)
        server.script("/good", Answer(status=429, headers={"Retry-After": "3600"}))
        code, told = await poll(folder, "good")
        assert (code, told["outcome"]) == (1, "too_many")
        code, told = await poll(folder, "good")
        assert (code, told["answer"], told["until"] is not None) == (1, "refused", True)
        assert len(server.asked("/good")) == 4
        code, told = await poll(folder, "goods")
        assert (code, "did you mean good?" in told["error"]) == (2, True)
        assert await service.stop() == 0


async def test_embedded(tmp_path: Path, server: FeedServer) -> None:
    """On the embedded bus."""
    await carried_out(tmp_path, server, None)


@pytest.mark.kafka
@pytest.mark.slow
async def test_kafka(tmp_path: Path, server: FeedServer, broker: Cluster) -> None:
    """The same over Kafka."""
    await carried_out(tmp_path, server, settings(broker))
