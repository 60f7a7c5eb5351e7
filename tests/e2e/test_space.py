"""A disk that runs short under a running service: polling waits, the rest goes on, and polling resumes by itself."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson

from tests.disks import fill, free_bytes, small_disk
from tests.e2e.service import Service, json_lines, running
from tests.e2e.workplace import write
from tests.faults.balance import take_stock
from tests.faults.ledger import WATCHLIST, Ledger, keeping

FLOOR: Final = 20_000_000
SHORT: Final = {"RASID_BUS__EMBEDDED__MIN_FREE": "20MB"}


async def test_below_the_floor_and_back(tmp_path: Path) -> None:
    """Below the floor nothing is fetched and /readyz says why; what was on the bus is delivered; space brings the rest."""
    with small_disk(tmp_path / "disk", 64) as disk:
        async with keeping(tmp_path / "ledger", 2026, takes=0.05) as ledger:
            folder = write(disk / "desk", WATCHLIST, [ledger.feed()], ledger.sink.url)
            ledger.publish(30)
            async with running(folder, **SHORT) as service:
                await ledger.taken_more(60.0)
                ballast = fill(disk, FLOOR - 1_000_000)
                await service.event("polling_stopped")
                await _waits(service, ledger, folder)
                ballast.unlink()
                await service.event("polling_resumed")
                assert await ledger.taken_all(60.0), service.told()
                assert (await service.get("/readyz"))[0] == 200
                assert (await service.metrics())["rasid_polling_stopped"] == 0
                assert [entry["event"] for entry in service.log if "polling_" in entry["event"]] == [
                    "polling_stopped",
                    "polling_resumed",
                ]
                assert await service.stop() == 0, service.told()
            (await take_stock(ledger, folder)).holds(in_flight=0)


async def _waits(service: Service, ledger: Ledger, folder: Path) -> None:
    """Everything polled so far arrives, the feed is due and not asked for again, and /readyz names folder, bytes and floor."""
    asked = len(ledger.feeds.requests)
    ledger.publish(5)
    status, body = await service.get("/readyz")
    assert status == 503
    said = orjson.loads(body)["parts"]
    assert f"{folder / 'data'}: only " in said["bus"]
    assert f"the floor is {FLOOR}" in said["bus"]
    assert {part for part, trouble in said.items() if trouble} == {"bus"}
    assert free_bytes(folder) < FLOOR
    assert await ledger.taken_when(lambda: ledger.intake.count >= 30, within=60.0)
    (feed,) = await json_lines(folder, "feeds", "list", "--json")
    assert datetime.fromisoformat(feed["next_poll"]) < datetime.now(UTC)
    assert len(ledger.feeds.requests) <= asked + 1, "the poll that was under way"
    assert (await service.metrics())["rasid_polling_stopped"] == 1
