"""Gauges that are brought up to date when somebody is about to look at them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from daemon.bus.memory import MemoryBus
from daemon.stage.hop import Effects, Fact, Scan, Table
from daemon.stage.partition import SURVEYED
from daemon.stage.runner import Stage
from tests.stage.hops import Echo
from tests.stage.world import World, virtually


def test_gauges_stand_as_leases_do() -> None:
    """Lag in records and seconds, and work in flight, are as at the moment of looking, also in the middle of a step."""

    async def story() -> None:
        world = World()
        await world.put("hold", "b", "c")
        await asyncio.sleep(100)
        seen: dict[str, float] = {}

        def observe(name: str, labels: Any = None, amount: float = 1.0) -> None:
            seen[name] = amount

        class Looking(Echo):
            def decide(self, item: str, table: Table, now: float) -> Effects:
                if item == "HOLD":
                    stage.measure()
                    during.update(seen)
                return super().decide(item, table, now)

        during: dict[str, float] = {}
        async with MemoryBus(world.store) as bus:
            stage = Stage(replace(world.kit(Looking(), records=1), observe=observe), bus)
            running = asyncio.create_task(stage.run())
            await world.until(3)
            stage.measure()
            assert during["rasid_hop_lag_records"] == 3
            assert during["rasid_hop_lag_seconds"] == pytest.approx(100.0, abs=1.0)
            assert (seen["rasid_hop_lag_records"], seen["rasid_hop_lag_seconds"], seen["rasid_hop_held"]) == (0, 0, 0)
            stage.stop()
            await running

    virtually(story())


def test_rows_are_surveyed_now_and_then() -> None:
    """What a hop says of its rows is told with the partition, once a minute however often one looks, and undone at the end."""

    async def story() -> None:
        world = World()
        await world.put("a", "b")
        told: list[tuple[str, float]] = []

        def observe(name: str, labels: Any = None, amount: float = 1.0) -> None:
            if name == "rasid_feeds":
                told.append((labels["partition"], amount))

        class Surveyed(Echo):
            def survey(self, scan: Scan, now: float) -> Sequence[Fact]:
                return [Fact("rasid_feeds", {"state": "ok"}, len(list(scan(b"count"))))]

        async with MemoryBus(world.store) as bus:
            stage = Stage(replace(world.kit(Surveyed()), observe=observe), bus)
            running = asyncio.create_task(stage.run())
            await world.until(2)
            for _ in range(3):
                stage.measure()
            assert told == [("0", 1)]
            await asyncio.sleep(SURVEYED)
            stage.measure()
            stage.stop()
            await running
        assert told == [("0", 1), ("0", 1), ("0", 0)]

    virtually(story())
