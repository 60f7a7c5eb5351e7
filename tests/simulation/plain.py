"""The whole pipeline in one program and virtual time: real runner, real hops, the memory bus; only the outside is made up.

    feeds of the world ─▶ poller ▶ enricher ▶ matcher ▶ alerter ▶ sender ─▶ sinks of the world
                          └──────────── killed and started again, at instants drawn from the seed ┘

A plain world for stories about the clock: one process, each article a story of its own. See `world` for the rough one.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import blake2b
from typing import Any, Final

from alerts.alerter import Alerter
from alerts.channels.base import Answer, SendReason, delivered, retry
from alerts.sender import Sender
from alerts.sending import Job
from consumers.compile import Compiled, compile_desks
from consumers.enricher import Enricher
from consumers.matcher import Matcher
from consumers.text.language import Languages
from consumers.watchlist.read import parse_watchlist
from consumers.zones.headings import load_headings
from consumers.zones.zoner import Zoner
from daemon.bus.base import Record
from daemon.bus.memory import MemoryBus, MemoryStore
from daemon.bus.topics import ALERTS, ARTICLES, DEADLETTER, FEEDS, MATCHES, OUTBOX, RAW
from daemon.clock import Clock, LoopClock
from daemon.config.models import Route
from daemon.feeds.jobs import Entry, PollJob, PollResult, Window
from daemon.feeds.poller import Poller
from daemon.feeds.schedule import Answer as PollAnswer
from daemon.feeds.schedule import Pace
from daemon.feeds.sources import Source
from daemon.messages import wire
from daemon.messages.alert import Delivery, Outcome, Sent
from daemon.messages.article import FirstFetch, Item, Moment
from daemon.stage.partition import Kit, Limits
from daemon.stage.runner import Stage

START: Final = 1_700_000_000.0
WINDOW: Final = 12
"""How many items a feed shows at a time."""


class World:
    """Feeds that publish numbered articles, sinks that take messages, and a store that outlives every process."""

    def __init__(
        self, seed: int | str, enricher: Enricher, compiled: Compiled, feeds: int = 3, clock: Clock | None = None
    ) -> None:
        self.chance = random.Random(seed)
        self.clock = clock or LoopClock(START)
        self.store = MemoryStore(partitions=2, clock=self.clock)
        self.feeds: dict[str, list[Item]] = {f"feed{number}": [] for number in range(feeds)}
        self.published: list[Item] = []
        self.unreachable = 0.1
        self.polled: dict[str, list[float]] = {feed: [] for feed in self.feeds}
        self.took: Counter[str] = Counter()
        self.kills = 0
        self.in_flight_at_kills = 0
        self._flying = 0
        self._enricher = enricher
        self._compiled = compiled

    def publish(self, feed: str) -> None:
        """One more article in a feed, on its own story, naming the watched actor."""
        number = len(self.published)
        link = f"https://{feed}.example/{number}"
        words = [f"word{self.chance.randrange(10**6)}" for _ in range(80)]
        text = f"Story {number}. The minister Jane Roe said {' '.join(words[:40])}. Then {' '.join(words[40:])}."
        item = Item(
            id=link, guid=link, link=link, title=f"Article {number}", content=text, published=Moment(at=self.clock.now())
        )
        self.feeds[feed].append(item)
        self.published.append(item)

    async def poll(self, job: PollJob) -> PollResult:
        """The made-up network: takes a while, a share fails. `polled` are the loop's instants, which no clock changes."""
        self.polled[job.feed].append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.chance.uniform(0.01, 3.0))
        now = self.clock.now()
        if self.chance.random() < self.unreachable:
            return PollResult(url=job.url, outcome="timeout", answer=PollAnswer.FAILED, fetched_at=now)
        window = self.feeds[job.feed][-WINDOW:]
        hashes = {blake2b(item.id.encode(), digest_size=8).hexdigest(): item for item in window}
        known = frozenset(hashes) & job.known
        entries = tuple(Entry(hash=each, item=item) for each, item in hashes.items() if each not in known)
        seen = Window(known=known, entries=entries)
        return PollResult(url=job.url, outcome="ok", answer=PollAnswer.GOOD, fetched_at=now, fresh=True, window=seen)

    async def send(self, job: Job) -> Answer:
        """The made-up receiver: slow, refusing, or taking a message and losing the answer."""
        self._flying += 1
        try:
            await asyncio.sleep(self.chance.uniform(0.01, 2.0))
            luck = self.chance.random()
            if luck < 0.1:
                return retry(SendReason.SERVER_ERROR)
            self.took.update(job.message.articles)
            await asyncio.sleep(self.chance.uniform(0.01, 1.0))
            return retry(SendReason.ANSWER_LOST, doubtful=True) if luck < 0.15 else delivered()
        finally:
            self._flying -= 1

    async def live(self, until: Callable[[], bool], longest: float) -> bool:
        """One life of the service. Ends when `until` holds (in good order), or by a kill after `longest` seconds."""
        bus = MemoryBus(self.store)
        stages = [Stage(kit, bus) for kit in self._kits()]
        running = [asyncio.create_task(stage.run()) for stage in stages]
        with suppress(TimeoutError):
            async with asyncio.timeout(longest):
                while not until():  # noqa: ASYNC110 - virtual time
                    await asyncio.sleep(0.5)
                for stage in stages:
                    stage.stop()
                await asyncio.gather(*running)
                return True
        self.kills += 1
        self.in_flight_at_kills += self._flying
        bus.crash()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        return False

    async def read(self, topic: str) -> list[Record]:
        return [record async for record in MemoryBus(self.store).read(topic)]

    async def outcomes(self) -> list[Outcome]:
        messages = [wire.decode(record.value) for record in await self.read(ALERTS)]
        return [message for message in messages if isinstance(message, Outcome)]

    async def sent(self) -> list[Sent]:
        messages = [wire.decode(record.value) for record in await self.read(ALERTS)]
        return [message for message in messages if isinstance(message, Sent)]

    def arrived(self) -> set[str]:
        """The messages whose delivery is on the journal."""
        messages = [wire.decode(record.value) for log in self.store.logs(ALERTS) for record in log.records]
        return {told.message for told in messages if isinstance(told, Sent) and told.outcome is Delivery.DELIVERED}

    async def dead(self) -> int:
        return len(await self.read(DEADLETTER))

    def _kits(self) -> list[Kit[Any, Any]]:
        sources = [
            Source(
                id=feed, url=f"https://{feed}.example/feed", site=f"{feed}.example", first_fetch=FirstFetch.ALERT, interval=60
            )
            for feed in self.feeds
        ]
        route = Route.model_validate({"receiver": "sink"})
        limits = Limits(records=self.chance.choice((1, 3, 500)), patience=self.chance.choice((0.5, 8.0)))

        def kit(hop: Any, topic: str, work: Any = None) -> Kit[Any, Any]:
            return Kit(hop, topic, wire.decode, self.clock, _observe, work=work, limits=limits)

        return [
            kit(Poller(sources, pace=Pace(), parser=1), FEEDS, self.poll),
            kit(self._enricher, RAW),
            kit(Matcher(self._compiled), ARTICLES),
            kit(Alerter(route, frozenset({"sink"})), MATCHES),
            kit(Sender({"sink": ("webhook",)}), OUTBOX, self.send),
        ]


def _observe(name: str, labels: Mapping[str, str] | None = None, amount: float = 1.0) -> None:
    """Nobody looks at metrics here."""


def understand(watchlist: str) -> tuple[Enricher, Compiled]:
    """What reads articles, and what they are compared with; it takes a second to build."""
    return Enricher(Zoner(load_headings()), Languages()), compile_desks(parse_watchlist(watchlist, "test.yaml"))
