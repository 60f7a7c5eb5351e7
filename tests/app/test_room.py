"""Whether the bus has room: told once at each change, and polls wait for it."""

import asyncio

import pytest
from structlog.testing import capture_logs

from daemon.app.room import open_room
from daemon.metrics import Metrics


class Bus:
    """Says what the test wants of it."""

    shortage: str | None = None

    def asked(self) -> str | None:
        return self.shortage


@pytest.mark.virtual_time
async def test_each_change_is_told_once() -> None:
    """However long it lasts, a shortage is one event with its reason, and its end is one more; the metric says which it is."""
    bus, metrics = Bus(), Metrics()
    with capture_logs() as log:
        async with open_room(bus.asked, metrics.observe):
            for shortage, stopped in ((None, 0), ("7 bytes are free", 1), ("6 bytes are free", 1), (None, 0)):
                bus.shortage = shortage
                await asyncio.sleep(5)
                assert metrics.registry.get_sample_value("rasid_polling_stopped") == stopped
    assert [(entry["event"], entry.get("reason")) for entry in log] == [
        ("polling_stopped", "7 bytes are free"),
        ("polling_resumed", None),
    ]


@pytest.mark.virtual_time
async def test_who_waits() -> None:
    """With room nobody waits. Without it everybody does, from the very next poll on, until a second after it is back."""
    bus = Bus()
    async with open_room(bus.asked, Metrics().observe) as room:
        async with asyncio.timeout(0):
            await room.wait()
        bus.shortage = "7 bytes are free"
        waiting = [asyncio.create_task(room.wait()) for _ in range(3)]
        assert await asyncio.wait(waiting, timeout=60) == (set(), set(waiting))
        bus.shortage = None
        async with asyncio.timeout(1.5):
            await asyncio.gather(*waiting)
