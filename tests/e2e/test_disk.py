"""The whole service on a disk that fills up: it says so, loses nothing it acknowledged, and goes on by itself."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from secrets import randbelow
from typing import Final

import orjson
import pytest

from tests.disks import small_disk
from tests.e2e.service import Service, running
from tests.e2e.workplace import write
from tests.faults.balance import take_stock
from tests.faults.ledger import WATCHLIST, Ledger, keeping

RESUMES_WITHIN: Final = 30.0
WITHIN: Final = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 160 MB: the service wants 100 of them free."""
    with small_disk(tmp_path / "disk", 160) as folder:
        yield folder


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    async with keeping(tmp_path / "ledger", randbelow(2**32)) as ledger:
        yield ledger


def fill(disk: Path) -> Path:
    """Until not a byte is left."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(min(1 << 24, shutil.disk_usage(disk).free) or 1))
    assert shutil.disk_usage(disk).free == 0
    return ballast


async def bus_says(service: Service) -> tuple[int, str | None]:
    status, body = await service.get("/readyz")
    return status, orjson.loads(body)["parts"]["bus"]


async def not_ready(service: Service, words: str) -> None:
    """Until `/readyz` fails and says so of the bus."""
    async with asyncio.timeout(WITHIN):
        while (said := await bus_says(service))[0] != 503 or words not in str(said[1]):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert (await service.get("/healthz"))[0] == 200


async def resumed(service: Service, ledger: Ledger) -> None:
    """Until it is ready and the sink has everything; in time."""
    began = time.monotonic()
    async with asyncio.timeout(RESUMES_WITHIN):
        while (await bus_says(service))[0] != 200:  # noqa: ASYNC110 - /readyz is looked at
            await asyncio.sleep(0.1)
    print(f"ready {time.monotonic() - began:.1f} s after there was space")  # noqa: T201 - a figure
    assert await ledger.taken_all(WITHIN), service.told()


async def test_it_fills_up_while_running(tmp_path: Path, disk: Path, ledger: Ledger) -> None:
    """Twice: readiness fails and says why, nothing acknowledged is lost or doubled, and all goes on by itself."""
    folder = write(disk / "run", WATCHLIST, [ledger.feed()], ledger.sink.url)
    async with running(folder) as service:
        for _ in range(2):
            ledger.publish(20)
            await ledger.taken_more(WITHIN)
            ballast = fill(disk)
            ledger.publish(20)
            await not_ready(service, "the disk is full")
            ballast.unlink()
            await resumed(service, ledger)
        assert await service.stop() == 0, service.told()
    (await take_stock(ledger, folder)).holds(in_flight=2)


@pytest.mark.parametrize("begun", [False, True])
async def test_it_starts_on_a_full_disk(tmp_path: Path, disk: Path, ledger: Ledger, *, begun: bool) -> None:
    """With a file or without, it stays up and says what it waits for, ends when asked to, and begins once there is space."""
    folder = write(disk / "run", WATCHLIST, [ledger.feed()], ledger.sink.url)
    if begun:
        ledger.publish(10)
        async with running(folder) as service:
            assert await ledger.taken_all(WITHIN), service.told()
            await service.kill()
    ballast = fill(disk)
    ledger.publish(10)
    async with running(folder) as service:
        await not_ready(service, "the disk is full")
        assert await service.stop() == 0, service.told()
    async with running(folder) as service:
        await not_ready(service, "the disk is full")
        ballast.unlink()
        await resumed(service, ledger)
        assert await service.stop() == 0, service.told()
    (await take_stock(ledger, folder)).holds(in_flight=1)
