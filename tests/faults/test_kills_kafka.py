"""kill -9 on Kafka at instants drawn from a seed, then a last start: every article of the feed is accounted for."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.app.roles import Role
from daemon.config.models import KafkaSettings
from tests.bus.kafka_engine import settings
from tests.e2e.workplace import write
from tests.faults.ledger import WATCHLIST, keeping
from tests.faults.progress import Tally
from tests.faults.scene import ONE, Scene, staged
from tests.faults.strikes import Kill
from tests.faults.table import ANSWERS_AFTER
from tests.servers.kafka import Cluster


@asynccontextmanager
async def scene_of(folder: Path, kafka: KafkaSettings, processes: Mapping[str, Sequence[str]] = ONE) -> AsyncIterator[Scene]:
    """A scene whose seed is printed, and its figures when it has settled."""
    seed = secrets.randbelow(2**32)
    async with keeping(folder, seed, takes=ANSWERS_AFTER) as ledger:
        write(folder, WATCHLIST, [ledger.feed()], ledger.sink.url, kafka=kafka)
        async with staged(folder, ledger, Tally(), processes) as scene:
            scene.chance.seed(seed)
            yield scene
            print(f"seed {seed}: {await scene.settle()}")  # noqa: T201 - what it takes to draw the same again, and the figures


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_kills_on_kafka(tmp_path: Path, broker: Cluster) -> None:
    """Nothing lost, nothing doubled, repeats counted and at most one a kill, for one process with all roles and one of five.

    Both at once, since much of it is waiting. The first has an instance name and takes its place again at once; for the
    nameless, the group waits 20 s.
    """
    async with asyncio.TaskGroup() as both:
        both.create_task(kills_of_one_process(tmp_path / "one", broker))
        both.create_task(kill_of_one_of_five(tmp_path / "five", broker))


async def kills_of_one_process(folder: Path, broker: Cluster, kills: int = 5) -> None:
    """Each life gets as far as the sink, and is killed within the second that follows."""
    async with scene_of(folder, settings(broker).model_copy(update={"instance": "one"})) as scene:
        for _ in range(kills):
            scene.ledger.publish(25)
            await scene.up()
            await scene.at_work()
            await scene.moment()
            await Kill().strike(scene)


async def kill_of_one_of_five(folder: Path, broker: Cluster) -> None:
    """One process a role: one of them dies and comes back while the others go on."""
    async with scene_of(folder, settings(broker), {role: ("--role", role) for role in Role}) as scene:
        scene.ledger.publish(50)
        await scene.up()
        await scene.at_work()
        await scene.moment()
        await Kill().strike(scene)
        print(f"killed was the {set(Role) - scene.services.keys()}")  # noqa: T201 - belongs to the seed
        scene.ledger.publish(25)
