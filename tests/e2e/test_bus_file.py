"""`rasid run` on a bus file that cannot be used: one sentence that names it, exit 1, and the file stays as it was."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import apsw
import pytest

from daemon.bus.embedded.schema import connect_writer
from tests.disks import small_disk
from tests.e2e.desk import install
from tests.e2e.service import command

PAGE: Final = 16384


def newer(file: Path) -> None:
    with apsw.Connection(str(file)) as db:
        db.pragma("user_version", 99)


def cut(size: int) -> Callable[[Path], None]:
    return lambda file: os.truncate(file, size if size > 0 else file.stat().st_size + size)


HARMS: Final[tuple[tuple[str, Callable[[Path], None], str], ...]] = (
    ("newer", newer, "the file's format 99 is newer than this version of Rasid knows; run a newer one"),
    ("cut-in-its-header", cut(50), "the file is damaged ("),
    ("cut-to-a-page", cut(PAGE), "the file is damaged ("),
    ("cut-by-a-page", cut(-PAGE), "the file is damaged ("),
    ("cut-by-a-byte", cut(-1), "the file is damaged ("),
)


async def refused(folder: Path) -> str:
    """The one sentence of a start that fails."""
    code, out, err = await command(folder, "run")
    said = [line for line in err.splitlines() if not line.startswith("{")]
    assert (code, out, len(said)) == (1, "", 1), err
    assert "bus.sqlite: " in said[0]
    return said[0]


async def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    """A newer version's, or one cut short anywhere, is refused and left as it was."""
    for name, harm, _ in HARMS:
        file = install_bus(tmp_path / name)
        harm(file)
    before = {name: bus_of(tmp_path / name).read_bytes() for name, _, _ in HARMS}
    said = await asyncio.gather(*(refused(tmp_path / name) for name, _, _ in HARMS))
    for (name, _, words), sentence in zip(HARMS, said, strict=True):
        assert words in sentence, name
        assert bus_of(tmp_path / name).read_bytes() == before[name]


def install_bus(folder: Path) -> Path:
    folder.mkdir()
    install(folder)
    file = bus_of(folder)
    file.parent.mkdir()
    connect_writer(file, None).close()
    return file


def bus_of(folder: Path) -> Path:
    return folder / "data" / "bus.sqlite"


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder with a bus, on a file system that may not be written."""
    with small_disk(tmp_path / "disk", 8) as disk:
        install_bus(disk / "run")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        yield disk / "run"


async def test_a_read_only_file_system(read_only: Path) -> None:
    """It is named as what is wrong."""
    assert (await refused(read_only)).endswith("the file cannot be opened or made there: Read-only file system")
