"""Polls per CPU second, beside `reader`: of 25 answers to a feed 20 are 304, 3 the same body, 2 changed by two items of thirty.

Three contestants in turns, round by round, against one server that is another process and not counted: Rasid over TLS (a new
TCP connection and a full handshake each poll: no session is resumed), Rasid and `reader` over plain HTTP. Parsing, rows and
the bus or the database are counted, in one Python process. At the end each must have reported exactly the items that were
served. `reader` is one of the peers: `make .venv/peers.done`; without it the others run alone.

    python -m benchmarks.poll [--feeds 200] [--rounds 10] [--sites N: as many as feeds by default]
"""

import argparse
import asyncio
import logging
import ssl
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import feedparser
import structlog
import uvloop

from benchmarks.parse import document
from daemon.app.outward import poll_work_for
from daemon.bus.base import Lease, Record, Step
from daemon.bus.embedded.bus import EmbeddedBus
from daemon.bus.topics import FEEDS
from daemon.clock import WallClock
from daemon.config.models import Polling
from daemon.feeds.jobs import PollJob, PollResult
from daemon.feeds.pace.schedule import Pace
from daemon.feeds.parse.feed import PARSER_VERSION
from daemon.feeds.poller import Poller
from daemon.feeds.rows import FEED
from daemon.feeds.sources.load import Source
from daemon.net.fetch import Fetcher, Request
from daemon.stage.hop import Work
from daemon.stage.table import StepTable
from tests.servers.cycling import SERVED, cycling_server
from tests.servers.names import Here

_make_reader: Final = import_module("reader").make_reader if find_spec("reader") else None
"""The peers are installed for benchmarks only."""

T = TypeVar("T")
_HANDSHAKES: Final = 300
_PARSES: Final = 20


class Contestant(Protocol):
    """Polls all its feeds once a round."""

    name: str
    prefix: str

    async def round(self) -> int:
        """How many polls were made."""

    def new(self) -> int:
        """How many items were ever reported as new."""


class Rasid:
    """Polls and commits like the runner does: many results a step, one poll of a site at a time."""

    def __init__(self, prefix: str, poller: Poller, worker: Callable[[PollJob], Awaitable[object]], lease: Lease) -> None:
        self.name = "Rasid, TLS" if prefix == "/tls" else "Rasid"
        self.prefix = prefix
        self.outcomes: Counter[str] = Counter()
        self._poller = poller
        self._worker = worker
        self._lease = lease
        self._new = 0

    def new(self) -> int:
        return self._new

    async def round(self) -> int:
        table, out, polls = StepTable(self._lease.rows), list[Record](), 0
        works = [work for row in self._lease.rows.scan(FEED) for work in self._poller.wake(row, table, time.time()).work]
        while works := works or self._works(table):
            await self._lease.commit(Step(None, out, table.changes()))
            results = await asyncio.gather(*(self._one(work.job) for work in works))
            table, out = StepTable(self._lease.rows), []
            for work, result in zip(works, results, strict=True):
                self.outcomes[result.outcome] += 1
                out += self._poller.done(work.key, result, table, time.time()).out
            self._new += len(out)
            polls, works = polls + len(works), []
        await self._lease.commit(Step(None, out, table.changes()))
        return polls

    def _works(self, table: StepTable) -> list[Work]:
        """The next poll of every site that is free."""
        works: dict[bytes, Work] = {}
        while (row := table.next_due(time.time(), works)) is not None:
            works.update((work.key, work) for work in self._poller.wake(row, table, time.time()).work)
        return list(works.values())

    async def _one(self, job: object) -> PollResult:
        if not isinstance(job, PollJob):
            raise TypeError(job)
        result = await self._worker(job)
        if not isinstance(result, PollResult):
            raise TypeError(result)
        return result


class Reader:
    """`reader` as its documentation has it, every feed each time."""

    name = "reader"
    prefix = "/reader"

    def __init__(self, make: Callable[[str], Any], folder: Path, urls: Iterable[str]) -> None:
        self._reader = make(str(folder / "reader.sqlite"))
        for url in urls:
            self._reader.add_feed(url)

    def new(self) -> int:
        return int(self._reader.get_entry_counts().total)

    async def round(self) -> int:
        return sum(1 for _ in self._reader.update_feeds_iter(scheduled=False))


@asynccontextmanager
async def rasid(prefix: str, port: int, folder: Path, options: argparse.Namespace) -> AsyncIterator[Rasid]:
    scheme = "https" if prefix == "/tls" else "http"
    sources = []
    for number in range(options.feeds):
        site = f"site-{number % options.sites}.example"
        url = f"{scheme}://{site}:{port}{prefix}-{number}"
        sources.append(Source(id=f"feed-{number}", url=url, shown=url, site=site))
    poller = Poller(sources, pace=Pace(), parser=PARSER_VERSION)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        file = folder / f"{prefix.strip('/')}.sqlite"
        bus = await enter(EmbeddedBus(file, clock=WallClock(), service=True, partitions=1))
        lease = await enter(await anext(aiter(bus.leases(FEEDS, "poller"))))
        settings = {"allow_addresses": ["127.0.0.1/32"], "ca_file": folder / "ca.pem", "per_site": {"gap": 0}}
        polling = Polling.model_validate({**settings, "user_agent": "Rasid/bench"})
        work = await enter(poll_work_for(polling, Inline(), clock=WallClock(), folder=folder, resolver=Here))
        table = StepTable(lease.rows)
        poller.reconcile(0, 1, table, time.time())
        await lease.commit(Step(None, (), table.changes()))
        yield Rasid(prefix, poller, work.perform, lease)


class Inline:
    """Parses in this process, so that it is counted."""

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        return function(*arguments)


async def measure(folder: Path, options: argparse.Namespace) -> None:
    names = [f"site-{number}.example" for number in range(options.sites)]
    async with AsyncExitStack() as stack:
        plain, secure = await stack.enter_async_context(cycling_server(folder, names))
        contestants: list[Contestant] = [
            await stack.enter_async_context(rasid("/tls", secure, folder, options)),
            await stack.enter_async_context(rasid("/plain", plain, folder, options)),
        ]
        if _make_reader is not None:
            urls = [f"http://127.0.0.1:{plain}{Reader.prefix}-{number}" for number in range(options.feeds)]
            contestants.append(Reader(_make_reader, folder, urls))
        spent, polls = Counter[str](), Counter[str]()
        for number in range(options.rounds + 1):
            for each in contestants:
                cpu = time.process_time()
                count = await each.round()
                if number:  # the first is the first fetch
                    spent[each.name] += round((time.process_time() - cpu) * 1e9)
                    polls[each.name] += count
        for each in contestants:
            speed = polls[each.name] / spent[each.name] * 1e9
            served = await _served(each.prefix, plain)
            print(
                f"{each.name:10s} {polls[each.name]} polls, {speed:6.0f} a CPU second; new items {each.new()}, served {served}"
            )
        alone, raw = time.process_time(), document()
        for _ in range(_PARSES):
            feedparser.parse(raw, response_headers={"content-type": "application/xml"})
        alone = (time.process_time() - alone) / _PARSES * 1e3
        print(f"the machine: feedparser takes {alone:.1f} ms for forty items (10.0 where the aims were set)")
        print(f"one TLS handshake alone: {handshake(folder, names[0]) * 1e3:.2f} ms of CPU ({ssl.OPENSSL_VERSION})")


async def _served(prefix: str, port: int) -> int:
    async with Fetcher(clock=WallClock(), allowed=[ip_network("127.0.0.1/32")]) as fetcher:
        answer = await fetcher.get(Request(url=f"http://127.0.0.1:{port}{SERVED}{prefix}", user_agent="bench"))
    return int(answer.body)


def handshake(folder: Path, name: str) -> float:
    """CPU seconds of the client's side: what no client in Python can do without."""
    client = ssl.create_default_context(cafile=folder / "ca.pem")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / f"{name}.leaf")
    return sum(_shake(client, server, name) for _ in range(_HANDSHAKES)) / _HANDSHAKES


def _shake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> float:
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = server.wrap_bio(up, down, server_side=True)
    began = time.process_time()
    ours = client.wrap_bio(down, up, server_hostname=name)
    spent = time.process_time() - began
    while True:
        began = time.process_time()
        done = _step(ours)
        spent += time.process_time() - began
        if done:
            break
        _step(theirs)
    return spent


def _step(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--sites", type=int, default=0)
    options = parser.parse_args()
    options.sites = options.sites or options.feeds
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with tempfile.TemporaryDirectory() as name:
        uvloop.run(measure(Path(name), options))


if __name__ == "__main__":
    main()
