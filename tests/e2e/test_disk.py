"""The whole service on a disk that fills up: it says so, loses nothing it acknowledged, and goes on by itself."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from secrets import randbelow
from typing import Final

import orjson
import pytest

from tests.e2e.ledger import WATCHLIST, Ledger
from tests.e2e.service import Service, running
from tests.e2e.workplace import write
from tests.servers.feeds import feed_server
from tests.servers.hooks import HookServer

RESUMES_WITHIN: Final = 30.0
WITHIN: Final = 60.0
SMALL: Final = {"RASID_BUS__RETENTION__MAX_BYTES": "50000000"}

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system of its own can be mounted by root only")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(disk: Path) -> Path:
    """Until not a byte is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(shutil.disk_usage(disk).free or 1))
    return ballast


async def said(service: Service, words: str) -> None:
    """Until `/readyz` is false and speaks of the bus in these words."""
    async with asyncio.timeout(WITHIN):
        while words not in str((await ready(service))[1]):
            await asyncio.sleep(0.1)  # /readyz is looked at


async def ready(service: Service) -> tuple[int, str | None]:
    status, body = await service.get("/readyz")
    return status, orjson.loads(body)["parts"]["bus"]


async def resumed(service: Service) -> None:
    began = time.monotonic()
    async with asyncio.timeout(RESUMES_WITHIN):
        while (await ready(service))[0] != 200:
            await asyncio.sleep(0.1)  # /readyz is looked at
    print(f"ready again after {time.monotonic() - began:.1f} s")  # noqa: T201 - a figure
