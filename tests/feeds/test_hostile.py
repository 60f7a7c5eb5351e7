"""Every hostile server at once, beside good feeds, in one poller with the real pool of parsers."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from daemon.clock import WallClock
from daemon.feeds.jobs import PollJob, PollResult
from daemon.feeds.pace.schedule import Answer
from daemon.feeds.parse.feed import parse_feed
from daemon.feeds.parse.parsed import Parsed
from daemon.feeds.polling import PollWorker
from daemon.net.fetch import Fetcher
from daemon.net.politeness import Politeness
from daemon.workers import Workers
from tests.servers.feeds import FeedServer, RssItem, feed_server, rss
from tests.servers.hostile import NAMES, Here, Hostile, hostile_server

LONGEST = 30.0
GROWTH = 32 * 1024
GOOD = 5
OUTCOMES = {
    "laughs": {"ok", "unreadable"},
    "gzip bomb": {"too_large"},
    "br bomb": {"too_large"},
    "zstd bomb": {"too_large"},
    "unlabelled bomb": {"too_large"},
    "giant": {"too_large"},
    "announced giant": {"too_large"},
    "drip": {"too_slow"},
    "silence": {"timeout"},
    "loop": {"bad_redirect"},
    "inward": {"refused_address"},
    "million": {"too_large"},
    "crowd": {"ok", "unreadable"},
    "deep": {"ok", "unreadable"},
    "too short": {"truncated"},
    "too long": {"bad_http"},
    "reset": {"truncated", "connect"},
    "lying charset": {"ok"},
    "304 for ever": {"bad_http"},
    "headers": {"bad_http"},
    "crumbs": {"bad_http"},
    "page": {"html"},
    "changing guids": {"ok"},
    "one guid": {"ok"},
    "dates": {"ok"},
    "nothing": {"empty"},
    "noise": {"bad_http"},
    "expired": {"tls"},
    "wrong name": {"tls"},
    "self-signed": {"tls"},
}


@dataclass(frozen=True, slots=True)
class Ended:
    """A poll, and how long it took (seconds)."""

    result: PollResult
    took: float


class Run:
    """All hostile servers polled once while good feeds are polled again and again."""

    def __init__(self, worker: PollWorker) -> None:
        self._worker = worker
        self._over = asyncio.Event()
        self.ended: dict[str, Ended] = {}
        self.good: list[Ended] = []
        self.growth = 0

    async def all(self, hostile: Hostile, good: FeedServer) -> None:
        await self._timed(PollJob(feed="warm", url=good.url("/warm")))  # the parsers have started
        before, _ = _memory(reset=True)
        others = [asyncio.create_task(self._again(good.url(f"/good-{number}"))) for number in range(GOOD)]
        await asyncio.gather(*(self._hostile(name, hostile.url(name)) for name in NAMES))
        self._over.set()
        await asyncio.gather(*others)
        self.growth = _memory()[1] - before

    async def _hostile(self, name: str, url: str) -> None:
        self.ended[name] = await self._timed(PollJob(feed=name, url=url, language="ar"))

    async def _again(self, url: str) -> None:
        while not self._over.is_set():
            self.good.append(await self._timed(PollJob(feed="good", url=url)))

    async def _timed(self, job: PollJob) -> Ended:
        began = asyncio.get_running_loop().time()
        result = await self._worker(job)
        return Ended(result, asyncio.get_running_loop().time() - began)


def _memory(*, reset: bool = False) -> tuple[int, int]:
    """Kilobytes of this process: now, and at the most since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    status = Path("/proc/self/status").read_text("ascii")
    now, most = (re.search(rf"{name}:\s+(\d+) kB", status) for name in ("VmRSS", "VmHWM"))
    assert now is not None
    assert most is not None
    return int(now[1]), int(most[1])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run for all the tests of this file: it takes as long as the slowest of the servers."""
    return asyncio.run(_ran(tmp_path_factory.mktemp("hostile")))


async def _ran(folder: Path) -> Run:
    async with hostile_server(folder) as hostile, feed_server() as good, _poller(hostile, folder) as worker:
        for path in ("/warm", *(f"/good-{number}" for number in range(GOOD))):
            good.publish(path, rss([RssItem(guid=str(n), title=f"Title {n}") for n in range(30)]))
        run = Run(worker)
        await run.all(hostile, good)
        return run


@asynccontextmanager
async def _poller(hostile: Hostile, folder: Path) -> AsyncIterator[PollWorker]:
    allowed = [ip_network("127.0.0.1/32")]
    fetcher = Fetcher(clock=WallClock(), allowed=allowed, ca_file=hostile.ca_file, resolver=Here)
    async with fetcher, Workers(1) as workers:

        async def parse(raw: bytes, **said: Any) -> Parsed:
            return await workers.run(partial(parse_feed, raw, **said))

        polite = Politeness(gap=0.1, concurrency=200)
        yield PollWorker(fetcher, polite, parse, clock=WallClock(), folder=folder, user_agent="Rasid/test")


def test_each_ends_as_it_should(run: Run) -> None:
    """Feeds 16, 17, 18, 19, 20, 31: what each server does has its outcome from the fixed list; none is a bug of ours."""
    wrong = {
        name: (ended.result.outcome, ended.result.detail)
        for name, ended in run.ended.items()
        if ended.result.outcome not in OUTCOMES[name]
    }
    assert not wrong


def test_each_ends_in_time(run: Run) -> None:
    """Feeds 17 and 20: however slowly a server answers and however hard its answer is to read: thirty seconds."""
    assert {name: ended.took for name, ended in run.ended.items() if ended.took > LONGEST} == {}


def test_memory(run: Run) -> None:
    """Feeds 17: all of them at once take no more than 32 MB of the poller."""
    assert run.growth <= GROWTH


def test_good_feeds_go_on(run: Run) -> None:
    """Feeds 15 and 17: beside all that, good feeds are polled as ever, none of them late."""
    assert len(run.good) >= GOOD
    assert {ended.result.answer for ended in run.good} == {Answer.GOOD}
    assert max(ended.took for ended in run.good) < LONGEST / 2


def test_letters(run: Run) -> None:
    """Feeds 18: two labels that lie do not spoil a text."""
    window = run.ended["lying charset"].result.window
    assert window is not None
    assert [entry.item.title for entry in window.entries] == ["وزير الدفاع في بغداد"]


def test_dates(run: Run) -> None:
    """Feeds 26: what lies far ahead, before 1990, or is no date at all is no time of publication, and says so."""
    window = run.ended["dates"].result.window
    assert window is not None
    assert all(entry.item.published.at is None for entry in window.entries)
    assert all(entry.item.notes for entry in window.entries)


def test_guids(run: Run) -> None:
    """Feeds 24: items that share one guid are told apart by their links."""
    window = run.ended["one guid"].result.window
    assert window is not None
    assert len({entry.item.id for entry in window.entries}) == 50
