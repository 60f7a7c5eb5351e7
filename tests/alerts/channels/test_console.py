"""The console channel, written to real streams."""

import asyncio
import io
import os
import pty
from collections.abc import Callable

import pytest

from alerts.channels.base import SendReason
from alerts.channels.console import Console
from daemon.messages.alert import Delivery, Message
from tests.alerts.samples import DRAWN, HOSTILE, LISTED, hostile, hostile_summary, message, summary


async def printed(stream: io.StringIO, sent: Message | None = None) -> str:
    answer = await Console(stream).send(sent or message(), "k")
    assert answer.outcome is Delivery.DELIVERED
    return stream.getvalue()


async def test_prints_the_form_the_design_draws() -> None:
    """Lines stand in the drawn order; right-to-left lines are isolated, hits starred on a plain stream."""
    assert (await printed(io.StringIO())).splitlines() == [*DRAWN, ""]


async def test_prints_a_summary_line_by_line() -> None:
    """A summary's stories stand one a line, right-to-left parts isolated, the others counted."""
    assert (await printed(io.StringIO(), summary())).splitlines() == [*LISTED, ""]


async def test_hits_are_underlined_on_a_terminal() -> None:
    """A terminal gets its own way of making hits stand out, and no asterisks."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        await Console(stream).send(message(), "k")
        written = os.read(ours, 65536).decode()
    os.close(ours)
    assert "\x1b[1;4mثابت العباسي\x1b[0m" in written
    assert "**" not in written


@pytest.mark.parametrize("build", [hostile, hostile_summary])
@pytest.mark.parametrize("text", HOSTILE)
async def test_feeds_cannot_steer_the_terminal(text: str, build: Callable[[str], Message]) -> None:
    """No control character of a feed reaches the terminal, and isolates are balanced line by line."""
    written = await printed(io.StringIO(), build(text))
    assert not set(written) & set("\r\x00\x07\x1b\x85\x9b\u2028\u2029\u202c\u202e\u2066")
    assert all(line.count("\u2068") == line.count("\u2069") for line in written.splitlines())


async def test_a_stream_of_few_letters_gets_what_it_can_show() -> None:
    """An ASCII terminal is written to, with escapes for what it lacks."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    assert (await Console(stream).send(message(), "k")).outcome is Delivery.DELIVERED
    assert b"Thabet al-Abbasi" in raw.getvalue()


async def test_a_closed_stream_is_tried_again() -> None:
    """A reader that went away is a retry with its reason, not an error."""
    stream = io.StringIO()
    console = Console(stream)
    stream.close()
    answer = await console.send(message(), "k")
    assert (answer.outcome, answer.reason) == (Delivery.RETRY, SendReason.UNWRITABLE)


async def test_a_stream_that_blocks_holds_up_nothing_else() -> None:
    """While a full pipe takes nothing, the event loop goes on."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writing, True)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        sending = asyncio.create_task(Console(stream).send(message(), "k"))
        async with asyncio.timeout(5):
            await asyncio.to_thread(lambda: None)
        assert not sending.done()
        with os.fdopen(reading, "rb") as reader:
            await asyncio.to_thread(reader.read, 1 << 16)
            assert (await sending).outcome is Delivery.DELIVERED
