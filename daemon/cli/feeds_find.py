"""`rasid feeds find`: the feeds of a web page, each fetched and parsed, without a bus."""

import asyncio
import os
import sys
from pathlib import Path

import click
import orjson

from daemon.app.outward import fetcher_for, finder_for, politeness_for, robots_for
from daemon.cli.options import CONFIG_FILE
from daemon.clock import WallClock
from daemon.config.load import load_feeds_config
from daemon.config.models import Polling
from daemon.feeds.elsewhere.discovery import Search
from daemon.feeds.parse.parsed import counted
from daemon.feeds.sources.load import with_version
from daemon.workers import Workers


@click.command("find")
@click.argument("url")
@CONFIG_FILE
@click.option("--json", "as_json", is_flag=True, help="JSON lines, also on a terminal.")
def find_feeds(url: str, config_file: Path, *, as_json: bool) -> int:
    """Find the feeds of the web page at URL, as polling.* says: those it names, else one at the usual paths.

    Each was fetched, as robots.txt allows, and parsed. On a terminal for people; piped, or with --json, one JSON object a
    line: {"url", "title", "format", "items", "guessed"}.

    Exit codes: 0 found, 1 nothing found (the reason is on stderr), 2 for a bad configuration.
    """
    config = load_feeds_config(config_file, os.environ)
    search = asyncio.run(_search(url, config.polling, config_file.parent))
    for found in search.found:
        shown = f"{found.url}\n    {found.title or '-'} ({found.format}, {counted(found.items, 'item')})"
        click.echo(orjson.dumps(found) if as_json or not sys.stdout.isatty() else shown)
    if not search.found:
        click.echo(f"rasid: {url}: no feed found: {search.reason}", err=True)
    return 0 if search.found else 1


async def _search(url: str, polling: Polling, folder: Path) -> Search:
    polite, agent = politeness_for(polling), with_version(polling.user_agent)
    async with fetcher_for(polling, folder, WallClock()) as fetcher, Workers(1) as workers:
        robots = robots_for(fetcher, polite.turn, agent)
        return await finder_for(robots, workers).find(url, agent)
