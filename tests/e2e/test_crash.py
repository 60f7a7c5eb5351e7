"""kill -9 at instants drawn from a seed, then a last start: every article of the feed is accounted for."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from daemon.app.roles import Role
from tests.bus.kafka_engine import settings
from tests.e2e.ledger import WATCHLIST, Ledger
from tests.e2e.service import running
from tests.e2e.workplace import write
from tests.servers.feeds import feed_server
from tests.servers.hooks import HookServer
from tests.servers.kafka import Cluster

ANSWERS_AFTER = 0.02
"""Seconds the sink takes: while a message is in flight for most of the time, most kills hit one."""
TAKEN_OVER_WITHIN = 90.0
"""Twice the promised 45 s."""


@asynccontextmanager
async def keeping_ledger() -> AsyncIterator[Ledger]:
    """A feed server and a sink of the test's own; the seed is printed when it fails."""
    seed = secrets.randbelow(2**32)
    print(f"seed {seed}")  # noqa: T201 - what it takes to draw the same instants again
    async with feed_server() as feeds, HookServer(takes=ANSWERS_AFTER) as sink:
        yield Ledger(feeds, sink, seed)


async def settle(ledger: Ledger, folder: Path, kills: int) -> None:
    """At most one message was in flight at each kill."""
    balance = await ledger.balance(folder)
    print(f"{kills} kills; {balance}")  # noqa: T201 - the figures
    balance.holds(set(ledger.links), in_flight=kills)


async def test_kills_on_the_embedded_bus(tmp_path: Path) -> None:
    """Eight kills from the start to full work: nothing lost, nothing doubled, repeats counted and at most one a kill."""
    kills = 8
    async with keeping_ledger() as ledger:
        folder = write(tmp_path, WATCHLIST, [ledger.feed()], ledger.sink.url)
        for number in range(kills):
            ledger.publish(15)
            async with running(folder) as service:
                if number % 4 > 1:
                    await ledger.taken_more(60.0)
                elif number % 4 == 1:
                    await service.event("started")
                await ledger.some_instant(1.0)
                await service.kill()
        await finish(ledger, folder, within=60.0)
        await settle(ledger, folder, kills)


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_kills_on_kafka(tmp_path: Path, broker: Cluster) -> None:
    """The same on Kafka, for a process with all roles and for one of five; both at once, since much of it is waiting.

    The first has an instance name and takes its place again at once; for the nameless, the group waits 20 s.
    """
    async with asyncio.TaskGroup() as both:
        both.create_task(kills_of_one_process(tmp_path / "one", broker))
        both.create_task(kill_of_one_of_five(tmp_path / "five", broker))


async def kills_of_one_process(folder: Path, broker: Cluster, kills: int = 5) -> None:
    """Each life gets as far as the sink, and is killed within the second that follows."""
    async with keeping_ledger() as ledger:
        named = settings(broker).model_copy(update={"instance": "one"})
        write(folder, WATCHLIST, [ledger.feed()], ledger.sink.url, kafka=named)
        for _ in range(kills):
            ledger.publish(25)
            async with running(folder) as service:
                await ledger.taken_more(TAKEN_OVER_WITHIN)
                await ledger.some_instant(1.0)
                await service.kill()
        await finish(ledger, folder, TAKEN_OVER_WITHIN)
        await settle(ledger, folder, kills)


async def kill_of_one_of_five(folder: Path, broker: Cluster) -> None:
    """One process a role: one of them dies and comes back while the others go on."""
    async with keeping_ledger() as ledger, AsyncExitStack() as stack:
        write(folder, WATCHLIST, [ledger.feed()], ledger.sink.url, kafka=settings(broker))
        services = {role: await stack.enter_async_context(running(folder, "--role", role)) for role in Role}
        ledger.publish(50)
        await ledger.taken_more(TAKEN_OVER_WITHIN)
        await ledger.some_instant(1.0)
        victim = ledger.chance.choice(list(Role))
        print(f"the {victim} is killed")  # noqa: T201 - belongs to the seed
        await services[victim].kill()
        ledger.publish(25)
        services[victim] = await stack.enter_async_context(running(folder, "--role", victim))
        await ledger.taken_all(TAKEN_OVER_WITHIN)
        assert await asyncio.gather(*(service.stop() for service in services.values())) == [0] * len(Role)
        await settle(ledger, folder, 1)


async def finish(ledger: Ledger, folder: Path, within: float) -> None:
    """The last life: it ends in good order when the sink has everything, or has had its time."""
    async with running(folder) as service:
        await ledger.taken_all(within)
        assert await service.stop() == 0, service.told()
