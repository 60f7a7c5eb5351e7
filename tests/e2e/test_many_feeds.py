"""Many feeds in one service, judged by the log of the server that holds them (feeds 8, 9 and 15)."""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from benchmarks.many_feeds import megabytes, write
from tests.e2e.service import running
from tests.servers.crowd import crowd, manners

FEEDS: Final = 1_000
SITES: Final = 250
INTERVAL: Final = 45.0
GAP: Final = 1.0
MEMORY: Final = 400.0
WITHIN: Final = 200.0


@pytest.mark.slow
async def test_a_thousand_feeds_are_polled_on_schedule_and_politely(tmp_path: Path) -> None:
    """Feeds 8 and 15: each is polled again within an interval of its time; no site is asked twice at once, nor too soon."""
    with crowd(items=8) as server:
        write(tmp_path, server.port, feeds=FEEDS, sites=SITES, interval=INTERVAL, gap=GAP)
        async with running(tmp_path) as service, asyncio.timeout(WITHIN):
            await service.event("started", 60)
            while (seen := manners(server.visits(), INTERVAL)).again < FEEDS:  # noqa: ASYNC110 - another process's log
                await asyncio.sleep(1.0)
            memory = megabytes(service.process.pid, "VmHWM")
    assert seen.feeds == FEEDS
    assert seen.most_at_once == 1
    assert seen.gap >= GAP
    assert seen.lag(1) < INTERVAL
    assert memory < MEMORY
