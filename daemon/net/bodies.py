"""Reads a body under caps (feeds 17): bytes sent, bytes decoded, bytes a second. Raises `Stopped` when one is passed."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import aiohttp

from daemon.net.answers import FetchOutcome

CHUNK: Final = 65536
_SMALL: Final = 1_000_000
_GZIP: Final = b"\x1f\x8b\x08"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one request (feeds 17): bytes, seconds, and bytes a second once `patience` seconds have passed.

    `ratio`: beyond a megabyte, how many bytes one that was sent may unpack to. No feed packs so well, all bombs do; so many
    of them at once take little memory.
    """

    wire: int = 5_000_000
    decoded: int = 15_000_000
    connect: float = 10.0
    stall: float = 10.0
    total: float = 30.0
    rate: float = 1_000.0
    patience: float = 5.0
    ratio: float = 100.0


class Stopped(Exception):
    """A request was given up on our side; `outcome` says why."""

    def __init__(self, outcome: FetchOutcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail


async def read_body(response: aiohttp.ClientResponse, limits: Limits, timer: Callable[[], float]) -> bytes:
    """The decoded body; a gzip file is unpacked whether its server says so or not."""
    began, body = timer(), bytearray()
    if (response.content_length or 0) > limits.wire:
        raise Stopped(FetchOutcome.TOO_LARGE, f"a body of {response.content_length} bytes is over {limits.wire}")
    async for chunk in response.content.iter_chunked(CHUNK):
        body += chunk
        raw, seconds = response.content.total_raw_bytes, timer() - began
        if raw > limits.wire or len(body) > limits.decoded:
            raise Stopped(FetchOutcome.TOO_LARGE, f"a body over {limits.wire} bytes sent or {limits.decoded} decoded")
        if len(body) > max(_SMALL, limits.ratio * raw):
            raise Stopped(FetchOutcome.TOO_LARGE, f"unpacks to over {limits.ratio:g} times what was sent")
        if seconds > limits.patience and raw < limits.rate * seconds:
            raise Stopped(FetchOutcome.TOO_SLOW, f"{raw} bytes in {seconds:.0f} s")
    return _unzipped(bytes(body), limits)


def _unzipped(body: bytes, limits: Limits) -> bytes:
    cap = min(limits.decoded, max(_SMALL, int(limits.ratio * len(body))))
    if not body.startswith(_GZIP):
        return body
    unzip = zlib.decompressobj(31)
    try:
        plain = unzip.decompress(body, cap + 1)
    except zlib.error as error:
        raise Stopped(FetchOutcome.BAD_ENCODING, "gzip that cannot be read") from error
    if len(plain) > cap:
        raise Stopped(FetchOutcome.TOO_LARGE, f"a body over {cap} bytes decoded")
    if not unzip.eof:
        raise Stopped(FetchOutcome.TRUNCATED, "gzip that ends too early")
    return plain
