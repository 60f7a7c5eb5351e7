"""A server that takes posted messages, like Slack's hooks or an operator's own: answers as scripted, keeps what came."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Say:
    """One answer. `drop`: take the request, then close the connection without a word. `hang`: never answer.

    `after`: seconds to wait first.
    """

    status: int = 200
    text: str = "ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    hang: bool = False
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Posted:
    """One request that came."""

    headers: Mapping[str, str]
    body: bytes


class HookServer:
    """Listens on 127.0.0.1, on the port given or one of the system's choice; TLS with a context. Without a script: 200 `ok`.

    `takes`: seconds between keeping a request and answering it, in which who posted it does not know yet.
    `decide`: keeps a request and says the answer, in place of `posted` and the script.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        port: int = 0,
        takes: float = 0.0,
        decide: Callable[[Posted], Say] | None = None,
    ) -> None:
        self._tls = tls
        self.port = port
        self._takes = takes
        self._decide = decide or self._scripted
        self._script: list[Say] = []
        self._came = asyncio.Condition()
        self._end = asyncio.Event()
        self.posted: list[Posted] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._end.set()
        await self._runner.cleanup()

    def script(self, *answers: Say) -> None:
        """What to answer to the next requests; after that 200 `ok`."""
        self._script.extend(answers)

    async def until(self, count: int) -> None:
        """Wait until so many requests have come."""
        await self.wait_for(lambda: len(self.posted) >= count)

    async def wait_for(self, holds: Callable[[], bool], within: float = 10.0) -> None:
        """Wait until something that came makes `holds` true."""
        async with asyncio.timeout(within), self._came:
            await self._came.wait_for(holds)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        async with self._came:
            say = self._decide(Posted({name.lower(): value for name, value in request.headers.items()}, body))
            self._came.notify_all()
        await asyncio.sleep(self._takes + say.after)
        if say.hang:
            await self._end.wait()
        if (say.drop or say.hang) and request.transport is not None:
            request.transport.abort()
        return web.Response(status=say.status, text=say.text, headers=say.headers)

    def _scripted(self, posted: Posted) -> Say:
        self.posted.append(posted)
        return self._script.pop(0) if self._script else Say()
