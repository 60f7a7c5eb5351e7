"""`rasid alerts`: the journal, read beside the running service."""

import asyncio
import os
import sys
from pathlib import Path

import click
import orjson

from alerts.listing import Entry, entry_line, entry_table, settled
from daemon.app.buses import open_beside
from daemon.bus.topics import ALERTS
from daemon.cli.options import CONFIG_FILE
from daemon.clock import Clock, WallClock
from daemon.config.load import load_bus_config
from daemon.config.models import Config
from daemon.config.quantities import parse_duration
from daemon.errors import DecodeError
from daemon.messages.alert import Delivery, Outcome, Sent, Told
from daemon.messages.wire import decode


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group()
def command() -> None:
    """What was told, joined, held, suppressed, delivered, and why."""


@command.command("list")
@CONFIG_FILE
@click.option("--json", "as_json", is_flag=True, help="JSON lines, also on a terminal.")
@click.option("--since", callback=_seconds, default="24h", show_default=True, metavar="DURATION", help="How far back to look.")
@click.option("--desk", help="Only this desk's.")
@click.option("--outcome", type=click.Choice([kind.value for kind in (*Told, *Delivery)]), help="Only what ended so.")
@click.option("--limit", type=click.IntRange(min=1), default=10_000, show_default=True, help="At most so many, the newest.")
def list_alerts(config_file: Path, since: float, desk: str | None, outcome: str | None, limit: int, *, as_json: bool) -> None:
    """List what became of each finding and each message, newest last. Works while the service runs and while it does not.

    Findings are told, joined (to a story already told), held (for a while) or suppressed; messages are delivered,
    tried again (retry), dead or replaced by a newer version: always with the reason. A finding that was
    held and then came to its end is listed once. On a terminal a table; piped, or with --json, one JSON object a line:
    findings with {"kind": "finding", "desk", "match", "article", "url", "title", "actor", "rule", "severity", "stage",
    "outcome", "reason", "until", "story", "receivers", "message", "count", "at"}, messages with {"kind": "delivery",
    "desk", "message", "version", "receiver", "channel", "outcome", "reason", "detail", "attempt", "doubtful",
    "headline", "at"}.

    Exit codes: 0 done, 1 there is no bus (yet) or it cannot be read, 2 for a bad configuration or option.
    """
    config, clock = load_bus_config(config_file, os.environ), WallClock()
    entries = asyncio.run(_entries(config, config_file.parent, clock, clock.now() - since))
    chosen = [entry for entry in settled(entries) if desk in {None, entry.desk} and outcome in {None, entry.outcome.value}]
    if len(chosen) > limit:
        click.echo(f"rasid: the newest {limit} of {len(chosen)}; see --limit", err=True)
    if as_json or not sys.stdout.isatty():
        for entry in chosen[-limit:]:
            click.echo(orjson.dumps(entry_line(entry)))
        return
    click.echo(entry_table(chosen[-limit:]))


async def _entries(config: Config, folder: Path, clock: Clock, since: float) -> list[Entry]:
    """The journal since then. What this version cannot read is counted on stderr and left out."""
    entries: list[Entry] = []
    unread = 0
    async with open_beside(config, folder, clock) as bus:
        async for record in bus.read(ALERTS, since):
            try:
                entry = decode(record.value)
            except DecodeError:
                unread += 1
                continue
            if isinstance(entry, Outcome | Sent):
                entries.append(entry)
    if unread:
        click.echo(f"rasid: {unread} entries were written by a newer version and are left out", err=True)
    return entries
