"""Polls per CPU second over TLS, a new connection each: 80 % 304, 12 % the same body, 8 % changed by two items of thirty.

The server is another process and not counted; parsing, rows and the embedded bus are.

    python -m benchmarks.poll [--feeds 200] [--rounds 10] [--plain]
"""

import argparse
import asyncio
import logging
import multiprocessing
import ssl
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from ipaddress import ip_network
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import structlog
import trustme
import uvloop
from aiohttp import web

from daemon.bus.base import Lease, Record, Step
from daemon.bus.embedded.bus import EmbeddedBus
from daemon.bus.topics import FEEDS
from daemon.clock import WallClock
from daemon.feeds.jobs import PollJob, PollResult
from daemon.feeds.parse import PARSER_VERSION, parse_feed
from daemon.feeds.parsed import Parsed
from daemon.feeds.poller import Poller
from daemon.feeds.polling import PollWorker
from daemon.feeds.rows import FEED
from daemon.feeds.schedule import Pace
from daemon.feeds.sources import Source
from daemon.net.fetch import Fetcher
from daemon.net.politeness import Politeness
from daemon.stage.hop import Work
from daemon.stage.table import StepTable
from daemon.urls import site_of

_SITES: Final = 20
_CYCLE: Final = ["304"] * 20 + ["same"] * 3 + ["changed"] * 2
_WORDS: Final = "وقال الوزير إن القوات تواصل عملها في البلاد وإن اللقاء تناول ملفات التعاون المشترك بين الجانبين "


def body_of(feed: str, shift: int) -> bytes:
    """Thirty items of about 1.3 kB, the newest first; each shift brings two new ones."""
    items = [
        f"<item><guid>{feed}-{n}</guid><link>https://example.org{feed}/{n}</link><title>{_WORDS[:60]}{n}</title>"
        f"<description>{_WORDS * 6}{n}</description><pubDate>Mon, 01 Jan 2024 10:00:00 GMT</pubDate></item>"
        for n in range(shift * 2 + 30, shift * 2, -1)
    ]
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{feed}</title>{"".join(items)}</channel></rss>'.encode()


class Server:
    """Each feed goes through the cycle on its own, from its own place in it."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._shifts: Counter[str] = Counter()

    async def answer(self, request: web.BaseRequest) -> web.Response:
        path, asked = request.path, self._asked[request.path]
        self._asked[path] += 1
        kind = _CYCLE[(asked + hash(path)) % len(_CYCLE)] if asked else "changed"
        headers = {"ETag": f'"{self._shifts[path]}"', "Connection": "close", "Content-Type": "application/rss+xml"}
        if kind == "304":
            return web.Response(status=304, headers=headers)
        self._shifts[path] += kind == "changed"
        return web.Response(body=body_of(path, self._shifts[path]), headers=headers)


def serve(pipe: Connection, certificate: str | None) -> None:
    """In a process of its own: says its port, serves until killed."""

    async def run() -> None:
        context = None
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
        server = web.Server(Server().answer)
        listener = await asyncio.get_running_loop().create_server(server, "0.0.0.0", 0, ssl=context, backlog=1000)  # noqa: S104 - 127.0.0.0/8 is many sites
        pipe.send(listener.sockets[0].getsockname()[1])
        await listener.serve_forever()

    uvloop.run(run())


async def parse(raw: bytes, **said: Any) -> Parsed:
    return parse_feed(raw, **said)


class Pollers:
    """Polls each feed once a round and commits like the runner does: many results a step, one poll of a site at a time."""

    def __init__(self, poller: Poller, worker: PollWorker, lease: Lease) -> None:
        self._poller = poller
        self._worker = worker
        self._lease = lease
        self.outcomes: Counter[str] = Counter()

    async def round(self) -> None:
        table, out = StepTable(self._lease.rows), list[Record]()
        for row in self._lease.rows.scan(FEED):
            self._poller.wake(row, table, time.time())
        while works := self._works(table):
            await self._lease.commit(Step(None, out, table.changes()))
            results = await asyncio.gather(*(self._one(work.job) for work in works))
            table, out = StepTable(self._lease.rows), []
            for work, result in zip(works, results, strict=True):
                self.outcomes[result.outcome] += 1
                out += self._poller.done(work.key, result, table, time.time()).out
        await self._lease.commit(Step(None, out, table.changes()))

    def _works(self, table: StepTable) -> list[Work]:
        """The next poll of every site that is free."""
        works: dict[bytes, Work] = {}
        while (row := table.next_due(time.time(), works)) is not None:
            works.update((work.key, work) for work in self._poller.wake(row, table, time.time()).work)
        return list(works.values())

    async def _one(self, job: object) -> PollResult:
        if not isinstance(job, PollJob):
            raise TypeError(job)
        return await self._worker(job)


async def measure(port: int, ca_file: Path | None, folder: Path, options: argparse.Namespace) -> None:
    scheme = "https" if ca_file else "http"
    urls = [f"{scheme}://127.0.0.{1 + number % _SITES}:{port}/feed-{number}" for number in range(options.feeds)]
    sources = [Source(id=f"feed-{number}", url=url, shown=url, site=site_of(url)) for number, url in enumerate(urls)]
    poller = Poller(sources, pace=Pace(), parser=PARSER_VERSION)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        bus = await enter(EmbeddedBus(folder / "bus.sqlite", clock=WallClock(), service=True, partitions=1))
        lease = await enter(await anext(aiter(bus.leases(FEEDS, "poller"))))
        fetcher = await enter(Fetcher(clock=WallClock(), allowed=[ip_network("127.0.0.0/8")], ca_file=ca_file))
        polite = Politeness(gap=0.0, concurrency=200)
        worker = PollWorker(fetcher, polite, parse, clock=WallClock(), folder=folder, user_agent="Rasid/bench")
        table = StepTable(lease.rows)
        poller.reconcile(0, 1, table, time.time())
        await lease.commit(Step(None, (), table.changes()))
        pollers = Pollers(poller, worker, lease)
        await pollers.round()
        pollers.outcomes.clear()
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(options.rounds):
            await pollers.round()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    polls = sum(pollers.outcomes.values())
    shares = ", ".join(f"{outcome} {count / polls:.0%}" for outcome, count in pollers.outcomes.most_common())
    print(f"{scheme}: {polls} polls ({shares}): {polls / cpu:.0f} a CPU second, {polls / wall:.0f} a second of wall time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--plain", action="store_true", help="without TLS")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with tempfile.TemporaryDirectory() as name:
        folder, ca_file = Path(name), None
        if not options.plain:
            authority, ca_file = trustme.CA(), folder / "ca.pem"
            authority.cert_pem.write_to_path(str(ca_file))
            leaf = authority.issue_cert(*(f"127.0.0.{number}" for number in range(1, _SITES + 1)))
            leaf.private_key_and_cert_chain_pem.write_to_path(str(folder / "leaf.pem"))
        ours, theirs = multiprocessing.Pipe()
        server = multiprocessing.get_context("spawn").Process(
            target=serve, args=(theirs, None if options.plain else str(folder / "leaf.pem")), daemon=True
        )
        server.start()
        try:
            uvloop.run(measure(ours.recv(), ca_file, folder, options))
        finally:
            server.terminate()
            server.join()


if __name__ == "__main__":
    main()
