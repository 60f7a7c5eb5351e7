"""Ctrl-C at a command, early and late: no traceback, 130, and nothing half done."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from daemon.app.buses import open_bus
from daemon.bus.base import Record
from daemon.bus.topics import RAW
from daemon.clock import WallClock
from daemon.config.load import load_config
from daemon.metrics import count_nothing
from tests.e2e.service import copy_starter, environment

COMMANDS = (
    ("check",),
    ("alerts", "list"),
    ("feeds", "list"),
    ("deadletter", "replay", "--hop", "matcher"),
    ("backup", "copy"),
    ("restore", "copy"),
    ("move", "--partitions", "2"),
)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


async def start(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    """A command that tells on stderr of each module as it is imported."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "importtime", "-m", "daemon", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env=environment(),
    )


async def interrupted_at(process: asyncio.subprocess.Process, module: str) -> tuple[int, str]:
    """Ctrl-C as soon as the module is imported; gives the exit code and what was said then."""
    assert process.stderr is not None
    async with asyncio.timeout(60):
        async for line in process.stderr:
            if line.split(b"|")[-1].strip() == module.encode():
                break
        else:
            raise AssertionError(f"{module} is not imported")
        process.send_signal(signal.SIGINT)
        said = [line async for line in process.stderr if not line.startswith(b"import time:")]
        return await process.wait(), b"".join(said).decode()


@pytest.mark.parametrize("module", ["click.core", "daemon.cli.main", "daemon.config.models"])
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
async def test_while_it_starts(tmp_path: Path, arguments: Sequence[str], module: str) -> None:
    """A command that is still being imported ends at once, without a word."""
    before = names(copy_starter(tmp_path))
    process = await start(tmp_path, *arguments)
    assert await interrupted_at(process, module) == (130, "")
    assert names(tmp_path) == before


async def filled(folder: Path) -> Path:
    """A bus of some size in the folder, which takes a while to copy."""
    config = folder / "config.yaml"
    config.touch()
    async with open_bus(load_config(config, {}), folder, clock=WallClock(), service=True, observe=count_nothing) as bus:
        for _ in range(10):
            await bus.publish([Record(RAW, f"lane-{n}", b"%d" % n, os.urandom(200_000), 1.0) for n in range(100)])
    return folder


@pytest.mark.parametrize("arguments", [("backup", "data/copy"), ("move", "--partitions", "2")], ids=" ".join)
async def test_at_work(tmp_path: Path, arguments: Sequence[str]) -> None:
    """A command that is copying takes away what it had made, and the bus stays as it was."""
    folder = await filled(tmp_path)
    process = await start(folder, *arguments)
    async with asyncio.timeout(60):
        while not list(folder.rglob("*.part")):  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.001)
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    said = [line for line in err.splitlines() if line and not line.startswith(b"import time:")]
    assert (process.returncode, said) == (130, [])
    assert names(folder) <= {"config.yaml", "bus.sqlite", "bus.sqlite.lock"}
