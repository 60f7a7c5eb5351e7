"""The embedded engine keeps the rules of the bus."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bus.conformance import Conformance
from tests.bus.crash_rules import CrashRules
from tests.bus.embedded_engine import EmbeddedEngine


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tmp_path)
    yield engine
    await engine.end()


class TestEmbedded(Conformance, CrashRules):
    """The suite on an SQLite file."""
