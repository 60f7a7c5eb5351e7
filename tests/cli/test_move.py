"""`rasid move` as people call it."""

import asyncio
from pathlib import Path

import pytest

from daemon.cli.main import main
from tests.bus.test_move import counted, engine, fill, place

KAFKA = 'bus: {kind: kafka, kafka: {bootstrap_servers: ["127.0.0.1:1"]}}\n'


async def filled(folder: Path) -> str:
    at = place(folder)
    async with engine(at) as bus:
        await fill(bus)
    return str(folder / "config.yaml")


async def check(folder: Path) -> None:
    async with engine(place(folder)) as bus:
        await counted(bus)


def test_counts_are_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What was moved is counted on stdout, and a file that was replaced is named."""
    old = asyncio.run(filled(tmp_path / "old"))
    place(tmp_path / "new")
    assert main(["move", "--config", old, "--to", str(tmp_path / "new" / "config.yaml"), "--partitions", "3"]) == 0
    assert capfd.readouterr().out.startswith("moved: ")
    assert main(["move", "--config", old, "--partitions", "2"]) == 0
    assert "bus.sqlite.replaced-" in capfd.readouterr().out
    for folder in ("old", "new"):
        asyncio.run(check(tmp_path / folder))


@pytest.mark.parametrize(
    ("old", "new", "options", "says"),
    [
        ("", "", [], "the same file"),
        ("", KAFKA, ["--partitions", "3"], "bus.kafka.partitions"),
        (KAFKA, KAFKA, [], "the same topics"),
        ("", "", ["--partitions", "0"], "--partitions"),
    ],
)
def test_what_makes_no_sense(
    tmp_path: Path, old: str, new: str, options: list[str], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and what to do instead, before anything is opened."""
    for name, text in (("old", old), ("new", new)):
        (tmp_path / f"{name}.yaml").write_text(text or "data_dir: data\n")
    assert main(["move", "--config", str(tmp_path / "old.yaml"), "--to", str(tmp_path / "new.yaml"), *options]) == 2
    assert says in capfd.readouterr().err
    assert not (tmp_path / "data").exists()
