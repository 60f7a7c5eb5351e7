"""Builds each hop with what it works with. What a hop needs opened is opened here and closed when the service ends."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, TextIO, TypeAlias

import aiohttp

from alerts.alerter import Alerter
from alerts.channels import build as channels
from alerts.sender import Sender
from alerts.sending import SendWorker
from consumers.enricher import Enricher
from consumers.text.language import Languages
from consumers.zones.headings import load_headings
from consumers.zones.zoner import Zoner
from daemon.app.outward import poll_work_for
from daemon.app.roles import Role
from daemon.app.setup import Setup
from daemon.app.watchlists import Watchlists
from daemon.bus.base import Bus
from daemon.bus.topics import ARTICLES, FEEDS, MATCHES, OUTBOX, RAW
from daemon.clock import Clock
from daemon.config.models import Polling
from daemon.errors import DecodeError
from daemon.feeds.pace.paces import gaps_of, pace_of
from daemon.feeds.parse.feed import PARSER_VERSION
from daemon.feeds.poller import Poller
from daemon.feeds.polling import at_once
from daemon.messages import wire
from daemon.messages.alert import Message
from daemon.messages.article import Article, RawArticle, Withdrawal
from daemon.messages.match import Match
from daemon.metrics import Observe
from daemon.stage.alone import Alone
from daemon.stage.partition import Kit, Limits
from daemon.stage.runner import Stage
from daemon.workers import Workers

_POLLER_PATIENCE: Final = 1.0
"""A poll that was cut off is simply made again; nobody need wait for it."""
_THREADS: Final = 1


@dataclass(frozen=True, slots=True)
class Outside:
    """What the process gives its hops: time, counting, where the console channel prints, what polls wait for first."""

    clock: Clock
    observe: Observe
    stream: TextIO
    may_poll: Callable[[], Awaitable[None]] = at_once


Swap: TypeAlias = Callable[[], None]
Prepare: TypeAlias = Callable[[Setup], Awaitable[Swap]]
"""Makes a hop's part of another setup, and gives what puts it in the place of the one that runs."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Stages that are ready to run, and how they take over another setup."""

    stages: Sequence[Stage[Any, Any]]
    preparing: Sequence[Prepare]

    async def take(self, setup: Setup) -> None:
        """All of it at once, between two steps; nothing when something of it cannot be made."""
        swaps = [await prepare(setup) for prepare in self.preparing]
        for swap in swaps:
            swap()
        for stage in self.stages:  # no step may come between: it would meet new files with rows that are not in line
            stage.reconcile()


@asynccontextmanager
async def open_stages(setup: Setup, roles: Iterable[Role], bus: Bus, outside: Outside) -> AsyncIterator[Opened]:
    """One stage for each role."""
    async with AsyncExitStack() as stack:
        building = _Building(setup, outside, stack)
        stages = [Stage(await building.kit(role), bus) for role in roles]
        yield Opened(stages, building.preparing)


class _Building:
    """Makes each role's kit; what it opens stays open until the stack is left."""

    def __init__(self, setup: Setup, outside: Outside, stack: AsyncExitStack) -> None:
        self._setup = setup
        self._outside = outside
        self._stack = stack
        self._threads: ThreadPoolExecutor | None = None
        self._alone = Alone()
        self.preparing: list[Prepare] = []

    async def kit(self, role: Role) -> Kit[Any, Any]:
        build = {
            Role.POLLER: self._poller,
            Role.ENRICHER: self._enricher,
            Role.MATCHER: self._matcher,
            Role.ALERTER: self._alerter,
            Role.SENDER: self._sender,
        }
        return await build[role]()

    async def _poller(self) -> Kit[Any, Any]:
        polling, enter = self._setup.config.polling, self._stack.enter_async_context
        workers = await enter(Workers(max(1, (os.cpu_count() or 2) // 2)))
        work = await enter(
            poll_work_for(
                polling,
                workers,
                clock=self._outside.clock,
                folder=self._setup.folder,
                may_poll=self._outside.may_poll,
            )
        )
        hop = Poller(self._setup.sources, pace=pace_of(polling), parser=PARSER_VERSION)

        async def prepare(setup: Setup) -> Swap:
            polling = setup.config.polling

            def swap() -> None:
                work.politeness.keep(polling.per_site.gap, gaps_of(polling))
                hop.replace(setup.sources, pace_of(polling))

            return swap

        self.preparing.append(prepare)
        return self._kit(hop, FEEDS, wire.decode, work=work.perform, limits=poller_limits(polling))

    async def _enricher(self) -> Kit[Any, Any]:
        languages, executor = Languages(), self._executor()
        executor.submit(languages.warm)
        hop = Enricher(Zoner(load_headings()), languages)
        return self._kit(hop, RAW, _decoder(RawArticle, Withdrawal), executor=executor)

    async def _matcher(self) -> Kit[Any, Any]:
        setup = self._setup
        watchlists = await asyncio.to_thread(Watchlists, setup.desks, setup.stored, self._outside.observe)
        await self._stack.enter_async_context(watchlists.tended())
        self.preparing.append(watchlists.prepare)
        return self._kit(watchlists.matcher, ARTICLES, _decoder(Article), executor=self._executor())

    async def _alerter(self) -> Kit[Any, Any]:
        config = self._setup.config
        hop = Alerter(config.route, frozenset(receiver.name for receiver in config.receivers))
        return self._kit(hop, MATCHES, _decoder(Match))

    async def _sender(self) -> Kit[Any, Any]:
        receivers = self._setup.config.receivers
        session = await self._stack.enter_async_context(aiohttp.ClientSession())
        reach = channels.Outside(session, self._outside.stream, self._outside.clock, self._setup.folder)
        work = SendWorker(channels.build_channels(receivers, reach))
        return self._kit(Sender(channels.channel_names(receivers)), OUTBOX, _decoder(Message), work=work)

    def _kit(self, hop: Any, topic: str, decode: Callable[[bytes | None], Any], **more: Any) -> Kit[Any, Any]:
        return Kit(hop, topic, decode, self._outside.clock, self._outside.observe, alone=self._alone, **more)

    def _executor(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="prepare")
            # Nobody needs what is still being prepared when all leases have been left, and it may take long.
            self._stack.callback(self._threads.shutdown, wait=False, cancel_futures=True)
        return self._threads


def poller_limits(polling: Polling) -> Limits:
    """However few partitions a process has, as many requests may be in flight as `polling.concurrency` says."""
    limits = Limits(patience=_POLLER_PATIENCE)
    return replace(limits, in_flight=max(limits.in_flight, polling.concurrency))


def _decoder(*kinds: type[wire.AnyMessage]) -> Callable[[bytes | None], wire.AnyMessage]:
    """Reads some kinds of messages; another kind on the topic is for no hop of this version."""

    def decode(value: bytes | None) -> wire.AnyMessage:
        message = wire.decode(value)
        if not isinstance(message, kinds):
            carried = " and ".join(kind.__name__ for kind in kinds)
            raise DecodeError(f"not for this topic, which carries {carried}", subject=type(message).__name__)
        return message

    return decode
