"""One broker for the whole test session; each test keeps to topics of its own by a prefix of its own."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.servers import kafka


@pytest.fixture(scope="session")
def broker() -> Iterator[kafka.Cluster]:
    """A running broker. Without Java, Maven or jars the test is skipped, or fails where RASID_REQUIRE_KAFKA=1 (CI)."""
    if reason := kafka.missing() or _unfetched():
        if os.environ.get("RASID_REQUIRE_KAFKA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with kafka.Cluster() as cluster:
        yield cluster


def _unfetched() -> str | None:
    try:
        kafka.fetch()
    except subprocess.CalledProcessError as error:
        return f"Maven could not fetch the broker's jars (exit status {error.returncode}); is there a network?"
    return None
