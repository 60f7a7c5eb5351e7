"""The status server answers Prometheus and orchestrators."""

import socket

import aiohttp
import pytest

from daemon.metrics import SPECS, Metrics
from daemon.server.status import ServerError, serve_status


async def get(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def test_metrics_are_served_with_their_help() -> None:
    """Every metric appears on /metrics with HELP and TYPE, before anything was counted."""
    metrics = Metrics()
    async with serve_status("127.0.0.1:0", metrics.registry, dict) as port:
        status, text = await get(port, "/metrics")
    assert status == 200
    for name, spec in SPECS.items():
        assert f"# HELP {name} {spec.text}" in text


async def test_alive_does_not_depend_on_parts() -> None:
    """/healthz is 200 while /readyz is 503 and names the part that is missing."""
    async with serve_status("127.0.0.1:0", Metrics().registry, lambda: {"bus": "no broker answers", "hops": None}) as port:
        assert await get(port, "/healthz") == (200, "alive\n")
        status, text = await get(port, "/readyz")
    assert status == 503
    assert "no broker answers" in text


async def test_ready_when_nothing_is_missing() -> None:
    """/readyz is 200 when every part works."""
    async with serve_status("127.0.0.1:0", Metrics().registry, lambda: {"bus": None}) as port:
        assert (await get(port, "/readyz"))[0] == 200


async def test_a_port_in_use_is_one_sentence() -> None:
    """A port in use names the address and the key to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ServerError, match=r"server\.listen") as caught:
            async with serve_status(address, Metrics().registry, dict):
                pass
    assert address in str(caught.value)
