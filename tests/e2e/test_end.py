"""An end in good order whatever goes on, and a start without a broker."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from random import Random
from secrets import randbelow

import orjson
import pytest

from daemon.config.models import KafkaSettings
from tests.bus.kafka_engine import settings
from tests.e2e.service import Service, copy_starter, running
from tests.e2e.workplace import write
from tests.faults.balance import take_stock
from tests.faults.ledger import WATCHLIST, Ledger, keeping
from tests.faults.receivers import manner
from tests.servers.hooks import Say
from tests.servers.kafka import Cluster


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def kafka(request: pytest.FixtureRequest) -> KafkaSettings | None:
    """Where the bus is: None for the embedded one."""
    return settings(request.getfixturevalue("broker")) if request.param == "kafka" else None


async def ended_well(service: Service) -> None:
    """SIGTERM, and the exit code of an orderly end: beyond the promise the service itself makes it another."""
    began = time.monotonic()
    assert await service.stop() == 0, service.told()
    print(f"gone after {time.monotonic() - began:.1f} s")  # noqa: T201 - a figure


async def test_sigterm_under_load(tmp_path: Path, kafka: KafkaSettings | None) -> None:
    """With articles at every hop and a slow receiver it ends in time with 0; the next start does the rest, once."""
    async with keeping(tmp_path, randbelow(2**32), takes=0.03) as ledger:
        ledger.publish(80)
        folder = write(tmp_path, WATCHLIST, [ledger.feed()], ledger.sink.url, kafka=kafka)
        async with running(folder) as service:
            await ledger.taken_more(60.0)
            await ended_well(service)
        assert ledger.intake.count < 80
        async with running(folder) as service:
            await ledger.taken_all(60.0)
            assert await service.stop() == 0, service.told()
        (await take_stock(ledger, folder)).holds(in_flight=0)


async def test_sigterm_while_a_receiver_thinks(tmp_path: Path) -> None:
    """A receiver that takes 30 s is not waited for: exit 0, and the attempt that was broken off is on record as doubtful."""
    async with keeping(tmp_path, randbelow(2**32)) as ledger:
        ledger.publish(1)
        folder = write(tmp_path, WATCHLIST, [ledger.feed()], ledger.sink.url)
        with manner(ledger.intake, lambda: Say(after=30.0)):
            async with running(folder) as service:
                await ledger.taken_more(60.0)
                await ended_well(service)
        async with running(folder) as service:
            await ledger.taken_more(60.0)
            await ended_well(service)
        balance = await take_stock(ledger, folder)
        balance.holds(in_flight=1)
        assert (balance.doubtful, balance.repeats) == (1, 1)


@pytest.mark.kafka
async def test_sigterm_while_the_broker_is_frozen(tmp_path: Path, broker: Cluster) -> None:
    """A broker that takes all and answers nothing is not waited for: exit 0; the next start on the thawed one does the rest."""
    async with keeping(tmp_path, randbelow(2**32), takes=0.03) as ledger:
        ledger.publish(80)
        folder = write(tmp_path, WATCHLIST, [ledger.feed()], ledger.sink.url, kafka=settings(broker))
        async with running(folder) as service:
            await ledger.taken_more(60.0)
            with frozen(broker):
                await ended_well(service)
        assert ledger.intake.count < 80
        async with running(folder) as service:
            await ledger.taken_all(60.0)
            await ended_well(service)
        (await take_stock(ledger, folder)).holds(in_flight=1)


@contextmanager
def frozen(broker: Cluster) -> Iterator[None]:
    broker.freeze(1)
    try:
        yield
    finally:
        broker.thaw(1)


@pytest.mark.parametrize("impatient", [False, True])
async def test_ctrl_c_around_the_start_of_a_worker(tmp_path: Path, *, impatient: bool) -> None:
    """Ctrl-C goes to the whole group: at no instant does a process of it complain, and once more of it ends it at once."""
    seed = randbelow(2**32)
    print(f"seed {seed}")  # noqa: T201 - what it takes to draw the same instants again
    chance = Random(seed)
    for number in range(3):
        (tmp_path / str(number)).mkdir()
        async with running(copy_starter(tmp_path / str(number))) as service:
            await service.event("started")
            await asyncio.sleep(chance.uniform(0.0, 1.0))  # the instants are what is tested
            service.interrupt()
            if impatient:
                await asyncio.sleep(chance.choice((0.0, chance.uniform(0.0, 0.3))))
                service.interrupt()
            assert await service.ended() in {0, int(impatient)}
            assert len(service.log) == len(service.raw_log), service.told()


@asynccontextmanager
async def way_to(broker: Cluster, door: socket.socket) -> AsyncIterator[None]:
    """Let whoever knocks at the door through to the broker. Until then the door refuses, as a host without broker does."""
    host, _, port = broker.bootstrap_servers[0].rpartition(":")

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer), return_exceptions=True)

    async with await asyncio.start_server(through, sock=door):
        yield


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with closing(sink):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()


@asynccontextmanager
async def without_broker(folder: Path, broker: Cluster) -> AsyncIterator[tuple[Service, Ledger, socket.socket]]:
    """A service whose broker is behind a closed door, as far as it gets."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("127.0.0.1", port))
    kafka = settings(broker).model_copy(update={"bootstrap_servers": (f"127.0.0.1:{port}",)})
    with door:
        async with keeping(folder, randbelow(2**32)) as ledger:
            ledger.publish(3)
            write(folder, WATCHLIST, [ledger.feed()], ledger.sink.url, kafka=kafka)
            async with running(folder) as service:
                yield service, ledger, door


@pytest.mark.kafka
async def test_no_broker_at_start(tmp_path: Path, broker: Cluster) -> None:
    """It stays up and alive, says that it is not ready and why, and works once the broker appears."""
    async with without_broker(tmp_path, broker) as (service, ledger, door):
        said = await service.event("bus_not_ready")
        status, body = await service.get("/readyz")
        assert status == 503
        reason = orjson.loads(body)["parts"]["bus"]
        assert "127.0.0.1" in said["reason"]
        assert reason
        assert (await service.get("/healthz"))[0] == 200
        async with way_to(broker, door):
            await service.event("bus_ready")
            assert await ledger.taken_all(60.0), service.told()
            assert (await service.get("/readyz"))[0] == 200
            assert await service.stop() == 0, service.told()


@pytest.mark.kafka
async def test_sigterm_without_a_broker(tmp_path: Path, broker: Cluster) -> None:
    """It ends in time with 0, and waits for no broker any more."""
    async with without_broker(tmp_path, broker) as (service, _, _):
        await service.event("bus_not_ready")
        await ended_well(service)
        assert all(entry["event"] != "started" for entry in service.log)
