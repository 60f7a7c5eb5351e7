"""What the flow of articles measures, on a clock of the test's own."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.bus.kafka_engine import until
from tests.faults.flow import Flow
from tests.faults.ledger import Ledger, keeping


async def take(ledger: Ledger, number: int) -> None:
    """As a service would, have the sink take an article."""
    body = {"time": "2026-11-26T10:00:00Z", "data": {"url": ledger.links[number]}}
    async with (
        aiohttp.ClientSession() as session,
        session.post(ledger.sink.url, json=body, headers={"webhook-id": str(number)}) as answer,
    ):
        assert answer.status == 200


async def test_gap_and_delay(tmp_path: Path) -> None:
    """The gap lies between two arrivals; the delay is an article's own, and grows while it has not come."""
    now = 0.0
    async with keeping(tmp_path, 1) as ledger:
        flow = Flow(ledger, lambda: now)
        watching = asyncio.create_task(flow.watch())
        flow.publish(2)
        now = 3.0
        await take(ledger, 0)
        await until(lambda: flow.gap == 3.0)
        now = 7.0
        assert flow.delay == 7.0
        await take(ledger, 1)
        await until(lambda: flow.gap == 4.0)
        now = 9.0
        flow.publish(1)
        assert flow.delay == 7.0
        flow.anew()
        assert flow.delay == 0.0
        now = 10.0
        await take(ledger, 2)
        await until(lambda: (flow.gap, flow.delay) == (3.0, 1.0))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_what_does_not_come(tmp_path: Path) -> None:
    """Waiting for everything fails with the number of articles that did not come, and asks for no later ones."""
    async with keeping(tmp_path, 1) as ledger:
        flow = Flow(ledger)
        flow.publish(2)
        await take(ledger, 0)
        with pytest.raises(AssertionError, match=r"1 articles did not come in 0 s: .*/1'"):
            await flow.caught_up(0.0)
        catching_up = asyncio.create_task(flow.caught_up(10.0))
        await asyncio.sleep(0)
        flow.publish(1)
        await take(ledger, 1)
        await catching_up
