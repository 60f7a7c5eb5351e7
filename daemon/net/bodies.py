"""Reads a body under caps (feeds 17): bytes sent, bytes decoded, bytes a second. Raises `Stopped` when one is passed."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import aiohttp

from daemon.net.answers import FetchOutcome

CHUNK: Final = 65536
_SMALL: Final = 1_000_000
_MANY: Final = 5_000
_CRUMB: Final = 32
"""Bytes; so many chunks that are smaller cost far more to take apart than to send."""

_GZIP: Final = b"\x1f\x8b\x08"
_MEMBERS: Final = 300
"""Of a gzip file, each of which costs a copy of what follows it; one in blocks of 64 kB has no more."""


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
    began, body, size, pieces = timer(), BytesIO(), 0, 0  # what BytesIO gives in the end is no copy
    if (response.content_length or 0) > limits.wire:
        raise Stopped(FetchOutcome.TOO_LARGE, f"a body of {response.content_length} bytes is over {limits.wire}")
    async for piece, is_end in response.content.iter_chunks():
        size += body.write(piece)
        pieces += is_end
        if pieces > _MANY and size < _CRUMB * pieces:
            raise Stopped(FetchOutcome.BAD_HTTP, "a body in crumbs: chunks of a few bytes by the thousand")
        raw, seconds = response.content.total_raw_bytes, timer() - began
        if raw > limits.wire or size > limits.decoded:
            raise Stopped(FetchOutcome.TOO_LARGE, f"a body over {limits.wire} bytes sent or {limits.decoded} decoded")
        if size > max(_SMALL, limits.ratio * raw):
            raise Stopped(FetchOutcome.TOO_LARGE, f"unpacks to over {limits.ratio:g} times what was sent")
        if seconds > limits.patience and raw < limits.rate * seconds:
            raise Stopped(FetchOutcome.TOO_SLOW, f"{raw} bytes in {seconds:.0f} s")
    return unzipped(body.getvalue(), limits)


def unzipped(body: bytes, limits: Limits) -> bytes:
    """All members of a gzip file (RFC 1952, 2.2), together under the cap; padding after the last counts for nothing.

    What is no gzip comes back as it is. Raises `Stopped`.
    """
    cap = min(limits.decoded, max(_SMALL, int(limits.ratio * len(body))))
    if not body.startswith(_GZIP):
        return body
    plain, rest = BytesIO(), body
    for _ in range(_MEMBERS):
        unzip = zlib.decompressobj(31)
        try:
            plain.write(unzip.decompress(rest, cap + 1 - plain.tell()))
        except zlib.error as error:
            raise Stopped(FetchOutcome.BAD_ENCODING, "gzip that cannot be read") from error
        if plain.tell() > cap:
            raise Stopped(FetchOutcome.TOO_LARGE, f"a body over {cap} bytes decoded")
        if not unzip.eof:
            raise Stopped(FetchOutcome.TRUNCATED, "gzip that ends too early")
        rest = unzip.unused_data
        if not rest.startswith(_GZIP):
            return plain.getvalue()
    raise Stopped(FetchOutcome.BAD_ENCODING, f"gzip in more than {_MEMBERS} members")
