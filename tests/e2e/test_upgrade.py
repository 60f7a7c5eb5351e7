"""Old and new versions side by side, and back: released wheels beside this code, on one bus; nothing lost, nothing doubled.

`make wheel` adds the wheel of the present version, or renews it; each release leaves its own in `tests/golden/wheels`.
"""

import asyncio
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from secrets import randbelow
from typing import Final

import pytest

from tests.bus.kafka_engine import settings
from tests.e2e.service import ROOT, Service, command, copy_starter, environment, running
from tests.e2e.workplace import write
from tests.faults.balance import take_stock
from tests.faults.ledger import WATCHLIST, Ledger, keeping
from tests.servers.kafka import Cluster

WHEELS: Final = sorted((ROOT / "tests" / "golden" / "wheels").glob("*.whl"))
LARGEST: Final = 1_000_000
WORKERS: Final = ("one", "two", "three")
WITHIN: Final = 90.0
NEW: Final[Mapping[str, str]] = {}


@pytest.fixture(params=WHEELS, ids=lambda path: path.name.split("-")[1])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Mapping[str, str]:
    """The environment in which a process runs the code of a released wheel: pure Python, so unpacking is installing."""
    code = tmp_path / "old"
    with zipfile.ZipFile(request.param) as wheel:
        wheel.extractall(code)
    return {"PYTHONPATH": str(code), "PYTHONSAFEPATH": "1"}  # the checkout is the current folder


def test_there_is_a_wheel() -> None:
    """At least one release is kept, and each is small."""
    assert WHEELS
    assert all(path.stat().st_size < LARGEST for path in WHEELS)


class Roll:
    """Workers on one bus, each a process of either version."""

    def __init__(self, folder: Path, ledger: Ledger, stack: AsyncExitStack) -> None:
        self._folder = folder
        self._ledger = ledger
        self._stack = stack
        self._workers: dict[str, Service] = {}

    async def start(self, names: Sequence[str], code: Mapping[str, str]) -> None:
        for name in names:
            environ = {**code, "RASID_BUS__KAFKA__INSTANCE": name}
            self._workers[name] = await self._stack.enter_async_context(running(self._folder, **environ))
        await asyncio.gather(*(self._workers[name].event("started", WITHIN) for name in names))

    async def replace_each(self, code: Mapping[str, str]) -> None:
        """Stop one after the other in good order and start it as the other version, each once the others have work."""
        for name, worker in list(self._workers.items()):
            await self._ledger.taken_more(WITHIN)
            assert await worker.stop() == 0, worker.told()
            await self.start([name], code)

    async def stop(self) -> None:
        assert await asyncio.gather(*(worker.stop() for worker in self._workers.values())) == [0] * len(self._workers)


@asynccontextmanager
async def load(ledger: Ledger) -> AsyncIterator[None]:
    """Articles keep coming, five a second."""

    async def publish() -> None:
        while True:
            ledger.publish(1)
            await asyncio.sleep(0.2)  # the pace is the load

    publishing = asyncio.create_task(publish())
    try:
        yield
    finally:
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_roll_and_back_on_kafka(tmp_path: Path, broker: Cluster, old: Mapping[str, str]) -> None:
    """Three workers rolled one at a time from the old version to the new and back, under load: each article once."""
    async with keeping(tmp_path, randbelow(2**32), takes=0.02) as ledger, AsyncExitStack() as stack:
        folder = write(tmp_path / "rolled", WATCHLIST, [ledger.feed()], ledger.sink.url, kafka=settings(broker, partitions=4))
        roll = Roll(folder, ledger, stack)
        await roll.start(WORKERS, old)
        async with load(ledger):
            await roll.replace_each(NEW)
            await roll.replace_each(old)
        assert await ledger.taken_all(WITHIN)
        await roll.stop()
        balance = await take_stock(ledger, folder)
        print(balance)  # noqa: T201 - the figures
        balance.holds(in_flight=0)


@pytest.mark.slow
async def test_there_and_back_on_the_embedded_bus(tmp_path: Path, old: Mapping[str, str]) -> None:
    """A file the old version began is gone on with by the new one, and by the old one again: each article once."""
    async with keeping(tmp_path, randbelow(2**32), takes=0.02) as ledger:
        folder = write(tmp_path / "carried", WATCHLIST, [ledger.feed()], ledger.sink.url)
        for code in (old, NEW, old, NEW):
            ledger.publish(15)
            async with running(folder, **code) as service:
                await ledger.taken_more(WITHIN)
                assert await service.stop() == 0, service.told()
        async with running(folder, **old) as service:
            assert await ledger.taken_all(WITHIN), service.told()
            assert await service.stop() == 0, service.told()
        (await take_stock(ledger, folder)).holds(in_flight=0)


async def test_the_old_version_runs_its_own_code(tmp_path: Path, old: Mapping[str, str]) -> None:
    """What runs as the old version comes from the wheel, with its data files, and not from the checkout."""
    where = [sys.executable, "-c", "import daemon; print(daemon.__file__)"]
    found = await asyncio.to_thread(subprocess.run, where, env=environment(**old), capture_output=True, check=True)
    assert found.stdout.decode().startswith(old["PYTHONPATH"])
    code, _, err = await command(copy_starter(tmp_path), "check", **old)
    assert code == 0, err
