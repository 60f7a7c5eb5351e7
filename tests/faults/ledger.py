"""The ledger of the fault tests: numbered articles on a feed of our own, and which of them the sink has taken.

publish ─▶ feed ─▶ rasid, broken at will ─▶ sink        balance: published = told once each = taken by the sink
                             └▶ journal, topics                  repeats at the sink ≤ doubtful and counted

It scales to any number: the feed shows a window, from which goes what the sink has taken. All that it knows stands in files of
its folder, so a ledger that is opened again there, on the same ports, goes on where the last one ended.
"""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any, Final

import orjson

from tests.faults.intake import Intake
from tests.servers.feeds import FeedServer, RssItem, feed_server, rss
from tests.servers.hooks import HookServer

ACTOR: Final = "Jane Roe"
WATCHLIST: Final = f"""
desk: ledger
actors:
  - {{id: jane-roe, names: {ACTOR}, severity: high}}
"""
FEED: Final = "/ledger"
WINDOW: Final = 500
"""The feed shows no more than so many articles: a document that takes more than 2 s of CPU to parse is none to the service."""


class Ledger:
    """Publishes articles that each are a story of their own and hit once: `actor`. Their texts come from the seed."""

    def __init__(self, feeds: FeedServer, sink: HookServer, intake: Intake, seed: int, file: Path, actor: str = ACTOR) -> None:
        self._actor = actor
        self.feeds = feeds
        self._seed = seed
        self._file = file
        self.sink = sink
        self.intake = intake
        self.links: list[str] = []
        self._open: dict[str, RssItem] = {}
        for at in file.read_text("ascii").split() if file.exists() else ():
            self._add(float(at))
        self._show()

    def publish(self, count: int, *, now: Callable[[], float] = time) -> None:
        """So many more, on ten sites; fewer where the window has no room. What the sink has taken leaves the feed now."""
        self._close()
        at = now()
        count = min(count, WINDOW - len(self._open))
        with self._file.open("a", encoding="ascii") as file:
            file.write(f"{at}\n" * count)
        for _ in range(count):
            self._add(at)
        self._show()

    def feed(self, id_: str = "ledger") -> dict[str, Any]:
        """The feed's entry in config.yaml."""
        return {"id": id_, "url": self.feeds.url(FEED), "first_fetch": "alert"}

    async def taken_all(self, patience: float) -> bool:
        """Wait until the sink has every link; False when nothing came for so many seconds: the balance says why."""
        while len(self.intake.links) < len(self.links):
            before = self.intake.count
            if not await self.taken_when(lambda: self.intake.count > before, patience):  # noqa: B023 - awaited here
                return False
        return True

    async def taken_more(self, within: float) -> None:
        """Wait until the sink takes something from now on."""
        before = self.intake.count
        assert await self.taken_when(lambda: self.intake.count > before, within), f"nothing more in {within} s"

    async def taken_when(self, holds: Callable[[], bool], within: float) -> bool:
        """Wait until something the sink was asked makes `holds` true; whether it came to that."""
        with suppress(TimeoutError):
            await self.sink.wait_for(holds, within)
        return holds()

    def _add(self, at: float) -> None:
        number = len(self.links)
        chance = random.Random(f"{self._seed}.{number}")
        link = f"https://site{number % 10}.example/{self._seed}/{number}"
        words = " ".join(f"word{chance.randrange(10**6)}" for _ in range(60))
        text = f"Story {number}. The minister {self._actor} spoke of {words}."
        self.links.append(link)
        self._open[link] = RssItem(guid=link, link=link, title=f"Article {number}", description=text, published=formatdate(at))

    def _close(self) -> None:
        for link in self.intake.links.keys() & self._open.keys():
            del self._open[link]

    def _show(self) -> None:
        self._close()
        self.feeds.publish(FEED, rss([*reversed(self._open.values())]))


@asynccontextmanager
async def keeping(folder: Path, seed: int, *, takes: float = 0.0, actor: str = ACTOR) -> AsyncIterator[Ledger]:
    """A feed server and a sink that keep their accounts in the folder. `takes`: seconds until the sink answers."""
    ports = folder / "ports.json"
    feed_port, sink_port = _known(ports)
    with closing(Intake(folder / "taken")) as intake:
        sink = HookServer(port=sink_port, takes=takes, decide=intake.decide)
        async with feed_server(port=feed_port) as feeds, sink:
            ports.write_bytes(orjson.dumps([feeds.port, sink.port]))
            yield Ledger(feeds, sink, intake, seed, folder / "published", actor)


def _known(ports: Path) -> tuple[int, int]:
    """Those of the last time, zeros the first time."""
    ports.parent.mkdir(parents=True, exist_ok=True)
    feed, sink = orjson.loads(ports.read_bytes()) if ports.exists() else (0, 0)
    return feed, sink
