"""What goes out for feeds, made as `polling` wants it: for the poller and for commands alike."""

from collections.abc import Awaitable, Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

from daemon.clock import Clock
from daemon.config.models import Polling
from daemon.feeds.elsewhere.discovery import Candidate, Finder, named_in
from daemon.feeds.elsewhere.older import Readers
from daemon.feeds.parse.feed import parse_feed
from daemon.feeds.parse.parsed import Parsed
from daemon.feeds.parse.sitemap import Sitemap, read_sitemap
from daemon.net.bodies import Limits
from daemon.net.fetch import Fetcher
from daemon.net.robots import Robots, SpacedTurn
from daemon.workers import Workers


def user_agent_of(polling: Polling) -> str:
    """With the version filled in."""
    return polling.user_agent.replace("{version}", version("rasid"))


def fetcher_for(polling: Polling, folder: Path, clock: Clock) -> Fetcher:
    """To be entered. `folder` is where a relative `ca_file` lies."""
    return Fetcher(
        clock=clock,
        allowed=polling.allow_addresses,
        ports=polling.allow_ports,
        ca_file=None if polling.ca_file is None else folder / polling.ca_file,
        limits=Limits(wire=polling.max_wire, decoded=polling.max_decoded),
    )


def robots_for(fetcher: Fetcher, turn: SpacedTurn, user_agent: str) -> Robots:
    """One for a process, so that each site's robots.txt is asked for once."""
    return Robots(fetcher, turn, user_agent=user_agent, timer=monotonic)


def parser_for(workers: Workers) -> Callable[..., Awaitable[Parsed]]:
    """What parses feeds in the workers."""

    async def parse(raw: bytes, **said: Any) -> Parsed:
        return await workers.run(partial(parse_feed, raw, **said))

    return parse


def readers_for(workers: Workers) -> Readers:
    """What reads older pages in the workers."""

    async def read(raw: bytes, **said: Any) -> Sitemap:
        return await workers.run(partial(read_sitemap, raw, **said))

    return Readers(feed=parser_for(workers), sitemap=read)


def finder_for(fetcher: Fetcher, robots: Robots, workers: Workers) -> Finder:
    """What parses and reads pages in the workers."""

    async def read(page: bytes, **said: Any) -> tuple[Candidate, ...]:
        return await workers.run(partial(named_in, page, **said))

    return Finder(fetcher, robots, parser_for(workers), read)
