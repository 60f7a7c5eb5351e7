"""A fetcher that may connect to this machine, and one that may not."""

from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest
import trustme

from daemon.clock import WallClock
from daemon.net.fetch import Fetcher

LOCAL = (ip_network("127.0.0.1/32"),)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
async def fetcher(ca_file: Path) -> AsyncIterator[Fetcher]:
    async with Fetcher(clock=WallClock(), allowed=LOCAL, ca_file=ca_file) as fetcher:
        yield fetcher


@pytest.fixture
async def guarded() -> AsyncIterator[Fetcher]:
    async with Fetcher(clock=WallClock()) as fetcher:
        yield fetcher
