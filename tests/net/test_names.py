"""Names to addresses, with a resolver that answers as it is told."""

import asyncio
import socket
from collections import Counter

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from daemon.clock import WallClock
from daemon.net.answers import FetchOutcome
from daemon.net.bodies import Limits
from daemon.net.fetch import Fetcher, Request
from daemon.net.names import FOUND_FOR, MISSED_FOR, Names
from tests.net.conftest import LOCAL
from tests.servers.feeds import feed_server


class Zone(AbstractResolver):
    """`live…` is 127.0.0.1, `dead…` is nowhere, `mute…` is never answered."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.now = 0.0

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        self.asked[host] += 1
        await asyncio.sleep(0)
        if host.startswith("mute"):
            await asyncio.Event().wait()
        if host.startswith("dead"):
            raise OSError(None, "Domain name not found")
        found = ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)
        return [found] * (family != socket.AF_INET6)

    async def close(self) -> None:
        self.now = -1.0


async def test_answers_are_kept() -> None:
    """Feeds 32: five minutes what was found, for every port; one minute that there was nothing."""
    zone = Zone()
    names = Names(zone, timer=lambda: zone.now)
    for zone.now in (0.0, FOUND_FOR - 1, FOUND_FOR + 1):
        assert [each["port"] for each in await names.resolve("live.example", 8080)] == [8080]
    for zone.now in (0.0, MISSED_FOR - 1, MISSED_FOR + 1):
        with pytest.raises(OSError, match="not found"):
            await names.resolve("dead.example")
    assert zone.asked == {"live.example": 2, "dead.example": 2}
    await names.close()
    assert zone.now == -1.0


async def test_many_who_ask_are_one_question() -> None:
    """Feeds 32: a name is asked for once at a time; who gives up takes the answer from nobody."""
    zone = Zone()
    names = Names(zone, timer=lambda: zone.now)
    first = asyncio.create_task(names.resolve("live.example"))
    others = [asyncio.create_task(names.resolve("LIVE.example")) for _ in range(10)]
    await asyncio.sleep(0)
    first.cancel()
    assert all([len(await other) == 1 for other in others])
    assert zone.asked == {"live.example": 1}
    await names.close()


async def test_dead_domains_stall_nobody() -> None:
    """Feeds 32: a thousand names that are never answered delay no other feed, and end on time as what they are."""
    zone = Zone()
    async with (
        feed_server() as server,
        Fetcher(clock=WallClock(), allowed=LOCAL, limits=Limits(total=4.5), resolver=lambda: zone) as fetcher,
    ):
        server.publish("/feed", b"x")

        def ask(host: str) -> asyncio.Task[FetchOutcome]:
            url = f"http://{host}.example:{server.port}/feed"
            return asyncio.create_task(_outcome(fetcher, Request(url=url, user_agent="Test/1")))

        mute = [ask(f"mute{number}") for number in range(1_000)]
        async with asyncio.timeout(4.0):
            assert [await ask("live"), await ask("dead")] == [FetchOutcome.OK, FetchOutcome.DNS]
        assert not any(each.done() for each in mute)
        assert {await each for each in mute} == {FetchOutcome.TIMEOUT}


async def _outcome(fetcher: Fetcher, request: Request) -> FetchOutcome:
    return (await fetcher.get(request)).outcome


async def test_name_servers_that_are_silent() -> None:
    """Feeds 32: c-ares itself, asking a server that never answers, holds no thread and ends as a timeout or a miss."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]

        def resolver() -> AbstractResolver:
            return aiohttp.AsyncResolver(nameservers=["127.0.0.1"], udp_port=port, timeout=0.2, tries=1)

        async with Fetcher(clock=WallClock(), limits=Limits(total=3.0), resolver=resolver) as fetcher:
            requests = [Request(url=f"http://n{number}.example/", user_agent="Test/1") for number in range(200)]
            outcomes = await asyncio.gather(*(_outcome(fetcher, request) for request in requests))
    assert set(outcomes) == {FetchOutcome.DNS}
