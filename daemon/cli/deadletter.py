"""`rasid deadletter`: the records no hop could handle, listed, shown and put back."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
import orjson

from daemon.app.buses import open_beside
from daemon.bus.topics import DEADLETTER
from daemon.cli.options import CONFIG_FILE
from daemon.clock import WallClock
from daemon.config.load import load_bus_config
from daemon.errors import DecodeError
from daemon.stage.graveyard import Buried, unearth

_HEAD: Final = ("id", "time (UTC)", "hop", "reason", "where", "error")


@click.group()
def command() -> None:
    """Records no hop could handle: list them, look at one, put them back.

    They lie in the topic `deadletter` for 30 days, with their bytes, the hop that gave them up and the error. Works
    while the service runs and while it does not.
    """


@command.command("list")
@CONFIG_FILE
@click.option("--json", "as_json", is_flag=True, help="JSON lines, also on a terminal.")
@click.option("--hop", help="Only what this hop gave up.")
def list_letters(config_file: Path, hop: str | None, *, as_json: bool) -> None:
    """List dead letters, newest last: id, time, hop, reason, where the record stood, error.

    The id is what `show` and `replay` take. A record that was put back and failed again is a new letter: `record` is
    the same in both. On a terminal a table, where the earlier ones say "again later"; piped, or with --json, one JSON
    object a line.

    Exit codes: 0 done, 1 there is no bus (yet) or it cannot be read, 2 for a bad configuration.
    """
    letters = asyncio.run(_letters(config_file, hop))
    if as_json or not sys.stdout.isatty():
        for buried in letters:
            click.echo(_line(buried))
        return
    click.echo(_table(letters))


@command.command("show")
@click.argument("letter_id", metavar="ID")
@CONFIG_FILE
def show_letter(letter_id: str, config_file: Path) -> int:
    """Show one dead letter: where it stood and why on stderr, and on stdout the record's bytes as they came.

    Exit codes: 0 done, 1 there is no bus (yet) or it cannot be read, 2 there is no such id.
    """
    found = _chosen(asyncio.run(_letters(config_file)), [letter_id])
    click.echo("  ".join(_cells(found[0])), err=True)
    sys.stdout.buffer.write(found[0].value())
    sys.stdout.buffer.flush()
    return 0


@command.command("replay")
@click.argument("letter_ids", metavar="[ID]…", nargs=-1)
@CONFIG_FILE
@click.option("--hop", help="All that this hop gave up.")
def replay_letters(letter_ids: tuple[str, ...], config_file: Path, hop: str | None) -> int:
    """Put records back on the topic they came from, for their hop to take again: by ID, or all of a --hop.

    Do so once the cause is mended; what fails again becomes a dead letter again. Several letters that hold the same
    record (same hop, lane, key and bytes) put it back once. What was handled meanwhile is recognised and changes
    nothing. Exit codes: 0 all were put back, 1 some could not be, 2 there is no such id.
    """
    if bool(letter_ids) == bool(hop):
        raise click.UsageError("name the letters to replay, or a --hop")
    letters = asyncio.run(_letters(config_file, hop))
    return asyncio.run(_replay(config_file, letters if hop else _chosen(letters, letter_ids)))


async def _letters(config_file: Path, hop: str | None = None) -> list[Buried]:
    """All that can be read, oldest first, each record once."""
    config, clock = load_bus_config(config_file, os.environ), WallClock()
    letters: dict[str, Buried] = {}
    async with open_beside(config, config_file.parent, clock) as bus:
        async for record in bus.read(DEADLETTER):
            try:
                buried = unearth(record)
            except DecodeError as error:
                click.echo(f"rasid: a dead letter cannot be read: {error}", err=True)
                continue
            if hop in {None, buried.letter.hop}:
                letters[buried.id] = buried
    return sorted(letters.values(), key=lambda buried: buried.letter.at)


async def _replay(config_file: Path, letters: Sequence[Buried]) -> int:
    config, clock = load_bus_config(config_file, os.environ), WallClock()
    records, failed = [], 0
    for buried in _distinct(letters):
        try:
            records.append(buried.replayed(clock.now()))
        except DecodeError as error:
            failed += 1
            click.echo(f"rasid: {error}", err=True)
    async with open_beside(config, config_file.parent, clock) as bus:
        for record in records:
            await bus.publish([record])
    click.echo(f"put back: {len(records)}")
    return 1 if failed else 0


def _distinct(letters: Sequence[Buried]) -> list[Buried]:
    """The last letter of each record: put back once, it leaves one letter behind at most, however often it failed."""
    return list({buried.record: buried for buried in letters}.values())


def _chosen(letters: Sequence[Buried], ids: Sequence[str]) -> list[Buried]:
    known = {buried.id: buried for buried in letters}
    unknown = [letter_id for letter_id in ids if letter_id not in known]
    if unknown:
        raise click.UsageError(f"there is no dead letter {', '.join(unknown)}; see `rasid deadletter list`")
    return [known[letter_id] for letter_id in ids]


def _line(buried: Buried) -> bytes:
    said = replace(buried.letter, value="")
    names = {"id": buried.id, "record": buried.record, "lane": buried.lane, "key": buried.key.decode(errors="replace")}
    return orjson.dumps(names | _fields(said))


def _fields(letter: object) -> dict[str, object]:
    fields: dict[str, object] = orjson.loads(orjson.dumps(letter))
    del fields["value"]
    return fields


def _table(letters: Sequence[Buried]) -> str:
    """A line a letter. Of those whose record lies here again, in a later letter, it is said."""
    last = {buried.id for buried in _distinct(letters)}
    rows = [_HEAD, *(_cells(buried, "" if buried.id in last else "again later: ") for buried in letters)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _cells(buried: Buried, note: str = "") -> tuple[str, ...]:
    letter = buried.letter
    at = f"{datetime.fromtimestamp(letter.at, UTC):%Y-%m-%d %H:%M:%S}"
    place = f"{letter.topic}/{letter.partition}@{letter.offset}"
    return buried.id, at, letter.hop, letter.reason, place, note + letter.error.partition("\n")[0][:100]
