"""The Kafka engine on a real broker: the rules of every engine, and those only a cluster can break."""

from collections.abc import AsyncIterator

import pytest

from tests.bus.conformance import Conformance
from tests.bus.kafka_engine import KafkaEngine, settings
from tests.servers.kafka import Cluster

pytestmark = pytest.mark.kafka


@pytest.fixture
async def engine(broker: Cluster) -> AsyncIterator[KafkaEngine]:
    made = KafkaEngine(settings(broker))
    yield made
    await made.close_all()


class TestConformance(Conformance):
    """All rules of `Conformance`."""
