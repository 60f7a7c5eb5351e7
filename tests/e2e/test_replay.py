"""A feed that changes in every way it can, under a service that is killed twice: nothing lost, nothing doubled."""

import asyncio
from collections import defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import pytest

from daemon.bus.topics import RAW
from daemon.messages.article import RawArticle
from daemon.messages.wire import decode
from tests.e2e.desk import articles, feeds, install
from tests.e2e.press import PATH, Act, Press
from tests.e2e.service import Service, running
from tests.e2e.workplace import records
from tests.servers.feeds import FeedServer, feed_server

_KILLS = 2


class _Life:
    """A service that is started again whenever it was killed."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self._folder = folder
        self._stack = stack

    async def start(self) -> Service:
        self.service = await self._stack.enter_async_context(running(self._folder))
        return self.service

    async def kill(self, after: float) -> None:
        """Kill -9 within a poll, and start again."""
        await asyncio.sleep(after)  # an instant between two events
        await self.service.kill()
        await self.start()


async def play(folder: Path, seed: int) -> tuple[Press, list[RawArticle]]:
    """All acts of the seed's press, `_KILLS` of them under a kill; what the poller published of it."""
    chance, press = Random(seed), Press(seed)
    deadly = set(chance.sample(range(1, 22), _KILLS))
    async with feed_server() as server, AsyncExitStack() as stack:
        install(folder, feeds=feeds({"replay": server.url(PATH)}))
        life = _Life(folder, stack)
        for number, act in enumerate(press.acts()):
            server.script(PATH, *act.answers)
            if number == 0:
                await life.start()
            if number in deadly:
                await server.wait_for(PATH, len(server.asked(PATH)) + 1)
                await life.kill(chance.uniform(0.0, 0.1))
            await _done(server, act)
        assert await life.service.stop() == 0
    found = [decode(record.value) for record in (await records(folder, RAW))[RAW]]
    return press, [raw for raw in found if isinstance(raw, RawArticle)]


async def _done(server: FeedServer, act: Act) -> None:
    """Until the act's documents are committed, or its bad answer was given."""
    await server.wait_for(PATH, len(server.asked(PATH)) + 1)
    while act.etag and server.asked(PATH)[-1].headers.get(b"if-none-match") != act.etag.encode():
        await server.wait_for(PATH, len(server.asked(PATH)) + 1)


@pytest.mark.parametrize("seed", [5])
async def test_a_changing_feed_under_kills(tmp_path: Path, seed: int) -> None:
    """Feeds 23 to 25: distinct items published = distinct items served, repeats 0, edits as revisions of their article."""
    async with asyncio.timeout(300):
        press, published = await play(tmp_path, seed)
    told = defaultdict[str, list[tuple[str, str]]](list)
    for raw in published:
        assert bool(raw.edited) == bool(told[raw.item.link]), raw
        told[raw.item.link].append((raw.item.title, raw.item.summary))
    assert told == press.seen
    revisions = defaultdict[str, list[int]](list)
    for article in await articles(tmp_path):
        revisions[article.url].append(article.revision)
    assert revisions == {link: list(range(1, len(versions) + 1)) for link, versions in press.seen.items()}
