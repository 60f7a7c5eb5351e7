"""Shared by all tests: the seed is printed, and nothing here hides what a test needs to show."""

import asyncio
import gc
import logging
import os
from collections.abc import Callable, Iterator, Mapping

import pytest
import structlog
from hypothesis import settings

from tests.documents import ABSENT
from tests.servers.kafka_fixture import broker  # noqa: F401 - a fixture: pytest finds it by its name here
from tests.virtual import VirtualLoop

# A loaded machine is slow, which is no fault of an example; a failing one prints what reproduces it.
settings.register_profile("rasid", deadline=None, print_blob=True)
settings.load_profile("rasid")


@pytest.fixture(autouse=True)
def _logging_as_found() -> Iterator[None]:
    """Commands configure the process's logging; the next test finds it as the last one did."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


class _Complaints(logging.Handler):
    """Keeps what asyncio says of tasks and futures that nobody looked after."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


@pytest.fixture(autouse=True)
def _asyncio_has_no_complaints(request: pytest.FixtureRequest) -> Iterator[None]:
    """An error that nobody retrieved, or a task that was dropped while it ran, fails the test it is noticed in."""
    complaints, logger = _Complaints(), logging.getLogger("asyncio")
    logger.addHandler(complaints)
    yield
    # asyncio notices when the garbage is collected: the young one is cheap, all of it is not.
    gc.collect(2 if request.node.get_closest_marker("kafka") else 1)
    logger.removeHandler(complaints)
    assert complaints.said == []


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where every real component is required (CI), a skipped test fails the run: a skip there is a missing install.

    Not so for want of a document that is not part of the repository: nobody could install it.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("RASID_REQUIRE_ALL") and reporter is not None:
        reasons = [str(report.longrepr) for report in reporter.stats.get("skipped", ())]
        if not all(ABSENT in reason for reason in reasons):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "virtual_time: the event loop's time jumps to the next timer instead of waiting for it")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """One loop a test: a plain one, or one in virtual time where the test is marked so."""
    return {"loop": VirtualLoop if item.get_closest_marker("virtual_time") else asyncio.new_event_loop}
