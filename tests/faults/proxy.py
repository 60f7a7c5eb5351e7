"""A TCP proxy between clients and a server of a test, whose network goes bad at a word.

client ─▶ Proxy.port ─ mode ─▶ 127.0.0.1:target
"""

import asyncio
import socket
import struct
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, Self

_CHUNK: Final = 2**20
_WITHOUT_A_WORD: Final = struct.pack("ii", 1, 0)


class Mode(StrEnum):
    """What becomes of bytes, in both directions, and of connections."""

    PASS = "pass"
    DELAY = "delay"
    """Every chunk of bytes comes `Proxy.delay` seconds late, in order."""
    STALL = "stall"
    """Bytes wait, and go on when another mode comes: a partition that TCP survives, or a peer that was frozen."""
    DROP = "drop"
    """Connections are reset, new ones too."""
    BLACK_HOLE = "black-hole"
    """Bytes are swallowed, connections stay open, new ones are taken and never answered.

    Streams that may have lost bytes are reset when another mode comes.
    """


class Proxy:
    """Listens on a port of the system's choice while its block runs; needs to know `target`, a port, by the first connection.

    A new `mode` holds at once, also for connections that stand.
    """

    def __init__(self, target: int = 0, *, delay: float = 0.1) -> None:
        self.target = target
        self.delay = delay
        self.port = 0
        self.taken = 0
        """Connections so far."""
        self.swallowed = 0
        """Bytes so far."""
        self._mode = Mode.PASS
        self._changed = asyncio.Event()
        self._lines: set[asyncio.Task[Any]] = set()

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._mode = mode
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        """Wait for the next change of mode."""
        await self._changed.wait()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0, limit=_CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await _cancelled(*self._lines)
        await self._server.wait_closed()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        line = asyncio.create_task(_Line(self, reader, writer).run())
        self._lines.add(line)
        line.add_done_callback(self._over)

    def _over(self, line: "asyncio.Task[None]") -> None:
        """A line that broke is what proxies are for here: its error is nobody's."""
        self._lines.discard(line)
        if not line.cancelled():
            line.exception()


class _Line:
    """One connection of a client, and ours to the target that belongs to it."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._reader = reader
        self._writers = [writer]
        self._torn = False

    async def run(self) -> None:
        """Until either side is done, or the connection is to be reset."""
        leading = asyncio.create_task(self._lead())
        try:
            await _first(leading, asyncio.create_task(self._until_reset()))
        finally:
            in_order = not leading.cancelled() and leading.exception() is None
            for writer in self._writers:
                _end(writer, in_order=in_order)

    async def _lead(self) -> None:
        """Raises `OSError` when the target is not there, or one side is gone."""
        if self._proxy.mode is Mode.BLACK_HOLE:
            self._torn = True
        while self._proxy.mode in (Mode.BLACK_HOLE, Mode.STALL):
            await self._proxy.changed()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._proxy.target, limit=_CHUNK)
        self._writers.append(writer)
        await _first(
            *(asyncio.create_task(each) for each in (self._pump(self._reader, writer), self._pump(reader, self._writers[0])))
        )

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the end of the stream has come through."""
        while data := await reader.read(_CHUNK):
            await self._arrive()
            if self._proxy.mode is Mode.BLACK_HOLE:
                self._torn = True
                self._proxy.swallowed += len(data)
            else:
                writer.write(data)
                await writer.drain()
        await self._arrive()
        while self._proxy.mode is Mode.BLACK_HOLE:
            await self._proxy.changed()

    async def _arrive(self) -> None:
        """As late as the mode has it."""
        if self._proxy.mode is Mode.DELAY:
            await asyncio.sleep(self._proxy.delay)
        while self._proxy.mode is Mode.STALL:
            await self._proxy.changed()

    async def _until_reset(self) -> None:
        while self._proxy.mode is not Mode.DROP and (not self._torn or self._proxy.mode is Mode.BLACK_HOLE):
            await self._proxy.changed()


async def _first(*tasks: "asyncio.Task[None]") -> None:
    """Until one of these is done; the others are cancelled, what that one raised is raised."""
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _cancelled(*tasks)
    for task in done:
        task.result()


async def _cancelled(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _end(writer: asyncio.StreamWriter, *, in_order: bool) -> None:
    """With everything written and a goodbye; or at once, so that the peer sees a reset."""
    if in_order:
        writer.close()
        return
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _WITHOUT_A_WORD)
    writer.transport.abort()
