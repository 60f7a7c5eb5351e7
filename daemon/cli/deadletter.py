"""`rasid deadletter`: the records no hop could handle, listed, shown and put back."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson

from daemon.app.buses import open_beside
from daemon.bus.topics import DEADLETTER
from daemon.cli.options import CONFIG_FILE
from daemon.clock import WallClock
from daemon.config.load import load_bus_config
from daemon.errors import DecodeError
from daemon.stage.graveyard import Buried, unearth


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
    """List dead letters, newest last: id, hop, reason, error, and where the record stood.

    The id is what `show` and `replay` take. On a terminal a line for people; piped, or with --json, one JSON object a line.

    Exit codes: 0 done, 1 there is no bus (yet) or it cannot be read, 2 for a bad configuration.
    """
    for buried in asyncio.run(_letters(config_file, hop)):
        click.echo(_line(buried) if as_json or not sys.stdout.isatty() else _told(buried))


@command.command("show")
@click.argument("letter_id", metavar="ID")
@CONFIG_FILE
def show_letter(letter_id: str, config_file: Path) -> int:
    """Show one dead letter: where it stood and why on stderr, and on stdout the record's bytes as they came.

    Exit codes: 0 done, 1 there is no bus (yet) or it cannot be read, 2 there is no such id.
    """
    found = _chosen(asyncio.run(_letters(config_file)), [letter_id])
    click.echo(_told(found[0]), err=True)
    sys.stdout.buffer.write(found[0].value())
    sys.stdout.buffer.flush()
    return 0


@command.command("replay")
@click.argument("letter_ids", metavar="[ID]…", nargs=-1)
@CONFIG_FILE
@click.option("--hop", help="All that this hop gave up.")
def replay_letters(letter_ids: tuple[str, ...], config_file: Path, hop: str | None) -> int:
    """Put records back on the topic they came from, for their hop to take again: by ID, or all of a --hop.

    Do so once the cause is mended; what fails again becomes a dead letter again. What was handled meanwhile is
    recognised and changes nothing. Exit codes: 0 all were put back, 1 some could not be, 2 there is no such id.
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
    for buried in letters:
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


def _chosen(letters: Sequence[Buried], ids: Sequence[str]) -> list[Buried]:
    known = {buried.id: buried for buried in letters}
    unknown = [letter_id for letter_id in ids if letter_id not in known]
    if unknown:
        raise click.UsageError(f"there is no dead letter {', '.join(unknown)}; see `rasid deadletter list`")
    return [known[letter_id] for letter_id in ids]


def _line(buried: Buried) -> bytes:
    said = replace(buried.letter, value="")
    return orjson.dumps({"id": buried.id, "lane": buried.lane, "key": buried.key.decode(errors="replace")} | _fields(said))


def _fields(letter: object) -> dict[str, object]:
    fields: dict[str, object] = orjson.loads(orjson.dumps(letter))
    del fields["value"]
    return fields


def _told(buried: Buried) -> str:
    letter = buried.letter
    at = datetime.fromtimestamp(letter.at, UTC)
    place = f"{letter.topic}/{letter.partition}@{letter.offset}"
    return f"{buried.id}  {at:%Y-%m-%d %H:%M:%S}  {letter.hop}  {letter.reason}  {place}  {letter.error.splitlines()[0][:100]}"
