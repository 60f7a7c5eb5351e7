"""Answers Prometheus and orchestrators.

`/healthz` never depends on broker, disk or receivers; `/readyz` says what is missing.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from daemon.errors import RasidError

Readiness = Callable[[], Mapping[str, str | None]]
"""For each part of the service: None when it works, else one sentence why not."""


class ServerError(RasidError):
    """The address cannot be listened on."""


@asynccontextmanager
async def serve_status(
    listen: str, registry: CollectorRegistry, readiness: Readiness, measure: Callable[[], None] = lambda: None
) -> AsyncIterator[int]:
    """Serve on `host:port` until the block is left; gives the port that was bound (port 0 lets the kernel choose).

    `measure` is called before metrics are told, to bring gauges up to date. Raises `ServerError`.
    """
    runner = web.AppRunner(_application(registry, readiness, measure), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        yield await _bind(runner, listen)
    finally:
        await runner.cleanup()


async def _bind(runner: web.AppRunner, listen: str) -> int:
    host, _, port = listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        reason = f"cannot listen there: {error.strerror or error}; set server.listen to another address"
        raise ServerError(reason, subject=listen) from error
    bound: int = runner.addresses[0][1]
    return bound


def _application(registry: CollectorRegistry, readiness: Readiness, measure: Callable[[], None]) -> web.Application:
    async def metrics(request: web.Request) -> web.Response:
        measure()
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_request: web.Request) -> web.Response:
        parts = readiness()
        ready = not any(parts.values())
        body = orjson.dumps({"ready": ready, "parts": parts}, option=orjson.OPT_APPEND_NEWLINE)
        return web.Response(body=body, status=200 if ready else 503, content_type="application/json")

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/healthz", healthz), web.get("/readyz", readyz)])
    return app
