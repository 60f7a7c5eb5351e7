"""What goes out for feeds, made as `polling` wants it: for the poller and for commands alike."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver

from daemon.clock import Clock
from daemon.config.models import Polling
from daemon.feeds.elsewhere.discovery import Candidate, Finder, named_in
from daemon.feeds.elsewhere.older import OlderPages, Readers
from daemon.feeds.elsewhere.seeking import SeekingWorker
from daemon.feeds.pace.paces import gaps_of
from daemon.feeds.parse.feed import parse_feed
from daemon.feeds.parse.parsed import Parsed
from daemon.feeds.parse.sitemap import Sitemap, read_sitemap
from daemon.feeds.polling import PollWorker, at_once
from daemon.feeds.sources.load import with_version
from daemon.net.bodies import Limits
from daemon.net.fetch import Fetcher
from daemon.net.files import Files
from daemon.net.politeness import Politeness
from daemon.net.robots import Robots, SpacedTurn

T = TypeVar("T")


class Pool(Protocol):
    """Where documents are parsed (`Workers`)."""

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """The function's answer. May raise `RasidError`."""
        ...


@dataclass(frozen=True, slots=True)
class PollWork:
    """What performs the poller's jobs, and the politeness that it does so with."""

    perform: OlderPages
    politeness: Politeness


@asynccontextmanager
async def poll_work_for(
    polling: Polling,
    pool: Pool,
    *,
    clock: Clock,
    folder: Path,
    may_poll: Callable[[], Awaitable[None]] = at_once,
    resolver: Callable[[], AbstractResolver] = aiohttp.AsyncResolver,
) -> AsyncIterator[PollWork]:
    """All that the poller asks to be done. `folder`: what `file:` and `ca_file` may name; `resolver`: what knows hosts."""
    polite, agent = politeness_for(polling), with_version(polling.user_agent)
    async with fetcher_for(polling, folder, clock, resolver) as fetcher:
        robots = robots_for(fetcher, polite.turn, agent)
        poll = PollWorker(
            fetcher,
            polite,
            parser_for(pool),
            clock=clock,
            files=Files(folder, polling.max_decoded),
            user_agent=agent,
            may_poll=may_poll,
        )
        pages = OlderPages(
            SeekingWorker(poll, finder_for(robots, pool), user_agent=agent, timer=monotonic),
            partial(fetcher.get, turn=polite.turn),
            robots,
            readers_for(pool),
            clock=clock,
            user_agent=agent,
            may_poll=may_poll,
        )
        yield PollWork(pages, polite)


def politeness_for(polling: Polling) -> Politeness:
    """With the gaps of the sites that have their own."""
    return Politeness(gap=polling.per_site.gap, gaps=gaps_of(polling), concurrency=polling.concurrency)


def fetcher_for(
    polling: Polling, folder: Path, clock: Clock, resolver: Callable[[], AbstractResolver] = aiohttp.AsyncResolver
) -> Fetcher:
    """To be entered. `folder` is where a relative `ca_file` lies."""
    return Fetcher(
        clock=clock,
        allowed=polling.allow_addresses,
        ports=polling.allow_ports,
        ca_file=None if polling.ca_file is None else folder / polling.ca_file,
        limits=Limits(wire=polling.max_wire, decoded=polling.max_decoded),
        resolver=resolver,
    )


def robots_for(fetcher: Fetcher, turn: SpacedTurn, user_agent: str) -> Robots:
    """One for a process, so that each site's robots.txt is asked for once."""
    return Robots(fetcher, turn, user_agent=user_agent, timer=monotonic)


def parser_for(pool: Pool) -> Callable[..., Awaitable[Parsed]]:
    """What parses feeds in the pool."""

    async def parse(raw: bytes, **said: Any) -> Parsed:
        return await pool.run(partial(parse_feed, raw, **said))

    return parse


def readers_for(pool: Pool) -> Readers:
    """What reads older pages in the pool."""

    async def read(raw: bytes, **said: Any) -> Sitemap:
        return await pool.run(partial(read_sitemap, raw, **said))

    return Readers(feed=parser_for(pool), sitemap=read)


def finder_for(robots: Robots, pool: Pool) -> Finder:
    """What parses and reads pages in the pool."""

    async def read(page: bytes, **said: Any) -> tuple[Candidate, ...]:
        return await pool.run(partial(named_in, page, **said))

    return Finder(robots, parser_for(pool), read)
