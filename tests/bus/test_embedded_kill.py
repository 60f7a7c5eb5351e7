"""Services of other processes, really killed."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from daemon.bus.base import Record
from daemon.bus.topics import ARTICLES, RAW
from daemon.errors import BusRefused
from tests.bus.embedded_engine import EmbeddedEngine
from tests.bus.engine import everything, state

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tmp_path)
    yield engine
    await engine.end()


class Service:
    """A `tests.bus.storm` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdout is not None
        self._out = process.stdout

    @classmethod
    async def start(cls, path: Path, first: int) -> "Service":
        command = (sys.executable, "-m", "tests.bus.storm", str(path), str(first))
        return cls(await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE))

    async def acknowledged(self, count: int) -> list[int]:
        """The numbers of the next appends that were made durable."""
        async with asyncio.timeout(30):
            return [int(await self._out.readline()) for _ in range(count)]

    async def kill(self) -> list[int]:
        """Kill -9; the numbers it still had said, a torn line left out."""
        self._process.kill()
        said = await self._out.read()
        await self._process.wait()
        return [int(line) for line in said.split(b"\n")[:-1]]


async def test_a_second_service_is_refused_until_the_first_is_dead(engine: EmbeddedEngine) -> None:
    """While a service lives another is refused with advice; once it was killed the next one starts at once."""
    service = await Service.start(engine.path, 0)
    try:
        await service.acknowledged(1)
        with pytest.raises(BusRefused, match=r"another service .* kafka"):
            await engine.open()
        beside = await engine.open(service=False)
        assert await everything(beside, RAW)
    finally:
        await service.kill()
    await engine.open()


@pytest.mark.slow
async def test_kills_lose_nothing(engine: EmbeddedEngine) -> None:
    """Ten kills amid a storm of commits: what was acknowledged is there, each step is whole, the file is sound."""
    rng = random.Random(3)
    acknowledged: list[int] = []
    for _ in range(10):
        service = await Service.start(engine.path, max(acknowledged, default=-1) + 1)
        try:
            acknowledged += await service.acknowledged(rng.randrange(1, 600))
        finally:
            acknowledged += await service.kill()
    with apsw.Connection(str(engine.path)) as db:
        assert db.pragma("integrity_check") == "ok"
    bus = await engine.open()
    raw, moved = await everything(bus, RAW), await everything(bus, ARTICLES)
    assert set(acknowledged) <= {int(record.key) for record in raw}
    for lane in {record.lane for record in raw}:
        source, result = ([_content(r) for r in records if r.lane == lane] for records in (raw, moved))
        assert result == source[: len(result)]
    assert set(await state(bus)) == {record.key for record in moved}


def _content(record: Record) -> tuple[bytes, bytes | None]:
    return (record.key, record.value)
