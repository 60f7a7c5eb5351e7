"""The outside of the made-up world: a network that polls, and receivers that take messages. Both are slow and fail.

    press ─▶ poll ─▶ (the service) ─▶ send ─▶ `took`

It also watches what may never happen: two requests at once at a site or a receiver, by one process.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Final

from alerts.channels.base import Answer, SendReason, dead, delivered, retry
from alerts.sending import Job
from daemon.clock import Clock
from daemon.feeds.jobs import Entry, PollJob, PollResult, Window
from daemon.feeds.pace.schedule import Answer as PollAnswer
from daemon.feeds.sources.load import Source
from daemon.messages.article import FirstFetch
from daemon.net.answers import FetchOutcome
from tests.simulation.answers import Answers, Key
from tests.simulation.loop import PROCESS
from tests.simulation.press import WINDOW, Press

CHANNELS: Final = {"desk": ("webhook",), "chief": ("webhook", "email")}
SOURCES: Final = tuple(
    Source(id=feed, url=f"https://{site}.example/{feed}", shown="", site=f"{site}.example", first_fetch=first, interval=60)
    for feed, site, first in (
        ("one", "a", FirstFetch.ALERT),
        ("two", "a", FirstFetch.ALERT),
        ("three", "b", FirstFetch.SUMMARY),
        ("four", "c", FirstFetch.ALERT),
    )
)
_SITES: Final = {source.id: source.site for source in SOURCES}


class Outside:
    """`seen` says which version of an item (feed, link) has been taken; `flying` counts what is in flight by whom and where."""

    def __init__(self, chance: random.Random, press: Press, seen: Callable[[tuple[str, str]], int]) -> None:
        self._chance = chance
        self._press = press
        self._seen = seen
        self.took = Counter[Key]()
        """How often a receiver's channel took which version of which message (the idempotency key)."""
        self.answers = Answers()
        self.flying = Counter[tuple[str, str]]()
        self.crowded: list[tuple[str, str]] = []
        """Which process had two at once, and where."""
        self.polled: dict[str, list[float]] = {source.id: [] for source in SOURCES}
        """When each feed was polled, in seconds of the loop."""
        self.calm = False
        self.unreachable = 0.1
        """How many polls fail."""

    async def poll(self, clock: Clock, job: PollJob) -> PollResult:
        """By the clock of the process that asks."""
        self.polled[job.feed].append(asyncio.get_running_loop().time())
        with self._flight(_SITES[job.feed]):
            await self._pass(3.0)
            now = clock.now()
            if not self.calm and self._chance.random() < self.unreachable:
                return PollResult(url=job.url, outcome=FetchOutcome.TIMEOUT, answer=PollAnswer.FAILED, fetched_at=now)
            window = self._window(job)
            await self._pass(1.0)
            return PollResult(
                url=job.url, outcome=FetchOutcome.OK, answer=PollAnswer.GOOD, fetched_at=now, fresh=True, window=window
            )

    async def send(self, job: Job) -> Answer:
        key = (job.message.receiver, job.channel, job.key)
        self.answers.begun[key] += 1
        answer = await self._answer(job, key)
        self.answers.say(key, answer.reason)
        return answer

    async def _answer(self, job: Job, key: Key) -> Answer:
        with self._flight(f"{job.message.receiver}/{job.channel}"):
            await self._pass(2.0)
            luck = 1.0 if self.calm else self._chance.random()
            if luck < 0.1:
                return retry(SendReason.SERVER_ERROR)
            if luck < 0.12:
                return dead(SendReason.REFUSED)
            self.took[key] += 1
            await self._pass(1.0)
            return retry(SendReason.ANSWER_LOST, doubtful=True) if luck < 0.17 else delivered()

    def unseen(self) -> list[str]:
        """Items whose latest version has not been taken from their feed."""
        return [
            f"{shown.link} in {feed}, version {shown.version}"
            for feed, items in self._press.feeds.items()
            for shown in items
            if self._seen(shown.name) < shown.version
        ]

    def in_flight(self, process: str) -> int:
        return sum(count for (whose, _), count in self.flying.items() if whose == process)

    def _window(self, job: PollJob) -> Window:
        items = self._press.feeds[job.feed]
        shown = [one for one in items if one in items[-WINDOW:] or self._seen(one.name) < one.version]
        hashes = {blake2b(repr(one).encode(), digest_size=8).hexdigest(): one for one in shown}
        entries = tuple(Entry(hash=each, item=one.item()) for each, one in hashes.items() if each not in job.known)
        return Window(known=frozenset(hashes) & job.known, entries=entries)

    async def _pass(self, longest: float) -> None:
        await asyncio.sleep(self._chance.uniform(0.01, longest))

    @contextmanager
    def _flight(self, place: str) -> Iterator[None]:
        key = (PROCESS.get(), place)
        self.flying[key] += 1
        if self.flying[key] > 1:
            self.crowded.append(key)
        try:
            yield
        finally:
            self.flying[key] -= 1
