"""`rasid feeds poll ID`: asks the running service to poll a feed now, and tells what came of it."""

import asyncio
import difflib
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import click
import orjson

from daemon.app.buses import OpenBus, open_beside
from daemon.bus.base import Record, Row
from daemon.bus.topics import FEEDS, TOPICS
from daemon.cli.options import CONFIG_FILE
from daemon.clock import Clock, WallClock
from daemon.config.load import AsWritten, load_feeds_config
from daemon.config.models import Config
from daemon.feeds.asked import Reply, Stage, answer_of
from daemon.feeds.listing import instant
from daemon.feeds.parse.parsed import counted
from daemon.feeds.polling import WELL
from daemon.feeds.rows import feed_key
from daemon.feeds.sources.load import Source, load_sources
from daemon.messages.command import PollNow
from daemon.messages.wire import encode

PATIENCE: Final = 60.0
"""Seconds the command waits: a poll takes 30 at most, and other feeds of its site may come first."""
_PAUSES: Final = (0.25, 0.5, 1.0, 2.0)
_WORDS: Final = {
    Stage.SENT: "asked for; it is polled once a service that runs takes it",
    Stage.REFUSED: "not polled: its site wants to be left alone",
    Stage.DUE: "due, and waits for its site's turn",
    Stage.POLLED: "polled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the command says; times ISO 8601 in UTC. `until`: when a site that refuses may be asked again."""

    id: str
    answer: Stage
    until: str | None = None
    outcome: str = ""
    detail: str = ""
    next_poll: str | None = None
    items: int = 0


@click.command("poll")
@click.argument("feed_id", metavar="ID")
@CONFIG_FILE
@click.option("--no-wait", is_flag=True, help="Do not wait for what comes of it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, also on a terminal.")
def poll_feed(feed_id: str, config_file: Path, *, no_wait: bool, as_json: bool) -> int:
    """Ask the running service to poll a feed now, and tell how it went: for up to a minute.

    Its intervals do not hold then; politeness does: it waits for its site's turn, and a site that said "too many"
    (429, 503) is left alone until its time is over. On a terminal a sentence; piped, or with --json, one JSON object:
    {"id", "answer", "until", "outcome", "detail", "next_poll", "items"}.

    Exit codes: 0 polled well, or asked for with --no-wait; 1 the poll failed, was refused, or has not come within the
    minute, or there is no bus (yet); 2 there is no such feed, or a bad configuration.
    """
    config = load_feeds_config(config_file, os.environ)
    source = _chosen(load_sources(config, config_file, AsWritten(os.environ)), feed_id)
    told = asyncio.run(_poll(config, config_file.parent, source, wait=not no_wait))
    click.echo(orjson.dumps(asdict(told)) if as_json or not sys.stdout.isatty() else _sentence(told))
    if told.answer is Stage.POLLED:
        return 0 if told.outcome in WELL else 1
    return 0 if no_wait and told.answer is Stage.SENT else 1


def _chosen(sources: Sequence[Source], feed_id: str) -> Source:
    known = {source.id: source for source in sources}
    if feed_id not in known:
        close = difflib.get_close_matches(feed_id, known, n=3)
        hint = f"; did you mean {' or '.join(close)}?" if close else "; see `rasid feeds list`"
        raise click.UsageError(f"there is no feed {feed_id}{hint}")
    return known[feed_id]


async def _poll(config: Config, folder: Path, source: Source, *, wait: bool) -> Told:
    clock = WallClock()
    asked = PollNow(feed=source.id, id=uuid4().hex)
    async with open_beside(config, folder, clock) as bus:
        await bus.publish([Record(FEEDS, source.site, source.id.encode(), encode(asked), clock.now())])
        reply = await _reply(bus, source, asked, clock) if wait else Reply(Stage.SENT)
    return _told(source, reply)


async def _reply(bus: OpenBus, source: Source, asked: PollNow, clock: Clock) -> Reply:
    """What became of it, once that is settled or the patience is over."""
    looks, since = 0, clock.now()
    while True:
        await asyncio.sleep(_PAUSES[min(looks, len(_PAUSES) - 1)])
        looks += 1
        reply = answer_of(asked, await _row(bus, source))
        if reply.stage in {Stage.POLLED, Stage.REFUSED} or clock.now() - since > PATIENCE:
            return reply


async def _row(bus: OpenBus, source: Source) -> Row | None:
    """The feed's row; not the one that it left behind when it moved to another site."""
    key = feed_key(source.id)
    async for row in bus.state(str(TOPICS[FEEDS].group), key):
        if row.key == key and row.lane == source.site:
            return row
    return None


def _told(source: Source, reply: Reply) -> Told:
    feed = reply.feed
    if feed is None:
        return Told(id=source.id, answer=reply.stage)
    polled = reply.stage is Stage.POLLED
    return Told(
        id=source.id,
        answer=reply.stage,
        until=instant(reply.until),
        outcome=feed.outcome if polled else "",
        detail=feed.detail if polled else "",
        next_poll=instant(feed.next_at),
        items=feed.items,
    )


def _sentence(told: Told) -> str:
    parts = [f"{told.id}: {_WORDS[told.answer]}"]
    if told.until:
        parts.append(f"until {told.until}")
    if told.outcome:
        detail = f" ({told.detail})" if told.detail else ""
        parts.append(f"{told.outcome}{detail}, {counted(told.items, 'item')} so far, next at {told.next_poll}")
    return ", ".join(parts)
