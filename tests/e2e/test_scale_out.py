"""Several pollers on Kafka share the feeds by site; when one is killed, its feeds move to the others, each in its time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import time
from typing import Final

import pytest
from aiohttp import web

from daemon.bus.topics import partition_of
from daemon.feeds.rows import FEED, FeedRow, decode, feed_of
from tests.bus.kafka_engine import settings
from tests.e2e.desk import install
from tests.e2e.service import Service, running
from tests.e2e.workplace import beside
from tests.servers.feeds import RssItem, rss
from tests.servers.kafka import Cluster

PARTITIONS: Final = 6
SESSION: Final = 20.0
"""Seconds after which Kafka gives the partitions of a silent process to others."""
OFTEN, SELDOM = "2s", "40s"
TAKES: Final = 0.3
"""Seconds that an answer takes, so that two at once would be seen."""


@dataclass
class Asked:
    """One request as the server saw it."""

    feed: str
    began: float
    ended: float | None = None


class Sites:
    """Servers on addresses of their own, which are sites of their own: one for each partition."""

    def __init__(self) -> None:
        self.log: dict[str, list[Asked]] = {address: [] for address in _one_a_partition()}
        self.ports: dict[str, int] = {}

    def feeds(self) -> list[Mapping[str, str]]:
        return [
            {"id": f"{kind}-{address}", "url": f"http://{address}:{port}/{kind}-{address}", "interval": interval}
            for address, port in self.ports.items()
            for kind, interval in (("often", OFTEN), ("seldom", SELDOM))
        ]

    def of(self, feed: str) -> list[Asked]:
        return [asked for asked in self.log[feed.partition("-")[2]] if asked.feed == feed]

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = Asked(request.path[1:], time())
        self.log[str(request.url.host)].append(asked)
        await asyncio.sleep(TAKES)  # a server that thinks
        asked.ended = time()
        return web.Response(body=rss([RssItem(guid="a", title="a")]), content_type="application/rss+xml")


def _one_a_partition() -> list[str]:
    found: dict[int, str] = {}
    for last in range(2, 255):
        found.setdefault(partition_of(f"127.0.0.{last}", PARTITIONS), f"127.0.0.{last}")
    return list(found.values())


@asynccontextmanager
async def serving() -> AsyncIterator[Sites]:
    sites = Sites()
    server = web.Server(sites.answer)
    loop = asyncio.get_running_loop()
    listeners = {address: await loop.create_server(server, address, 0) for address in sites.log}
    sites.ports = {address: listener.sockets[0].getsockname()[1] for address, listener in listeners.items()}
    try:
        yield sites
    finally:
        for listener in listeners.values():
            listener.close()
        server.pre_shutdown()
        await server.shutdown(1.0)


async def stored(folder: Path) -> dict[str, float]:
    """When each feed is due, as committed."""
    async with beside(folder) as bus:
        rows = [row async for row in bus.state("poller") if row.key.startswith(FEED)]
    return {feed_of(row.key): decode(FeedRow, row.value).next_at for row in rows}


async def shared(pollers: list[Service]) -> bool:
    """Whether each process holds partitions, and all are held."""
    held = [(await poller.metrics()).get('rasid_leases{hop="poller"}', 0.0) for poller in pollers]
    return all(held) and sum(held) == PARTITIONS


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_poller_that_is_killed(tmp_path: Path, broker: Cluster) -> None:
    """Its feeds are polled by others within three sessions, none before its stored time, and no site ever has two requests."""
    async with serving() as sites, AsyncExitStack() as stack:
        kafka = settings(broker, partitions=PARTITIONS).model_dump(mode="json")
        polling = {"max_interval": "1m", "allow_addresses": ["127.0.0.0/8"]}
        install(tmp_path, feeds=sites.feeds(), polling=polling, bus={"kind": "kafka", "kafka": kafka})
        pollers = [await stack.enter_async_context(running(tmp_path, "--role", "poller")) for _ in range(3)]
        async with asyncio.timeout(4 * SESSION):
            await asyncio.gather(*(poller.event("started", 4 * SESSION) for poller in pollers))
            while not await shared(pollers):  # noqa: ASYNC110 - nobody announces it
                await asyncio.sleep(0.5)
            await _all_asked(sites, time())
        await pollers[0].kill()
        killed_at = time()
        due, looked_at = await stored(tmp_path), time()
        moved = await asyncio.wait_for(_all_asked(sites, killed_at + 1.0), 3 * SESSION)
        async with asyncio.timeout(3 * SESSION):
            while not await shared(pollers[1:]):  # noqa: ASYNC110 - nobody announces it
                await asyncio.sleep(0.5)
        assert [await poller.stop() for poller in pollers[1:]] == [0, 0]
    assert sorted(due) == sorted(str(feed["id"]) for feed in sites.feeds())
    assert max(moved.values()) - killed_at > SESSION / 2, "no feed had to move"
    for feed, at in due.items():
        early = [asked for asked in sites.of(feed) if looked_at < asked.began < at]
        assert not early, (feed, at - early[0].began)
    for log in sites.log.values():
        for before, after in pairwise(log):
            assert (before.ended or float("inf")) <= after.began, (before, after)


async def _all_asked(sites: Sites, since: float) -> dict[str, float]:
    """When each feed that is polled often was asked first after an instant."""
    often = [str(feed["id"]) for feed in sites.feeds() if feed["interval"] == OFTEN]
    while True:
        first = {feed: next((asked.began for asked in sites.of(feed) if asked.began > since), None) for feed in often}
        found = {feed: at for feed, at in first.items() if at is not None}
        if len(found) == len(often):
            return found
        await asyncio.sleep(0.2)
