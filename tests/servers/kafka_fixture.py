"""One broker for the whole test session; each test keeps to topics of its own by a prefix of its own."""

import os
from collections.abc import Iterator

import pytest

from tests.servers import kafka


@pytest.fixture(scope="session")
def broker() -> Iterator[kafka.Cluster]:
    """A running broker. Without Java and Maven the test is skipped, or fails where RASID_REQUIRE_KAFKA=1 (CI)."""
    if reason := kafka.missing():
        if os.environ.get("RASID_REQUIRE_KAFKA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with kafka.Cluster() as cluster:
        yield cluster
