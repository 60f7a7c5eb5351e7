"""The matcher's watchlists while the service runs: an edit is taken over at once, what is slow to build follows beside it.

    edited ─┬─ little is new ─▶ searched beside what was built ─▶ swapped in ─▶ all built anew ─▶ swapped in
            └─ else ─▶ all built anew ─▶ swapped in

Rules are anchored anew by what was met, each time the articles seen have doubled. All of it is done in threads.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import Final

import structlog

from consumers.compile import Compiled, compile_desks, reanchored
from consumers.edits import edited
from consumers.layers import Layered
from consumers.matcher import Matcher
from consumers.stored import Stored
from consumers.watchlist.desk import Desk
from consumers.watchlist.roll import alias_count
from daemon.app.setup import Setup
from daemon.metrics import Observe

_LOOK: Final = 30.0
_FIRST: Final = 1_000
"""Articles after which rules are anchored anew for the first time."""

_DIGITS: Final = 12

log = structlog.get_logger()


class Watchlists:
    """Compiles for one matcher, and keeps what it has compiled in good order."""

    def __init__(self, desks: Sequence[Desk], stored: Stored, observe: Observe) -> None:
        """Builds, or reads what is stored: seconds for a million names."""
        self._desks = desks
        self._stored = stored
        self._observe = observe
        self._compiled = self._build(desks)
        self._anchored_at = _FIRST // 2
        self._stir = asyncio.Event()
        self.matcher = Matcher(self._compiled)
        self._tell(())

    async def prepare(self, setup: Setup) -> Callable[[], None]:
        """The swap that makes a setup's watchlists the ones that match."""
        desks = setup.desks
        if desks == self._desks:
            return _nothing
        compiled = await asyncio.to_thread(edited, self._compiled, desks)
        if compiled is None:
            compiled = await asyncio.to_thread(self._build, desks)
        return partial(self._swap, desks, compiled)

    def _swap(self, desks: Sequence[Desk], compiled: Compiled) -> None:
        before, self._desks = self._desks, desks
        self._tell(before)
        self._compiled = compiled
        self.matcher.swap(compiled)
        self._stir.set()

    def _build(self, desks: Sequence[Desk]) -> Compiled:
        begin = monotonic()
        compiled = compile_desks(desks, stored=self._stored)
        self._observe("rasid_watchlist_build_seconds", amount=monotonic() - begin)
        return compiled

    @asynccontextmanager
    async def tended(self) -> AsyncIterator[None]:
        """For the time of the block what was taken over in haste is built anew, and rules are anchored anew."""
        tending = asyncio.create_task(self._tend())
        try:
            yield
        finally:
            tending.cancel()
            await asyncio.gather(tending, return_exceptions=True)

    async def _tend(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_LOOK):
                    await self._stir.wait()
            except TimeoutError:
                pass
            self._stir.clear()
            try:
                await self.tend()
            except Exception:  # the boundary of the task: what runs goes on as it is
                log.exception("watchlists_not_rebuilt")

    async def tend(self) -> None:
        """Once."""
        before, desks = self._compiled, self._desks
        seen = before.rules.traffic.articles
        if isinstance(before.searcher, Layered):
            after = await asyncio.to_thread(self._build, desks)
        elif seen >= 2 * self._anchored_at:
            after = await asyncio.to_thread(reanchored, before)
            self._anchored_at = seen
        else:
            return
        if self._compiled is before:  # no edit came between
            self._swap_same(after)

    def _swap_same(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self.matcher.swap(compiled)

    def _tell(self, before: Sequence[Desk]) -> None:
        """Of each desk how much it watches, and in which version; 0 of one that is gone."""
        gone = {desk.name: (0, 0, 0) for desk in before}
        now = {desk.name: (alias_count(desk), len(desk.rules), _version(desk)) for desk in self._desks}
        for name, (aliases, rules, version) in (gone | now).items():
            self._observe("rasid_watchlist_aliases", {"desk": name}, aliases)
            self._observe("rasid_watchlist_rules", {"desk": name}, rules)
            self._observe("rasid_watchlist_version", {"desk": name}, version)


def _version(desk: Desk) -> int:
    """As a number that a gauge can hold: two processes that differ in it match by different watchlists."""
    return int(desk.version.partition(":")[2][:_DIGITS] or "0", 16)


def _nothing() -> None:
    """A swap where nothing changed."""
