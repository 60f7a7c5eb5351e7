"""Processes that die on a real broker: at any point of a lease's life, and at chosen points inside a transaction."""

from collections.abc import AsyncIterator

import pytest

from daemon.config.models import KafkaSettings
from tests.bus.crash_rules import CrashRules
from tests.bus.kafka_engine import KafkaEngine, settings
from tests.servers.kafka import Cluster

pytestmark = pytest.mark.kafka


@pytest.fixture
async def engine(broker: Cluster) -> AsyncIterator[KafkaEngine]:
    """Who comes back by the same name need not wait until the dead one is missed."""
    to = dict(settings(broker)) | {"instance": "only"}
    made = KafkaEngine(KafkaSettings.model_validate(to))
    yield made
    await made.close_all()


class TestCrashes(CrashRules):
    """All rules of `CrashRules`."""
