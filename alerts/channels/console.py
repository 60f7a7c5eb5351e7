"""Prints messages to a stream: the channel of the first run. Right-to-left text is isolated, hits stand out."""

import asyncio
import threading
from collections.abc import Callable
from typing import Final, TextIO

from alerts.channels.base import Answer, SendReason, delivered, retry
from alerts.quotes import Piece
from alerts.render import Rendered, and_more, plain_line, render
from alerts.safe import in_line, isolate
from daemon.messages.alert import Message

_PATIENCE: Final = 10.0
_BOLD, _PLAIN = "\x1b[1;4m", "\x1b[0m"


class Console:
    """Writes to `stream`. A stream that blocks (a pager, a full pipe) holds up nothing but this channel."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._mark = _underlined if stream.isatty() else _starred
        self._turn = asyncio.Lock()
        self._writer: threading.Thread | None = None

    async def send(self, message: Message, key: str) -> Answer:  # noqa: ARG002 - paper has no use for the key
        text = lay_out(render(message), self._mark)
        try:
            async with asyncio.timeout(_PATIENCE), self._turn:
                if self._writer is not None and self._writer.is_alive():
                    return retry(SendReason.UNWRITABLE, "an earlier write is still waiting")
                error = await self._started(text)
        except TimeoutError:
            return retry(SendReason.UNWRITABLE, "the stream takes nothing", doubtful=True)
        return retry(SendReason.UNWRITABLE, error) if error else delivered()

    async def _started(self, text: str) -> str:
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._writer = threading.Thread(target=self._write, args=(text, ended), daemon=True)
        self._writer.start()
        return await ended

    def _write(self, text: str, ended: asyncio.Future[str]) -> None:
        """In a daemon thread, so that a stream that blocks for ever cannot keep the process from ending."""
        error = ""
        encoding = self._stream.encoding or "utf-8"
        try:
            self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError) as failure:
            error = f"{type(failure).__name__}"
        try:
            ended.get_loop().call_soon_threadsafe(_settle, ended, error)
        except RuntimeError:
            return  # the loop has ended: nobody waits for the answer any more


def _settle(ended: asyncio.Future[str], error: str) -> None:
    if not ended.done():
        ended.set_result(error)


def lay_out(parts: Rendered, mark: Callable[[str], str]) -> str:
    """The message as lines, one direction a line, and an empty line after it. `mark` makes a hit stand out."""
    lines = [parts.badge, isolate(parts.headline), parts.link]
    lines += [plain_line(story) for story in parts.stories] + [and_more(parts.more_stories)]
    lines += [f"❝ {_quoted(quote, mark)} ❞" for quote in parts.quotes]
    lines += [in_line(parts.findings), in_line(parts.origin)]
    return "\n".join([line for line in lines if line]) + "\n\n"


def _quoted(quote: tuple[Piece, ...], mark: Callable[[str], str]) -> str:
    return isolate("".join(mark(piece.text) if piece.hit else piece.text for piece in quote))


def _underlined(hit: str) -> str:
    return f"{_BOLD}{hit}{_PLAIN}"


def _starred(hit: str) -> str:
    return f"**{hit}**"
