"""Every hostile server at once, beside good feeds, in one poller with the real pool of parsers."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import pytest

from daemon.app.outward import poll_work_for
from daemon.clock import WallClock
from daemon.config.models import Polling
from daemon.feeds.jobs import PageResult, PollJob, PollResult
from daemon.feeds.pace.schedule import Answer, Pace
from daemon.feeds.poller import Poller
from daemon.feeds.rows import NamedBy
from daemon.urls import site_of
from daemon.workers import Workers
from tests.feeds.desk import Desk, source
from tests.servers.feeds import FeedServer, RssItem, feed_server, rss
from tests.servers.hostile import NAMES, Hostile, hostile_server
from tests.servers.names import Here

LONGEST = 30.0
GROWTH = 32 * 1024
GOOD = 5
GAP = 0.1
SHARE = 0.1
"""Of the polls that the gap of their site allows the good feeds, what they get at least: alone they get nearly all."""

STALE = 9 * 86400.0
TWICE = ("changing guids", "304 for ever")
OUTCOMES = {
    "laughs": {"ok"},
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
    "crowd": {"ok"},
    "deep": {"ok"},
    "too short": {"truncated"},
    "too long": {"bad_http"},
    "reset": {"truncated", "connect"},
    "lying charset": {"ok"},
    "304 for ever": {"ok"},
    "headers": {"bad_http"},
    "crumbs": {"bad_http"},
    "page": {"html"},
    "maze": {"html"},
    "changing guids": {"ok"},
    "one guid": {"ok"},
    "dates": {"ok"},
    "nothing": {"empty"},
    "noise": {"bad_http"},
    "expired": {"tls"},
    "wrong name": {"tls"},
    "self-signed": {"tls"},
}

Perform: TypeAlias = Callable[[PollJob], Awaitable[PollResult | PageResult]]


@dataclass(frozen=True, slots=True)
class Ended:
    """A poll, and how long it took (seconds)."""

    result: PollResult
    took: float


class Run:
    """All hostile servers polled once, some twice, while good feeds are polled again and again.

    `again`: what the second polls gave; `desks`: what the poller has made of it all.
    """

    def __init__(self, worker: Perform) -> None:
        self._worker = worker
        self._over = asyncio.Event()
        self.desks: dict[str, Desk] = {}
        self.again: dict[str, Ended] = {}
        self.took = 0.0
        self.ended: dict[str, Ended] = {}
        self.good: list[Ended] = []
        self.growth = 0

    async def all(self, hostile: Hostile, good: FeedServer) -> None:
        await self._timed(PollJob(feed="warm", url=good.url("/warm")))  # the parsers have started
        before, _ = _memory(reset=True)
        others = [asyncio.create_task(self._again(good.url(f"/good-{number}"))) for number in range(GOOD)]
        began = asyncio.get_running_loop().time()
        self.desks = {name: _watching(name, hostile.url(name)) for name in NAMES}
        await asyncio.gather(*(self._hostile(name, self.ended) for name in NAMES))
        await asyncio.gather(*(self._hostile(name, self.again) for name in TWICE))
        self._over.set()
        self.took = asyncio.get_running_loop().time() - began
        await asyncio.gather(*others)
        self.growth = _memory()[1] - before

    async def _hostile(self, name: str, ended: dict[str, Ended]) -> None:
        ended[name] = await self._timed(self.desks[name].job(name))
        self.desks[name].done(ended[name].result, name)

    async def _again(self, url: str) -> None:
        while not self._over.is_set():
            self.good.append(await self._timed(PollJob(feed="good", url=url)))

    async def _timed(self, job: PollJob) -> Ended:
        began = asyncio.get_running_loop().time()
        result = await self._worker(job)
        assert isinstance(result, PollResult)
        return Ended(result, asyncio.get_running_loop().time() - began)


def _watching(name: str, url: str) -> Desk:
    made = Desk(Poller([replace(source(name, url, site_of(url)), language="ar")], pace=Pace(), parser=1), now=WallClock().now())
    made.reconcile(site_of(url))
    return made


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
async def _poller(hostile: Hostile, folder: Path) -> AsyncIterator[Perform]:
    settings = {"allow_addresses": ["127.0.0.1/32"], "ca_file": hostile.ca_file, "per_site": {"gap": f"{GAP}s"}}
    polling = Polling.model_validate(settings)
    async with Workers(1) as workers, poll_work_for(polling, workers, clock=WallClock(), folder=folder, resolver=Here) as work:
        yield work.perform


def test_each_ends_as_it_should(run: Run) -> None:
    """Feeds 16, 17, 18, 19, 20, 31: what each server does has its outcome from the fixed list; none is a bug of ours."""
    wrong = {
        name: (ended.result.outcome, ended.result.detail)
        for name, ended in run.ended.items()
        if ended.result.outcome not in OUTCOMES[name]
    }
    assert not wrong


def test_each_ends_in_time(run: Run) -> None:
    """Feeds 17, 20, 29: however slowly a server answers, however hard its answer is to read, whatever its page names: 30 s."""
    assert {name: ended.took for name, ended in run.ended.items() if ended.took > LONGEST} == {}


def test_memory(run: Run) -> None:
    """Feeds 17: all of them at once take no more than 32 MB of the poller."""
    assert run.growth <= GROWTH


def test_good_feeds_go_on(run: Run) -> None:
    """Feeds 15 and 17: beside all that, good feeds are polled again and again, none of them late."""
    assert len(run.good) >= SHARE * run.took / GAP
    assert {ended.result.answer for ended in run.good} == {Answer.GOOD}
    assert max(ended.took for ended in run.good) < LONGEST / 2


@pytest.mark.parametrize(
    ("name", "titles", "left", "beyond"),
    [("laughs", {"&l9;"}, 0, 0), ("deep", {"Before"}, 0, 0), ("crowd", {"t"}, 2_500, 15_000)],
)
def test_what_is_read(run: Run, name: str, titles: set[str], left: int, beyond: int) -> None:
    """Feeds 19 and 20: what is too deep, too much, or a DTD's is not read, and what stands beside it is."""
    window = run.ended[name].result.window
    assert window is not None
    assert {entry.item.title for entry in window.entries} == titles
    assert (window.left, window.beyond) == (left, beyond)


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


def test_changing_guids(run: Run) -> None:
    """Feeds 24: items that have other guids at each poll are known by their links from then on, and are no news."""
    made = run.desks["changing guids"]
    assert run.again["changing guids"].result.outcome == "ok"
    assert made.feed("changing guids").named_by is NamedBy.LINK
    assert len({raw.id for raw in made.published}) == len(made.published) == 10


def test_unchanged_for_ever(run: Run) -> None:
    """Feeds 3: a server that says 304 whatever happens is believed while it is asked with a validator, for eight days."""
    made = run.desks["304 for ever"]
    assert run.again["304 for ever"].result.outcome == "not_modified"
    assert made.feed("304 for ever").etag == '"1"'
    made.now += STALE
    assert not made.job("304 for ever").etag
