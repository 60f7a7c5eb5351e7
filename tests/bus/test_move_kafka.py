"""Moves with a real broker on one side or on both."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.app.moves import Place, move
from daemon.bus.kafka.bus import KafkaBus
from daemon.bus.topics import RAW
from daemon.clock import WallClock
from daemon.config.models import KafkaSettings
from daemon.errors import BusRefused
from daemon.metrics import Metrics
from tests.bus.engine import everything, holding
from tests.bus.kafka_engine import QUICK, settings
from tests.bus.test_move import PATIENCE, counted, engine, fill, place, quiet
from tests.servers.kafka import Cluster

pytestmark = pytest.mark.kafka


def cluster(folder: Path, broker: Cluster, partitions: int) -> tuple[Place, KafkaSettings]:
    """A configuration of topics nobody else has."""
    to = settings(broker, partitions=partitions)
    said = {"bootstrap_servers": to.bootstrap_servers, "topic_prefix": to.topic_prefix, "partitions": partitions}
    bus = {"kind": "kafka", "kafka": {**said, "replication_factor": 1}}
    return place(folder, json.dumps({"bus": bus})), to


@asynccontextmanager
async def running(to: KafkaSettings) -> AsyncIterator[KafkaBus]:
    async with KafkaBus(to, clock=WallClock(), observe=Metrics().observe, timing=QUICK) as bus:
        yield bus


@pytest.mark.slow
@pytest.mark.parametrize("count", [4, 3])
async def test_there_and_back(tmp_path: Path, broker: Cluster, count: int) -> None:
    """From a file to Kafka, to topics of another count, and back to a file: nothing lost, nothing twice, lanes in order."""
    first, last = place(tmp_path / "first"), place(tmp_path / "last")
    middle, _ = cluster(tmp_path / "middle", broker, count)
    other, to = cluster(tmp_path / "other", broker, 2)
    async with engine(first) as bus:
        await fill(bus)
    moves = [await move(*way, None, WallClock(), quiet) for way in ((first, middle), (middle, other), (other, last))]
    assert len({(done.records, done.unconsumed) for done, _ in moves}) == 1
    async with engine(last) as bus:
        await counted(bus)
    async with running(to) as kafka:
        await counted(kafka)


@pytest.mark.slow
async def test_after_real_transactions(tmp_path: Path, broker: Cluster) -> None:
    """Positions and rows that hops have committed on Kafka, with marks of transactions among the records, come along."""
    old, to = cluster(tmp_path / "old", broker, 3)
    new = place(tmp_path / "new")
    async with running(to) as kafka:
        await fill(kafka)
    await move(old, new, 5, WallClock(), quiet)
    async with engine(new) as bus:
        await counted(bus)


@pytest.mark.slow
async def test_a_move_is_offline_and_adds_to_nothing(tmp_path: Path, broker: Cluster) -> None:
    """While a service is a member of the groups, and to topics that hold anything, it is refused; nothing is written."""
    file, full = place(tmp_path / "file"), place(tmp_path / "full")
    there, to = cluster(tmp_path / "there", broker, 2)
    async with engine(file) as bus:
        await fill(bus)
    async with running(to) as kafka:
        async with holding(kafka, RAW, "enricher", PATIENCE) as holder:
            await holder.any()
            for way in ((file, there), (there, full)):
                with pytest.raises(BusRefused, match="a service is running"):
                    await move(*way, None, WallClock(), quiet)
        assert await everything(kafka, RAW) == []
    await move(file, there, None, WallClock(), quiet)
    with pytest.raises(BusRefused, match="holds records already"):
        await move(file, there, None, WallClock(), quiet)
    assert full.file is not None
    assert not full.file.exists()
    async with running(to) as kafka:
        await counted(kafka)
