"""A steady flow of articles, and how long each was on its way: what a fault costs those who wait.

publish (a few every half second) ─▶ … ─▶ sink     gap: between two that came there     delay: from the feed to the sink
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

from tests.faults.ledger import Ledger

_PAUSE: Final = 0.5
_FOR_EVER: Final = 1e6


class Flow:
    """`gap` and `delay`: the longest since `anew`, in seconds. A second of each is the poller's, which looks once a second."""

    def __init__(self, ledger: Ledger, now: Callable[[], float] = monotonic) -> None:
        self._ledger = ledger
        self._now = now
        self._born: dict[str, float] = {}
        self._seen = ledger.intake.count
        self._last = now()
        self._gap = 0.0
        self._delay = 0.0

    def anew(self) -> None:
        """Forget the longest so far. What is on its way has been so for longer."""
        self._gap = self._delay = 0.0

    @property
    def gap(self) -> float:
        return self._gap

    @property
    def delay(self) -> float:
        """What has not come yet counts as if it came now."""
        now = self._now()
        return max([self._delay, *(now - born for born in self._born.values())])

    async def caught_up(self, within: float) -> None:
        """Wait until the sink has everything that is published by now; fails when that takes longer."""
        missing = self._ledger.links.copy()

        def came() -> bool:
            missing[:] = [link for link in missing if link not in self._ledger.intake.links]
            return not missing

        assert await self._ledger.taken_when(came, within), (
            f"{len(missing)} articles did not come in {within:g} s: {missing[:5]}"
        )

    def publish(self, count: int) -> None:
        """So many articles, now."""
        before = len(self._ledger.links)
        self._ledger.publish(count)
        self._born.update(dict.fromkeys(self._ledger.links[before:], self._now()))

    async def run(self, rate: float) -> None:
        """Publish so many a second, until it is cancelled."""
        due = 0.0
        while True:
            due += rate * _PAUSE
            self.publish(int(due))
            due -= int(due)
            await asyncio.sleep(_PAUSE)

    async def watch(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._ledger.taken_when(lambda: self._ledger.intake.count > self._seen, _FOR_EVER)
            now = self._now()
            self._gap, self._last = max(self._gap, now - self._last), now
            for link in self._ledger.intake.order[self._seen :]:
                self._delay = max(self._delay, now - self._born.pop(link, now))
            self._seen = self._ledger.intake.count


@asynccontextmanager
async def flowing(ledger: Ledger, rate: float) -> AsyncIterator[Flow]:
    """So many articles a second while the block runs."""
    flow = Flow(ledger)
    tasks = [asyncio.create_task(each) for each in (flow.run(rate), flow.watch())]
    try:
        yield flow
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
