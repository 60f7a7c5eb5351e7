"""`rasid deadletter` over a real bus: what was set aside can be found, looked at and put back."""

import asyncio
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.app.buses import open_beside, open_bus
from daemon.bus.base import MAX_BYTES, Record
from daemon.bus.topics import DEADLETTER, MATCHES, RAW
from daemon.cli.main import main
from daemon.clock import WallClock
from daemon.config.load import load_config
from daemon.metrics import count_nothing
from daemon.stage.graveyard import Grave, dead_letter, unearth

BAD = Record(RAW, "site.example", b"a1", b"\xffnot a message", 100.0, offset=7)
WORSE = Record(MATCHES, "iraq", b"m1", b'{"kind":"match","v":9}', 200.0, offset=3)
LETTERS = (
    dead_letter(BAD, Grave(1, "enricher"), "undecodable", "not a message", 110.0),
    dead_letter(WORSE, Grave(2, "alerter"), "undecodable", "version 9", 210.0),
    dead_letter(WORSE, Grave(2, "alerter"), "undecodable", "version 9", 211.0),
)


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("data_dir: data\n")
    asyncio.run(_publish(path, LETTERS))
    return path


async def _publish(path: Path, records: Sequence[Record]) -> None:
    config = load_config(path, {})
    async with open_bus(config, path.parent, clock=WallClock(), service=True, observe=count_nothing) as bus:
        await bus.publish(records)


async def _read(path: Path, topic: str) -> list[Record]:
    config = load_config(path, {})
    async with open_beside(config, path.parent, WallClock()) as bus:
        return [record async for record in bus.read(topic)]


def listed(config: Path, capfd: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    assert main(["deadletter", "list", "--config", str(config), *arguments]) == 0
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_letters_are_listed_once_each(config: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Oldest first, where each record stood and why it was given up; a letter written twice is one."""
    lines = listed(config, capfd)
    assert [(line["hop"], line["topic"], line["offset"], line["lane"]) for line in lines] == [
        ("enricher", RAW, 7, "site.example"),
        ("alerter", MATCHES, 3, "iraq"),
    ]
    assert listed(config, capfd, "--hop", "alerter") == lines[1:]


def test_a_letter_shows_its_bytes(config: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """`show` gives the record's bytes as they came, and says the rest on stderr."""
    assert main(["deadletter", "show", unearth(LETTERS[0]).id, "--config", str(config)]) == 0
    said = capfdbinary.readouterr()
    assert said.out == BAD.value
    assert b"enricher" in said.err


@pytest.mark.parametrize("by_hop", [True, False])
def test_a_letter_is_put_back_where_it_came_from(config: Path, *, by_hop: bool) -> None:
    """`replay` publishes the same lane, key and bytes on the topic of the hop that gave the record up."""
    chosen = ["--hop", "alerter"] if by_hop else [unearth(LETTERS[1]).id]
    assert main(["deadletter", "replay", "--config", str(config), *chosen]) == 0
    (record,) = asyncio.run(_read(config, MATCHES))
    assert (record.lane, record.key, record.value) == (WORSE.lane, WORSE.key, WORSE.value)
    assert asyncio.run(_read(config, RAW)) == []


@pytest.fixture(name="failed_again")
def _failed_again(tmp_path: Path) -> Path:
    """A bus with the letters of a record that was put back twice and failed each time, and one of another record."""
    path = tmp_path / "config.yaml"
    path.write_text("data_dir: data\n")
    again = [dead_letter(replace(WORSE, offset=offset), Grave(2, "alerter"), "raised", "x", 300.0) for offset in (4, 5)]
    asyncio.run(_publish(path, [*LETTERS, *again]))
    return path


@pytest.mark.parametrize("by_hop", [True, False])
def test_a_record_that_fails_again_is_put_back_once(
    failed_again: Path, capfd: pytest.CaptureFixture[str], *, by_hop: bool
) -> None:
    """Each failure of a record is a letter of its own, where it stood then; `replay` puts one record back for all of them."""
    ids = [str(line["id"]) for line in listed(failed_again, capfd, "--hop", "alerter")]
    chosen = ["--hop", "alerter"] if by_hop else ids
    assert len(ids) == 3
    assert main(["deadletter", "replay", "--config", str(failed_again), *chosen]) == 0
    assert [record.value for record in asyncio.run(_read(failed_again, MATCHES))] == [WORSE.value]


def test_letters_of_one_record_are_recognised(failed_again: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`record` is the same in all letters of one record, and of no other."""
    bad, *worse = [line["record"] for line in listed(failed_again, capfd)]
    assert len(worse) == 3
    assert set(worse) == {worse[0]} != {bad}


def test_table_on_a_terminal(failed_again: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A line a letter below the headings; an earlier one says that its record lies there again."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["deadletter", "list", "--config", str(failed_again)]) == 0
    head, bad, *worse = capsys.readouterr().out.splitlines()
    assert head.split() == ["id", "time", "(UTC)", "hop", "reason", "where", "error"]
    assert ["again later" in line for line in (bad, *worse)] == [False, True, True, False]


@pytest.mark.parametrize("arguments", [["show", "nothing"], ["replay", "nothing"], ["replay"]])
def test_what_is_not_there_is_bad_input(config: Path, capfd: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """An unknown id, or none at all, is exit code 2 with a sentence."""
    assert main(["deadletter", *arguments, "--config", str(config)]) == 2
    assert capfd.readouterr().err


def test_a_large_record_comes_back_whole() -> None:
    """The largest record there can be, compressed in its letter, is put back byte for byte."""
    record = Record(RAW, "lane", b"k", b"x" * MAX_BYTES, 1.0, offset=1)
    letter = dead_letter(record, Grave(0, "enricher"), "raised", "x", 1.0)
    assert unearth(letter).replayed(2.0).value == record.value


def test_a_letter_that_was_cut_is_not_put_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Half a record is not put back: exit code 1 and where the whole one is; the others are put back."""
    noise = Record(RAW, "lane", b"k", random.Random(5).randbytes(MAX_BYTES), 1.0, offset=1)
    cut = dead_letter(noise, Grave(0, "enricher"), "raised", "x", 1.0)
    path = tmp_path / "config.yaml"
    path.write_text("data_dir: data\n")
    asyncio.run(_publish(path, [cut, LETTERS[0]]))
    assert main(["deadletter", "replay", "--config", str(path), "--hop", "enricher"]) == 1
    assert "cut" in capfd.readouterr().err
    assert [record.value for record in asyncio.run(_read(path, RAW))] == [BAD.value]
    assert len(asyncio.run(_read(path, DEADLETTER))) == 2
