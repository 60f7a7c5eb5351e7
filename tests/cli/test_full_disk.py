"""Commands on a full disk: a sentence about the file that people named, and nothing half made."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from daemon.app.buses import open_beside, open_bus
from daemon.bus.base import Record
from daemon.bus.topics import RAW
from daemon.cli.main import main
from daemon.clock import WallClock
from daemon.config.load import load_config
from daemon.errors import BusError
from daemon.metrics import count_nothing
from tests.disks import fill, small_disk

BYTES = 3_000_000


async def filled(folder: Path) -> None:
    async with open_bus(
        load_config(folder / "config.yaml", {}), folder, clock=WallClock(), service=True, observe=count_nothing
    ) as bus:
        await bus.publish([Record(RAW, f"lane-{n}", b"%d" % n, os.urandom(BYTES // 30), 1.0) for n in range(30)])


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder; with a bus, another configuration whose bus would lie on a disk with little room, and that disk."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").touch()
    (tmp_path / "other.yaml").write_text("data_dir: disk/other\n")
    asyncio.run(filled(tmp_path))
    with small_disk(tmp_path / "disk", 16) as disk:
        fill(disk, BYTES // 2)
        yield disk


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        (("backup", "disk/deep/copy"), "disk/deep/copy/bus.sqlite"),
        (("move", "--to", "other.yaml"), "disk/other/bus.sqlite"),
    ],
    ids=["backup", "move"],
)
def test_what_is_said_and_left(arguments: Sequence[str], file: str, full: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The new file is named, by its own name; nobody waits for space; no part of it is left, and no folder made for it."""
    assert main(arguments) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert (
        err.removeprefix("rasid: ").removeprefix(f"{full.parent}/") == f"{file}: the disk is full: make space, then try again\n"
    )
    left = {path.name for path in full.rglob("*")} - {"ballast"}
    assert left <= {"other", "bus.sqlite.lock"}


def test_who_writes_beside_the_service(full: Path) -> None:
    """A command that puts something on the bus does not wait for space either."""
    folder = full / "run"
    folder.mkdir()
    (folder / "config.yaml").touch()
    (full / "ballast").unlink()
    asyncio.run(filled(folder))
    fill(full, BYTES // 2)

    async def publish() -> None:
        async with open_beside(load_config(folder / "config.yaml", {}), folder, WallClock()) as bus:
            for _ in range(10):
                await bus.publish([Record(RAW, "lane", b"k", os.urandom(BYTES // 3), 1.0)])

    with pytest.raises(BusError, match="make space, then try again"):
        asyncio.run(publish())
