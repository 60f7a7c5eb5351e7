"""Everything a server can do to a poller, each at an address of its own, in a process of its own: NAME.example is a site.

async with hostile_server(folder) as hostile: hostile.url("gzip bomb") …
"""

import asyncio
import multiprocessing
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import trustme

from tests.servers.misdeeds import MISDEEDS, Pieces

TLS: Final = ("expired", "wrong name", "self-signed")
_NOT_FOUND: Final = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
NAMES: Final = (*MISDEEDS, *TLS)


@dataclass(frozen=True, slots=True)
class Hostile:
    """A running server: its ports, plain and by certificate, and the authority to trust."""

    ports: Mapping[str, int]
    ca_file: Path

    def url(self, name: str) -> str:
        """The address of a misdeed; each is a site of its own."""
        path = name.replace(" ", "-")
        return f"{'https' if name in TLS else 'http'}://{path}.example:{self.ports.get(name, self.ports[''])}/{path}"


@asynccontextmanager
async def hostile_server(folder: Path) -> AsyncIterator[Hostile]:
    """Certificates are written to the folder."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, folder), daemon=True)
    process.start()
    try:
        yield Hostile(await asyncio.to_thread(ours.recv), folder / "ca.pem")
    finally:
        process.kill()
        await asyncio.to_thread(process.join)


def _serve(pipe: Connection, folder: Path) -> None:
    asyncio.run(_listen(pipe, folder))


async def _listen(pipe: Connection, folder: Path) -> None:
    misdeeds = {name.replace(" ", "-"): misdeed for name, misdeed in MISDEEDS.items()}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            asked = await reader.readuntil(b"\r\n\r\n")
            path = asked.split(b" ")[1].decode().partition("?")[0].strip("/")
            await _perform(writer, misdeeds[path]() if path in misdeeds else iter([_NOT_FOUND]))
        writer.close()

    contexts: dict[str, ssl.SSLContext | None] = {"": None, **_contexts(folder)}
    servers = {name: await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context) for name, context in contexts.items()}
    for name in MISDEEDS:
        if name.endswith("bomb"):
            next(iter(MISDEEDS[name]()))  # packed now, so that it is sent at once
    pipe.send({name: server.sockets[0].getsockname()[1] for name, server in servers.items()})
    await asyncio.Event().wait()


async def _perform(writer: asyncio.StreamWriter, pieces: Pieces) -> None:
    for piece in pieces:
        if isinstance(piece, bytes):
            writer.write(piece)
            await writer.drain()
        elif piece >= 0:
            await asyncio.sleep(piece)
        else:
            await asyncio.sleep(0.1)  # what was written must leave before it is taken back
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


def _contexts(folder: Path) -> Mapping[str, ssl.SSLContext]:
    """Servers whose certificates are wrong in one way each; the authority is written for the client to trust."""
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = {
        "expired": authority.issue_cert("expired.example", not_before=datetime(2001, 1, 1), not_after=datetime(2002, 1, 1)),  # noqa: DTZ001 - trustme wants them so
        "wrong name": authority.issue_cert("elsewhere.example"),
    }
    contexts = {}
    for name, certificate in issued.items():
        contexts[name] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(contexts[name])
    other.private_key_pem.write_to_path(folder / "self-signed.pem")
    other.cert_pem.write_to_path(folder / "self-signed.pem", append=True)
    contexts["self-signed"] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    contexts["self-signed"].load_cert_chain(folder / "self-signed.pem")
    return contexts
