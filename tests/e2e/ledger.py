"""The ledger of fault tests: numbered articles on a feed of our own against what became of each of them.

publish ─▶ feed ─▶ rasid, killed at will ─▶ sink        balance: published = told once each = taken by the sink
                             └▶ journal, topics                  repeats at the sink ≤ doubtful and counted
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final

import orjson

from daemon.bus.topics import ARTICLES, DEADLETTER, MATCHES, OUTBOX, RAW
from daemon.messages.dead import DeadLetter
from daemon.messages.wire import decode
from tests.e2e.service import json_lines
from tests.e2e.workplace import records
from tests.servers.feeds import FeedServer, RssItem, rss
from tests.servers.hooks import HookServer

WATCHLIST: Final = """
desk: ledger
actors:
  - {id: jane-roe, names: Jane Roe, severity: high}
"""
FEED: Final = "/ledger"
_PIPELINE: Final = (RAW, ARTICLES, MATCHES, OUTBOX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a run came to. `passed`: by topic, articles that left the hop before it, and how many records they made.

    `repeats`: posts the sink took beyond the first of each message. `doubtful`: attempts the journal counts as such.
    """

    published: int
    told: Counter[str]
    delivered: Counter[str]
    taken: Counter[str]
    passed: dict[str, tuple[int, int]]
    repeats: int
    doubtful: int
    dead_letters: tuple[str, ...]

    def holds(self, links: set[str], in_flight: int) -> None:
        """Nothing lost, nothing doubled inside, and what was repeated at the edge is bounded and on record."""
        assert self.dead_letters == ()
        assert self.passed == dict.fromkeys(_PIPELINE, (len(links), len(links)))
        assert self.told == Counter(links)
        assert set(self.taken) == links
        assert set(self.delivered.values()) <= {1}
        assert len(self.delivered) == len(links)
        assert self.repeats <= self.doubtful <= in_flight

    def __str__(self) -> str:
        lost = self.published - len(self.taken)
        doubled = sum(self.told.values()) - len(self.told)
        counts = f"lost {lost}, doubled {doubled}, repeats {self.repeats}, doubtful {self.doubtful}"
        return f"{self.published} published: {counts}, dead letters {len(self.dead_letters)}"


class Ledger:
    """Publishes articles that each are a story of their own and hit once, and knows which the sink has taken."""

    def __init__(self, feeds: FeedServer, sink: HookServer, seed: int) -> None:
        self._feeds = feeds
        self.sink = sink
        self.chance = random.Random(seed)
        self.links: list[str] = []
        self._items: list[RssItem] = []
        self.publish(0)

    def publish(self, count: int) -> None:
        """So many more, on ten sites, all shown by the feed from now on."""
        for _ in range(count):
            number = len(self._items)
            link = f"https://news{number % 10}.example/{number}"
            words = " ".join(f"word{self.chance.randrange(10**6)}" for _ in range(60))
            text = f"Story {number}. The minister Jane Roe spoke of {words}."
            item = RssItem(guid=link, link=link, title=f"Article {number}", description=text, published=formatdate())
            self._items.insert(0, item)
            self.links.append(link)
        self._feeds.publish(FEED, rss(self._items))

    def feed(self) -> dict[str, Any]:
        """The feed's entry in config.yaml."""
        return {"id": "ledger", "url": self._feeds.url(FEED), "first_fetch": "alert"}

    def taken(self) -> Counter[str]:
        """How often the sink took each link."""
        return Counter(orjson.loads(posted.body)["data"]["url"] for posted in self.sink.posted)

    async def taken_all(self, within: float) -> bool:
        """Wait until the sink has taken every link at least once; False when that did not come: the balance says why."""
        return await self._until(lambda: len(self.sink.posted) >= len(self.links) == len(self.taken()), within)

    async def taken_more(self, within: float) -> None:
        """Wait until the sink takes something from now on."""
        before = len(self.sink.posted)
        assert await self._until(lambda: len(self.sink.posted) > before, within), f"nothing more in {within} s"

    async def some_instant(self, longest: float) -> None:
        """Wait until an instant of the seed's choice: an event would never lead in between two."""
        await asyncio.sleep(self.chance.uniform(0.0, longest))

    async def _until(self, holds: Callable[[], bool], within: float) -> bool:
        with suppress(TimeoutError):
            await self.sink.wait_for(holds, within)
        return holds()

    async def balance(self, folder: Path) -> Balance:
        """From the sink, and from the journal and the topics of the folder's bus; the service has ended or is idle."""
        journal = await json_lines(folder, "alerts", "list", "--json", "--limit", str(10 * len(self.links)))
        topics = await records(folder, *_PIPELINE, DEADLETTER)
        findings = [entry for entry in journal if entry["kind"] == "finding"]
        deliveries = [entry for entry in journal if entry["kind"] == "delivery"]
        return Balance(
            published=len(self.links),
            told=Counter(entry["url"] for entry in findings if entry["outcome"] == "told"),
            delivered=Counter(entry["message"] for entry in deliveries if entry["outcome"] == "delivered"),
            taken=self.taken(),
            passed={topic: (len({record.key for record in topics[topic]}), len(topics[topic])) for topic in _PIPELINE},
            repeats=len(self.sink.posted) - len({posted.headers["webhook-id"] for posted in self.sink.posted}),
            doubtful=sum(entry["outcome"] == "retry" and entry["doubtful"] for entry in deliveries),
            dead_letters=tuple(_told(decode(record.value)) for record in topics[DEADLETTER]),
        )


def _told(letter: object) -> str:
    assert isinstance(letter, DeadLetter)
    return f"{letter.topic}/{letter.partition}/{letter.offset} {letter.hop} {letter.reason}: {letter.error}"
