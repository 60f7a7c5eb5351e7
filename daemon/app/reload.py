"""Takes over what people change while the service runs: all of it is read anew and checked as a whole, or nothing is used.

    files changed, SIGHUP ─▶ read ─┬─ a mistake: refused, the last good set runs on
                                   └─ prepared off the loop (feeds, watchlists) ─▶ swapped in at once

The bus, the status server, receivers and routes are not swapped: a change there says that it needs a restart.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from daemon.app.setup import Setup, check_receivers
from daemon.app.watch import Holder, Watched, watch
from daemon.clock import Clock
from daemon.config.document import Document
from daemon.config.files import noting
from daemon.config.models import Config, Polling
from daemon.errors import ConfigError, RasidError
from daemon.feeds.sources.load import Source
from daemon.metrics import Observe

_LIVE: Final = frozenset({"feeds", "watchlists", "polling"})
"""Keys whose changes are taken over."""
_UNKNOWN: Final = (-1,)
"""As no file stands."""
_MOST_TOLD: Final = 20
"""Problems that one log line tells."""
_LIVE_POLLING: Final = frozenset({
    "default_interval", "min_interval", "max_interval", "max_hint", "per_site", "sites", "max_age", "first_fetch",
})  # fmt: skip
"""Of polling, what is taken over: the rest is what its connections, and the bounds over all of them, were made with."""

Read: TypeAlias = Callable[[Setup | None], Setup]
Take: TypeAlias = Callable[[Setup], Awaitable[None]]
"""Makes a setup the one that runs, as a whole. Raises `RasidError` before anything has changed."""

log = structlog.get_logger()


class Reloaded(StrEnum):
    """How a reload ended."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Reloads:
    """The setup that runs, and how another takes its place. `read` is `load_setup` of the same file."""

    def __init__(self, setup: Setup, read: Read, observe: Observe, clock: Clock) -> None:
        """To be made as soon as `setup` was read: what changes from then on is noticed."""
        self._began_with = setup.config
        self._running = setup
        self._read = read
        self._observe = observe
        self._clock = clock
        self._holder = Holder(_watched(setup))
        self._seen = self._holder.watched.look()
        self._lists_seen = _lists(setup).look()
        self._told = ""
        self._asked = False
        self._stir = asyncio.Event()
        self._good()

    def ask(self) -> None:
        """Read everything again, whether or not it looks changed."""
        self._asked = True
        self._stir.set()

    async def run(self, take: Take) -> None:
        """Until it is cancelled."""
        watching = asyncio.create_task(watch(self._holder, self._stir))
        try:
            while True:
                await self._stir.wait()
                self._stir.clear()
                await self._look(take)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _look(self, take: Take) -> None:
        asked, self._asked = self._asked, False
        seen = await asyncio.to_thread(self._holder.watched.look)
        if seen == self._seen and not asked:
            return
        self._seen = seen
        try:
            outcome = await self._again(take, asked=asked)
        except ConfigError as error:
            outcome = self._refuse([str(problem) for problem in error.problems])
        except RasidError as error:
            outcome = self._refuse([str(error)])
        except Exception as error:  # the boundary of a reload: whatever is wrong with it, the service goes on
            log.exception("reload_broke")
            outcome = self._refuse([f"{type(error).__name__} while it was taken over"])
        self._observe("rasid_reloads_total", {"outcome": outcome})
        # What changed since it was read is found by the next look. How a file stood that was read for the first time, nobody
        # knows: it is looked at at once.
        after = await asyncio.to_thread(self._holder.watched.look)
        self._seen = {name: seen.get(name, _UNKNOWN) for name in after}
        if self._seen != seen:
            self._stir.set()

    async def _again(self, take: Take, *, asked: bool) -> Reloaded:
        lists = await asyncio.to_thread(_lists(self._running).look)
        untouched = not asked and lists == self._lists_seen
        setup = await self._read_noting(self._running if untouched else None)
        problems = check_receivers(self._began_with, setup.desks, Document(str(setup.file), {}))
        if problems:
            raise ConfigError([replace(each, reason=f"{each.reason} (new receivers need a restart)") for each in problems])
        changes = _changes(self._running, setup)
        await take(setup)
        self._running = setup
        if not untouched:
            after = await asyncio.to_thread(_lists(setup).look)
            self._lists_seen = {name: lists.get(name, _UNKNOWN) for name in after}
        mended = bool(self._told)
        self._good()
        if keys := needing_restart(self._began_with, setup.config):
            log.warning("reload_needs_restart", keys=keys)
        changed = any(changes.values())
        if changed or asked or mended:
            log.info("reloaded", **changes)
        return Reloaded.APPLIED if changed else Reloaded.UNCHANGED

    async def _read_noting(self, before: Setup | None) -> Setup:
        """Read in a thread, watchlists only when they were touched since `before`.

        Watched is henceforth what was read, and when that ended early what was read before, too.
        """

        def reading() -> tuple[Setup | ConfigError, set[Path]]:
            with noting() as files:
                try:
                    return self._read(before), files
                except ConfigError as error:
                    return error, files

        found, files = await asyncio.to_thread(reading)
        if isinstance(found, ConfigError):
            watched = self._holder.watched
            self._holder.watched = replace(watched, files=watched.files | files)
            raise found
        self._holder.watched = _watched(found)
        return found

    def _refuse(self, problems: Sequence[str]) -> Reloaded:
        if self._told != (said := "\n".join(problems)):
            log.error("reload_refused", problems=problems[:_MOST_TOLD], more=max(0, len(problems) - _MOST_TOLD))
        self._told = said
        self._observe("rasid_reload_refused", amount=1)
        return Reloaded.REFUSED

    def _good(self) -> None:
        self._told = ""
        self._observe("rasid_reload_refused", amount=0)
        self._observe("rasid_reload_good_at_seconds", amount=self._clock.now())


@asynccontextmanager
async def reloading(reloads: Reloads, take: Take) -> AsyncIterator[None]:
    """Reloads for the time of the block."""
    running = asyncio.create_task(reloads.run(take))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def needing_restart(before: Config, after: Config) -> list[str]:
    """The keys that differ and are not swapped in."""
    differ = [name for name in Config.model_fields if name not in _LIVE and getattr(before, name) != getattr(after, name)]
    return differ + [f"polling.{name}" for name in _polling(before, after) if name not in _LIVE_POLLING]


def _polling(before: Config, after: Config) -> list[str]:
    return [name for name in Polling.model_fields if getattr(before.polling, name) != getattr(after.polling, name)]


def _changes(before: Setup, after: Setup) -> dict[str, Collection[str] | int]:
    """What the log says of a reload: how many feeds, which desks."""
    old, new = _by_id(before.sources), _by_id(after.sources)
    desks = {desk.name: desk for desk in before.desks}, {desk.name: desk for desk in after.desks}
    return {
        "feeds_added": len(new.keys() - old.keys()),
        "feeds_removed": len(old.keys() - new.keys()),
        "feeds_changed": sum(old[id_] != new[id_] for id_ in old.keys() & new.keys()),
        "polling": [name for name in _polling(before.config, after.config) if name in _LIVE_POLLING],
        "desks": sorted(name for name in desks[0].keys() | desks[1].keys() if desks[0].get(name) != desks[1].get(name)),
    }


def _by_id(sources: Sequence[Source]) -> dict[str, Source]:
    return {source.id: source for source in sources}


def _lists(setup: Setup) -> Watched:
    """The files of the watchlists: large ones take minutes to be read, so they are not read for a change of others."""
    return Watched(setup.lists, setup.config.watchlists, setup.folder)


def _watched(setup: Setup) -> Watched:
    return Watched(setup.files | {setup.file}, setup.config.watchlists, setup.folder)
