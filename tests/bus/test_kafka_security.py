"""The Kafka engine on a broker that demands TLS and a login: it gets in, or says why not."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.bus.kafka.bus import KafkaBus
from daemon.bus.topics import ARTICLES, RAW
from daemon.clock import WallClock
from daemon.config.models import KafkaSecurity, KafkaSettings
from daemon.errors import BusError, ConfigError
from daemon.metrics import Metrics
from tests.bus import kafka_engine
from tests.bus.engine import GROUP, everything, holding, record, take_all
from tests.bus.kafka_engine import PATIENCE, QUICK, KafkaEngine, settings, until
from tests.bus.rows_rules import RowRules
from tests.servers.certificates import Authority
from tests.servers.kafka import Cluster
from tests.servers.kafka_security import Security

pytestmark = pytest.mark.kafka
SHORT = replace(QUICK, start=0.3)
USER, PASSWORD, WRONG = "rasid", "s3cret-of-the-tests", "an0ther-of-the-tests"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def ca_file(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority.write(tmp_path_factory.mktemp("ca") / "ca.pem")


@pytest.fixture(scope="module")
def secured(broker: Cluster, authority: Authority) -> Iterator[Cluster]:
    """A broker of this module's own; `broker` is asked for because it knows when to skip."""
    with Cluster(security=Security(authority, USER, PASSWORD)) as cluster:
        yield cluster


def security(protocol: str, ca_file: Path | None, **more: Any) -> KafkaSecurity:
    """As protocols of the test broker want it."""
    login = {"mechanism": "PLAIN" if protocol == "SASL_PLAINTEXT" else "SCRAM-SHA-512", "username": USER, "password": PASSWORD}
    given = {
        "protocol": protocol,
        **(login if protocol.startswith("SASL") else {}),
        **({"ca_file": ca_file} if protocol.endswith("SSL") else {}),
    }
    return KafkaSecurity.model_validate(given | more)


@pytest.fixture
async def engine(secured: Cluster, ca_file: Path) -> AsyncIterator[KafkaEngine]:
    made = KafkaEngine(settings(secured, security=security("SASL_SSL", ca_file)))
    yield made
    await made.close_all()


class TestConformance(RowRules):
    """The rules of rows, over TLS and SCRAM: every client of the engine takes part in them."""


@pytest.mark.parametrize("protocol", ["SSL", "SASL_PLAINTEXT"])
async def test_the_other_protocols(secured: Cluster, ca_file: Path, protocol: str) -> None:
    """TLS without a login, and a login without TLS, carry records through a lease too."""
    async with kafka_engine.bus(settings(secured, partitions=1, security=security(protocol, ca_file))) as bus:
        await bus.publish([record(1, "lane")])
        async with holding(bus, RAW, GROUP, PATIENCE) as holder:
            assert [each.key for each in await take_all(await holder.lease(0), 1, PATIENCE)] == [b"k1"]


REFUSED = [
    ("SASL_SSL", {"password": WRONG}, "refuses the login of user 'rasid' by SCRAM-SHA-512"),
    ("SASL_SSL", {"username": "nobody"}, "refuses the login of user 'nobody' by SCRAM-SHA-512"),
    ("SASL_PLAINTEXT", {"password": WRONG}, "refuses the login of user 'rasid' by PLAIN"),
    ("SASL_SSL", {"mechanism": "SCRAM-SHA-256"}, "does not offer SCRAM-SHA-256"),
    ("SASL_SSL", {"ca_file": None}, "certificate is not trusted: .*bus.kafka.security.ca_file"),
]


@pytest.mark.parametrize(("protocol", "more", "says"), REFUSED)
async def test_a_refusal_is_told(secured: Cluster, ca_file: Path, protocol: str, more: dict[str, Any], says: str) -> None:
    """Who is not let in keeps trying, and says at which server and why, in one sentence; passwords are never said."""
    to = settings(secured, security=security(protocol, **{"ca_file": ca_file} | more))
    with capture_logs() as logged:
        async with kafka_engine.bus(to, timing=SHORT) as bus:
            await until(lambda: "not connected yet" not in (bus.trouble() or ""))
            with pytest.raises(BusError, match=says) as caught:
                await bus.publish([record(1, "lane")])
            assert to.bootstrap_servers[0] in (bus.trouble() or "")
    told = [entry["reason"] for entry in logged if entry["event"] == "bus_not_ready"]
    assert len(told) == 1
    assert PASSWORD not in f"{logged}{caught.value}"
    assert WRONG not in f"{logged}{caught.value}"


@pytest.mark.parametrize(
    ("listener", "protocol", "says"),
    [
        ("SASL_SSL", "PLAINTEXT", "perhaps it wants TLS, or a login .*protocol is PLAINTEXT"),
        ("SASL_PLAINTEXT", "PLAINTEXT", "perhaps it wants TLS, or a login"),
        ("SASL_PLAINTEXT", "SSL", "perhaps it wants no TLS .*protocol is SSL"),
        ("SSL", "SASL_SSL", "wants no login there, but .*protocol is SASL_SSL"),
    ],
)
async def test_another_protocol_than_the_listener_s(
    secured: Cluster, ca_file: Path, listener: str, protocol: str, says: str
) -> None:
    """A protocol that is not the listener's is what the sentence speaks of."""
    to = settings(secured).model_copy(
        update={"bootstrap_servers": secured.secured(listener), "security": security(protocol, ca_file)}
    )
    async with kafka_engine.bus(to, timing=SHORT) as bus:
        await until(lambda: "not connected yet" not in (bus.trouble() or ""))
        with pytest.raises(BusError, match=says):
            await everything(bus, ARTICLES)


async def test_a_password_put_right_is_taken(secured: Cluster, ca_file: Path) -> None:
    """A user that is made at the brokers only later is let in without a restart."""
    to = settings(secured, security=security("SASL_SSL", ca_file, username="late"))
    async with kafka_engine.bus(to, timing=SHORT) as bus:
        await until(lambda: "refuses the login of user 'late'" in (bus.trouble() or ""))
        await asyncio.to_thread(secured.admit, "late", PASSWORD)
        async with holding(bus, RAW, GROUP, PATIENCE) as holder:
            await holder.any()
        assert bus.trouble() is None


async def test_a_certificate_file_that_is_gone(tmp_path: Path) -> None:
    """A `ca_file` that cannot be used is named before anything is tried."""
    to = KafkaSettings(bootstrap_servers=("127.0.0.1:9",), security=security("SSL", Path("gone.pem")))
    with pytest.raises(ConfigError, match=r"gone\.pem: the certificates cannot be used: No such file"):
        KafkaBus(to, clock=WallClock(), observe=Metrics().observe, folder=tmp_path)
