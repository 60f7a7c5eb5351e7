"""A server for measuring polls, in a process of its own: of 25 answers to a feed 20 are 304, 3 the same body, 2 changed.

A changed body has two new items of thirty. `SERVED` says how many different items it has served below a prefix.
"""

import asyncio
import multiprocessing
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import trustme
import uvloop
from aiohttp import web

SERVED: Final = "/served"
_CYCLE: Final = ["304"] * 20 + ["same"] * 3 + ["changed"] * 2
_WINDOW: Final = 30
_NEW: Final = 2
_WORDS: Final = "وقال الوزير إن القوات تواصل عملها في البلاد وإن اللقاء تناول ملفات التعاون المشترك بين الجانبين "


def body_of(feed: str, shift: int) -> bytes:
    """Thirty items of about 1.3 kB, the newest first; each shift brings two new ones."""
    items = [
        f"<item><guid>{feed}-{n}</guid><link>https://example.org{feed}/{n}</link><title>{_WORDS[:60]}{n}</title>"
        f"<description>{_WORDS * 6}{n}</description><pubDate>Mon, 01 Jan 2024 10:00:00 GMT</pubDate></item>"
        for n in range(shift * _NEW + _WINDOW, shift * _NEW, -1)
    ]
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{feed}</title>{"".join(items)}</channel></rss>'.encode()


class Cycling:
    """Each feed goes through the cycle on its own, from its own place in it: the number at its path's end."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._shifts: Counter[str] = Counter()

    async def answer(self, request: web.BaseRequest) -> web.Response:
        path = request.path
        if path.startswith(SERVED):
            return web.Response(text=str(self._served(path.removeprefix(SERVED))))
        asked = self._asked[path]
        self._asked[path] += 1
        kind = _CYCLE[(asked + int(path.rpartition("-")[2])) % len(_CYCLE)] if asked else "changed"
        self._shifts[path] += kind == "changed"
        headers = {"ETag": f'"{self._shifts[path]}"', "Connection": "close", "Content-Type": "application/rss+xml"}
        if kind == "304":
            return web.Response(status=304, headers=headers)
        return web.Response(body=body_of(path, self._shifts[path]), headers=headers)

    def _served(self, prefix: str) -> int:
        return sum(_WINDOW + _NEW * (shifts - 1) for path, shifts in self._shifts.items() if path.startswith(prefix))


@asynccontextmanager
async def cycling_server(folder: Path, names: Iterable[str]) -> AsyncIterator[tuple[int, int]]:
    """Its ports, plain and TLS. Each name has a certificate of its own, by an authority in `folder`/ca.pem."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name in names:
        authority.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.leaf")
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, folder), daemon=True)
    process.start()
    try:
        yield await asyncio.to_thread(ours.recv)
    finally:
        process.kill()
        await asyncio.to_thread(process.join)


def _serve(pipe: Connection, folder: Path) -> None:
    uvloop.run(_listen(pipe, folder))


async def _listen(pipe: Connection, folder: Path) -> None:
    server, loop = web.Server(Cycling().answer), asyncio.get_running_loop()
    plain = await loop.create_server(server, "127.0.0.1", 0, backlog=1000)
    secure = await loop.create_server(server, "127.0.0.1", 0, backlog=1000, ssl=_by_name(folder))
    pipe.send((plain.sockets[0].getsockname()[1], secure.sockets[0].getsockname()[1]))
    await asyncio.Event().wait()


def _by_name(folder: Path) -> ssl.SSLContext:
    contexts = {}
    for path in folder.glob("*.leaf"):
        contexts[path.stem] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        contexts[path.stem].load_cert_chain(path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)

    def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str, _context: ssl.SSLContext) -> None:
        connection.context = contexts[name]

    context.sni_callback = choose
    return context
