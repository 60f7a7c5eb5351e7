"""`rasid backup` and `rasid restore` as people call them."""

import asyncio
import io
import sys
from pathlib import Path

import pytest

from daemon.app.buses import open_beside, open_bus
from daemon.bus.base import Record
from daemon.bus.topics import RAW
from daemon.cli.main import main
from daemon.cli.progress import Progress
from daemon.clock import WallClock
from daemon.config.load import load_config
from daemon.metrics import count_nothing


class Terminal(io.StringIO):
    """What was written to a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("data_dir: data\n")
    return path


async def publish(config: Path, key: bytes) -> None:
    settings = load_config(config, {})
    async with open_bus(settings, config.parent, clock=WallClock(), service=True, observe=count_nothing) as bus:
        await bus.publish([Record(RAW, "lane", key, b"v", 1.0)])


async def keys(config: Path) -> list[bytes]:
    settings = load_config(config, {})
    async with open_beside(settings, config.parent, WallClock()) as bus:
        return [record.key async for record in bus.read(RAW)]


def test_there_and_back(config: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A backup is made, refused a second time, restored by force only, and what it replaced is kept and named."""
    folder = config.parent / "copies" / "monday"
    arguments = [str(folder), "--config", str(config)]
    asyncio.run(publish(config, b"before"))
    assert main(["backup", *arguments]) == 0
    assert "checked" in capfd.readouterr().out
    assert main(["backup", *arguments]) == 1
    assert "overwrites nothing" in capfd.readouterr().err
    asyncio.run(publish(config, b"after"))
    assert main(["restore", *arguments]) == 1
    assert "--force" in capfd.readouterr().err
    assert asyncio.run(keys(config)) == [b"before", b"after"]
    assert main(["restore", *arguments, "--force"]) == 0
    said = capfd.readouterr()
    assert "bus.sqlite.replaced-" in said.out
    assert said.err == ""
    assert asyncio.run(keys(config)) == [b"before"]
    assert len(list((config.parent / "data").glob("bus.sqlite.replaced-*"))) == 1
    assert main(["restore", *arguments, "--force"]) == 0
    assert sorted((config.parent / "data").glob("bus.sqlite.replaced-*"))[1].name in capfd.readouterr().out


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_kafka_is_not_backed_up(config: Path, command: str, capfd: pytest.CaptureFixture[str]) -> None:
    """With Kafka both say that they are for the embedded bus, naming file and key."""
    config.write_text('bus: {kind: kafka, kafka: {bootstrap_servers: ["127.0.0.1:1"]}}\n')
    assert main([command, str(config.parent / "copy"), "--config", str(config)]) == 2
    assert "bus.kind" in capfd.readouterr().err
    assert not (config.parent / "copy").exists()


def test_progress_is_for_terminals() -> None:
    """A terminal sees one line that changes and then goes; anything else sees nothing."""
    for stream, seen in ((Terminal(), "\r\x1b[Kcopying 0 %\r\x1b[Kcopying 50 %\r\x1b[K"), (io.StringIO(), "")):
        progress = Progress(stream)
        for done in (0, 0, 1):
            progress("copying", done, 2)
        progress.close()
        assert stream.getvalue() == seen
    assert Progress()._stream is sys.stderr
