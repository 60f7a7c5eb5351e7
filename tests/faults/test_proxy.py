"""The proxy that fault tests put in front of a server: what each of its modes does to connections and bytes."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.faults.proxy import Mode, Proxy

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
SILENCE = 0.2


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1000):
            writer.write(data)
    except (ConnectionError, asyncio.CancelledError):  # Python 3.11 complains of a handler that was cancelled
        pass
    finally:
        writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """Leads to a server that says everything back."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


async def connect(proxy: Proxy) -> Stream:
    return await asyncio.open_connection("127.0.0.1", proxy.port)


async def answer(stream: Stream, said: bytes) -> bytes:
    """What comes back. Raises `OSError`, `IncompleteReadError`, `TimeoutError`."""
    stream[1].write(said)
    async with asyncio.timeout(5):
        return await stream[0].readexactly(len(said))


async def silent(stream: Stream) -> bool:
    """Whether nothing comes, not even an end."""
    try:
        async with asyncio.timeout(SILENCE):
            await stream[0].read(1)
    except TimeoutError:
        return True
    return False


async def test_passes_everything_both_ways(proxy: Proxy) -> None:
    """Bytes of any number arrive unchanged, and an end is told to the other side."""
    stream, said = await connect(proxy), bytes(range(256)) * 10_000
    assert await answer(stream, said) == said
    stream[1].write_eof()
    assert await stream[0].read() == b""
    stream[1].close()


async def test_delays(proxy: Proxy) -> None:
    """Each way takes as long as was said."""
    stream = await connect(proxy)
    proxy.mode, begun = Mode.DELAY, time.monotonic()
    assert await answer(stream, b"late") == b"late"
    assert 2 * proxy.delay <= time.monotonic() - begun < 20 * proxy.delay
    stream[1].close()


async def test_drops(proxy: Proxy) -> None:
    """Connections that stand are reset, so are new ones, until it passes again."""
    stream = await connect(proxy)
    assert await answer(stream, b"a") == b"a"
    proxy.mode = Mode.DROP
    for each in (stream, await connect(proxy)):
        with pytest.raises(ConnectionResetError):
            await answer(each, b"b")
    proxy.mode = Mode.PASS
    stream = await connect(proxy)
    assert await answer(stream, b"c") == b"c"
    stream[1].close()


async def test_a_black_hole_swallows(proxy: Proxy) -> None:
    """Nothing comes back and no connection ends, old or new; when it is over, those that lost bytes are reset."""
    busy, idle = await connect(proxy), await connect(proxy)
    assert await answer(busy, b"a") == await answer(idle, b"a") == b"a"
    proxy.mode = Mode.BLACK_HOLE
    new = await connect(proxy)
    for each in (busy, new):
        each[1].write(b"b")
        assert await silent(each)
    assert proxy.swallowed == 1
    proxy.mode = Mode.PASS
    for each in (busy, new):
        with pytest.raises(ConnectionResetError):
            await answer(each, b"c")
    assert await answer(idle, b"d") == b"d"
    idle[1].close()


async def test_a_black_hole_swallows_ends_too(proxy: Proxy) -> None:
    """Who hangs up in it is not missed: the other side hears of it only when it is over."""
    stream = await connect(proxy)
    assert await answer(stream, b"a") == b"a"
    proxy.mode = Mode.BLACK_HOLE
    stream[1].write_eof()
    assert await silent(stream)
    proxy.mode = Mode.PASS
    assert await stream[0].read() == b""
    stream[1].close()


async def test_a_stall_keeps_what_was_said(proxy: Proxy) -> None:
    """Bytes and connections of the time wait, and arrive when it is over."""
    old = await connect(proxy)
    assert await answer(old, b"a") == b"a"
    proxy.mode = Mode.STALL
    new = await connect(proxy)
    for each in (old, new):
        each[1].write(b"b")
        assert await silent(each)
    proxy.mode = Mode.PASS
    for each in (old, new):
        assert await answer(each, b"c") == b"b"
        each[1].close()


async def test_a_target_that_is_not_there(proxy: Proxy) -> None:
    """Who is led to nobody sees a reset; once somebody listens there, the way is free."""
    there, proxy.target = proxy.target, 1
    with pytest.raises(ConnectionResetError):
        await answer(await connect(proxy), b"a")
    proxy.target = there
    stream = await connect(proxy)
    assert await answer(stream, b"b") == b"b"
    assert proxy.taken == 2
    stream[1].close()
