"""A real feed server on 127.0.0.1, plain or TLS: conditional GET, scripted answers, and a record of what it was asked."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b

import trustme
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

RSS_TYPE = "application/rss+xml; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One scripted answer. `cut`: drop the connection after so many bytes of the body; `hold`: wait for this first."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    hold: asyncio.Event | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, its headers byte for byte, names in lower case; `at` the loop's time."""

    path: str
    headers: Mapping[bytes, bytes]
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RssItem:
    """An item of a feed made by `rss`. Empty parts are left out."""

    guid: str = ""
    link: str = ""
    title: str = ""
    description: str = ""
    published: str = ""


def rss(items: Sequence[RssItem], title: str = "A feed") -> bytes:
    """An RSS 2.0 document of the items, newest first as given. Texts are put in as they are: escape them if need be."""
    names = {"guid": "guid", "link": "link", "title": "title", "description": "description", "published": "pubDate"}
    parts = []
    for item in items:
        fields = "".join(f"<{tag}>{getattr(item, name)}</{tag}>" for name, tag in names.items() if getattr(item, name))
        parts.append(f"<item>{fields}</item>\n")
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
    return f"{text}<title>{title}</title>\n{''.join(parts)}</channel></rss>\n".encode()


class FeedServer:
    """Answers what it was told to: scripts run through, their last answer repeats; `publish` sets a living feed."""

    def __init__(self) -> None:
        self.port = 0
        self.secure = False
        self.connections = 0
        self.requests: list[Asked] = []
        self._scripts: dict[str, list[Answer]] = {}
        self._asked = asyncio.Condition()

    def url(self, path: str = "/feed") -> str:
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{self.port}{path}"

    def script(self, path: str, *answers: Answer) -> None:
        """From now on, these in turn."""
        self._scripts[path] = list(answers)

    def publish(self, path: str, body: bytes, *, content_type: str = RSS_TYPE, last_modified: str = "") -> None:
        """From now on this body, with a strong ETag of it, and 304 to whom has it."""
        headers = {"ETag": f'"{blake2b(body, digest_size=8).hexdigest()}"', "Content-Type": content_type}
        if last_modified:
            headers["Last-Modified"] = last_modified
        self.script(path, Answer(body=body, headers=headers))

    def asked(self, path: str) -> list[Asked]:
        return [request for request in self.requests if request.path == path]

    async def wait_for(self, path: str, count: int = 1) -> None:
        """Until the path was asked for so many times in all."""
        async with self._asked:
            await self._asked.wait_for(lambda: len(self.asked(path)) >= count)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.raw_headers}
        asked = Asked(path=request.path, headers=headers, at=asyncio.get_running_loop().time())
        async with self._asked:
            self.requests.append(asked)
            self._asked.notify_all()
        script = self._scripts.get(request.path, [Answer(status=404)])
        answer = script.pop(0) if len(script) > 1 else script[0]
        if answer.hold is not None:
            await answer.hold.wait()
        etag = answer.headers.get("ETag")
        if answer.status == 200 and etag and asked.headers.get(b"if-none-match") == etag.encode():
            return web.Response(status=304, headers={"ETag": etag})
        if answer.cut is None:
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        return await _cut_short(request, answer, answer.cut)

    def count(self, server: web.Server) -> RequestHandler:
        """A new connection."""
        self.connections += 1
        return server()


async def _cut_short(request: web.BaseRequest, answer: Answer, length: int) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(answer.body)
    await response.prepare(request)
    await response.write(answer.body[:length])
    if request.transport is not None:
        request.transport.close()
    return response


@asynccontextmanager
async def feed_server(authority: trustme.CA | None = None, *, port: int = 0) -> AsyncIterator[FeedServer]:
    """A server for the time of the block; over TLS when there is an authority to sign for it. Port 0: any."""
    feeds = FeedServer()
    context = None
    if authority is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        feeds.secure = True
    server = web.Server(feeds.answer)
    listener = await asyncio.get_running_loop().create_server(lambda: feeds.count(server), "127.0.0.1", port, ssl=context)
    feeds.port = listener.sockets[0].getsockname()[1]
    try:
        yield feeds
    finally:
        listener.close()
        server.pre_shutdown()
        await server.shutdown(0.1)
        await listener.wait_closed()


@asynccontextmanager
async def raw_server(answer: bytes) -> AsyncIterator[str]:
    """Answers any request with these bytes and closes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    listener = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/feed"
