"""Shared by all tests: the seed is printed, and nothing here hides what a test needs to show."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
from hypothesis import settings

from tests.servers.kafka_fixture import broker  # noqa: F401 - a fixture: pytest finds it by its name here
from tests.virtual import VirtualLoop

# A loaded machine is slow, which is no fault of an example; a failing one prints what reproduces it.
settings.register_profile("rasid", deadline=None, print_blob=True)
settings.load_profile("rasid")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "virtual_time: the event loop's time jumps to the next timer instead of waiting for it")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """One loop a test: a plain one, or one in virtual time where the test is marked so."""
    return {"loop": VirtualLoop if item.get_closest_marker("virtual_time") else asyncio.new_event_loop}
