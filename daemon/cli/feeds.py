"""`rasid feeds`: what is polled, when next, how it has been doing; read beside the running service.

The other commands about feeds: `feeds_find.py`, `feeds_poll.py`, `feeds_files.py`.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import orjson

from daemon.app.buses import open_beside
from daemon.bus.base import Row
from daemon.cli.feeds_files import export_feeds, import_feeds
from daemon.cli.feeds_find import find_feeds
from daemon.cli.feeds_poll import poll_feed
from daemon.cli.options import CONFIG_FILE
from daemon.clock import WallClock
from daemon.config.load import AsWritten, load_bus_config, load_feeds_config
from daemon.config.models import Config
from daemon.errors import ConfigError, RasidError
from daemon.feeds.listing import feed_lines, feed_table
from daemon.feeds.rows import FEED, SITE
from daemon.feeds.sources.load import Source, load_sources

_GROUP: Final = "poller"


@click.group()
def command() -> None:
    """What is polled, when next, and how it has been doing; polling on command; lists of other programs."""


for each in (find_feeds, poll_feed, import_feeds, export_feeds):
    command.add_command(each)


@command.command("list")
@CONFIG_FILE
@click.option("--json", "as_json", is_flag=True, help="JSON lines, also on a terminal.")
def list_feeds(config_file: Path, *, as_json: bool) -> int:
    """List the configured feeds, and those that left the configuration within the last 30 days.

    States: new (not polled yet), ok, failing, gone (410), left (no longer configured). Works while the service runs and
    while it does not, and needs none of the feeds' secrets. On a terminal a table; piped, or with --json, one JSON object
    a line: {"id", "url", "state", "last_success", "last_poll", "last_outcome", "detail", "failures", "next_poll", "items",
    "interval", "last_new", "posts_every", "silent", "moved_to", "last_gap", "known_by", "left_alone"}.

    Where the configuration or a file of feeds cannot be used, its mistakes are told, and the list is what the service
    remembers: it runs on with the last state that was good.

    Exit codes: 0 done, 1 there is no bus (yet) or it cannot be read, 2 for a bad configuration or feed list.
    """
    clock = WallClock()
    config, sources, mistakes = _configured(config_file)
    try:
        rows = asyncio.run(_rows(config, config_file.parent, clock))
    except RasidError as error:
        raise mistakes or error from error
    lines = feed_lines(sources, rows, clock.now())
    if mistakes is not None:
        click.echo(f"{mistakes}\nrasid: the files cannot be used; these are the feeds of the last good state", err=True)
    if as_json or not sys.stdout.isatty():
        for line in lines:
            click.echo(orjson.dumps(line))
    else:
        click.echo(feed_table(lines, clock.now()))
    return 0 if mistakes is None else 2


def _configured(config_file: Path) -> tuple[Config, Sequence[Source] | None, ConfigError | None]:
    """Where the bus is, and the feeds, or what is wrong with them. Raises `ConfigError` where the bus is not to be known."""
    bus = load_bus_config(config_file, os.environ)
    try:
        config = load_feeds_config(config_file, os.environ)
        return config, load_sources(config, config_file, AsWritten(os.environ)), None
    except ConfigError as error:
        return bus, None, error


async def _rows(config: Config, folder: Path, clock: WallClock) -> list[Row]:
    """The poller's rows of all feeds and sites."""
    async with open_beside(config, folder, clock) as bus:
        return [row for prefix in (FEED, SITE) async for row in bus.state(_GROUP, prefix)]
