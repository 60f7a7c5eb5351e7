"""One GET, done carefully: conditional, streamed under caps, redirects followed by hand, every address checked.

    Request ─ turn of the site ─ connect (public addresses only) ─ status ─┬─ redirect: next hop, its own site's turn
                                                                          └─ body under caps ─▶ Fetched

Whatever a server does is an outcome, never an exception. Decides nothing about feeds or pages.
"""

import asyncio
import ssl
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias
from urllib.parse import urljoin

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

from daemon.clock import Clock
from daemon.config.trust import trusting
from daemon.net.addresses import Network, RefusedAddress, guarded_sockets
from daemon.net.answers import REDIRECTS, Fetched, FetchOutcome, classify, retry_after, validator
from daemon.urls import is_usable, site_of

Turn: TypeAlias = Callable[[str], AbstractAsyncContextManager[None]]
"""Holds a site's turn while entered (`Politeness.turn`)."""

MAX_REDIRECTS: Final = 5
_CHUNK: Final = 65536
_KEEP_ALIVE: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one request (feeds 17): bytes, seconds, and bytes a second once `patience` seconds have passed."""

    wire: int = 5_000_000
    decoded: int = 15_000_000
    connect: float = 10.0
    stall: float = 10.0
    total: float = 30.0
    rate: float = 1_000.0
    patience: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to get. Validators are sent back as they were stored; empty ones are not sent."""

    url: str
    user_agent: str
    accept: str = "*/*"
    etag: str = ""
    last_modified: str = ""

    def headers(self) -> dict[str, str]:
        known = {
            "User-Agent": self.user_agent,
            "Accept": self.accept,
            "Accept-Encoding": "gzip, br, zstd",
            "If-None-Match": self.etag,
            "If-Modified-Since": self.last_modified,
        }
        return {name: value for name, value in known.items() if value}


class _Stopped(Exception):
    def __init__(self, outcome: FetchOutcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail


class Fetcher:
    """Gets addresses for a process; to be entered before use and left to close its connections."""

    def __init__(
        self,
        *,
        clock: Clock,
        allowed: Sequence[Network] = (),
        ca_file: Path | None = None,
        limits: Limits = Limits(),
        timer: Callable[[], float] | None = None,
    ) -> None:
        """`ca_file` is trusted besides the system's authorities; `timer` measures rates (the loop's time by default)."""
        self._clock = clock
        self._allowed = tuple(allowed)
        self._tls = trusting(ca_file, besides=True)
        self._limits = limits
        self._timer = timer
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=0,  # Politeness limits; a second queue here would eat into the time a request has
            ssl=self._tls,
            ttl_dns_cache=300,
            keepalive_timeout=_KEEP_ALIVE,
            resolver=aiohttp.AsyncResolver(),
            socket_factory=guarded_sockets(self._allowed),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=self._limits.connect, sock_read=self._limits.stall),
            read_bufsize=2 * _CHUNK,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, request: Request, turn: Turn = lambda _site: nullcontext()) -> Fetched:
        """What came back, redirects followed. `turn` is entered for each hop's site, never two at once."""
        url, seen, left = request.url, set[str](), self._limits.total
        timer = self._timer or asyncio.get_running_loop().time
        for _ in range(MAX_REDIRECTS + 1):
            if not is_usable(url):
                return Fetched(outcome=FetchOutcome.NOT_HTTP, final_url=url, detail="only http and https addresses are fetched")
            seen.add(url)
            async with turn(site_of(url)):
                began = timer()
                answer = await self._hop(request, url, left)
                left -= timer() - began
            if isinstance(answer, Fetched):
                return answer
            url = answer
            if url in seen:
                return Fetched(outcome=FetchOutcome.BAD_REDIRECT, final_url=url, detail="redirects lead in a circle")
        return Fetched(outcome=FetchOutcome.BAD_REDIRECT, final_url=url, detail=f"more than {MAX_REDIRECTS} redirects")

    async def _hop(self, request: Request, url: str, seconds: float) -> Fetched | str:
        """The answer of one address, or where it redirects to."""
        if self._session is None:
            raise RuntimeError("the fetcher has not been entered")
        try:
            async with (
                asyncio.timeout(max(seconds, 0.0)),
                self._session.get(url, headers=request.headers(), allow_redirects=False) as response,
            ):
                location = response.headers.get("Location", "")
                if response.status in REDIRECTS and location:
                    return _joined(url, _text(location))
                return await self._answer(request, url, response)
        except _Stopped as stopped:
            return Fetched(outcome=stopped.outcome, final_url=url, detail=stopped.detail)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Fetched(outcome=_outcome(error), final_url=url, detail=_said(error))

    async def _answer(self, request: Request, url: str, response: aiohttp.ClientResponse) -> Fetched:
        outcome, headers = classify(response.status, response.headers), response.headers
        detail = "" if outcome in {FetchOutcome.OK, FetchOutcome.NOT_MODIFIED} else f"HTTP {response.status}"
        if outcome is FetchOutcome.NOT_MODIFIED and not (request.etag or request.last_modified):
            outcome, detail = FetchOutcome.BAD_HTTP, "304 to a request without conditions"
        return Fetched(
            outcome=outcome,
            status=response.status,
            body=await self._body(response) if outcome is FetchOutcome.OK else b"",
            final_url=url,
            content_type=_text(headers.get("Content-Type", "")),
            etag=validator(headers.get("ETag", "")),
            last_modified=validator(headers.get("Last-Modified", "")),
            retry_after=retry_after(headers.get("Retry-After", ""), self._clock.now()),
            detail=detail,
        )

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """The decoded body. Raises `_Stopped` as soon as a bound is passed."""
        limits = self._limits
        timer = self._timer or asyncio.get_running_loop().time
        began, body = timer(), bytearray()
        if (response.content_length or 0) > limits.wire:
            raise _Stopped(FetchOutcome.TOO_LARGE, f"a body of {response.content_length} bytes is over {limits.wire}")
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            raw, seconds = response.content.total_raw_bytes, timer() - began
            if raw > limits.wire or len(body) > limits.decoded:
                raise _Stopped(FetchOutcome.TOO_LARGE, f"a body over {limits.wire} bytes sent or {limits.decoded} decoded")
            if seconds > limits.patience and raw < limits.rate * seconds:
                raise _Stopped(FetchOutcome.TOO_SLOW, f"{raw} bytes in {seconds:.0f} s")
        return _unzipped(bytes(body), response.headers, limits.decoded)


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise _Stopped(FetchOutcome.BAD_REDIRECT, "leads to an address that cannot be read") from error


def _unzipped(body: bytes, headers: Mapping[str, str], cap: int) -> bytes:
    """The body of a gzip file sent without saying so (feeds 17)."""
    if not body.startswith(b"\x1f\x8b\x08") or headers.get("Content-Encoding"):
        return body
    unzip = zlib.decompressobj(31)
    try:
        plain = unzip.decompress(body, cap + 1)
    except zlib.error as error:
        raise _Stopped(FetchOutcome.BAD_ENCODING, "gzip that cannot be read") from error
    if len(plain) > cap:
        raise _Stopped(FetchOutcome.TOO_LARGE, f"a body over {cap} bytes decoded")
    return plain


def _outcome(error: Exception) -> FetchOutcome:
    """What a client's error amounts to; the order goes from the special to the general."""
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, RefusedAddress):
        return FetchOutcome.REFUSED_ADDRESS
    if isinstance(error, aiohttp.ClientPayloadError) and isinstance(error.__cause__, ContentEncodingError):
        return FetchOutcome.BAD_ENCODING
    return next(outcome for kinds, outcome in _OUTCOMES if isinstance(error, kinds))


_OUTCOMES: Final[Sequence[tuple[tuple[type[Exception], ...], FetchOutcome]]] = (
    ((aiohttp.ClientConnectorDNSError,), FetchOutcome.DNS),
    ((aiohttp.ClientSSLError, ssl.SSLError), FetchOutcome.TLS),
    ((TimeoutError,), FetchOutcome.TIMEOUT),
    ((aiohttp.InvalidURL,), FetchOutcome.NOT_HTTP),
    ((aiohttp.ClientPayloadError,), FetchOutcome.TRUNCATED),
    ((aiohttp.ClientConnectionError, OSError), FetchOutcome.CONNECT),
    ((Exception,), FetchOutcome.BAD_HTTP),
)


def _said(error: Exception) -> str:
    """A library's words, short; for a refused address which one it was."""
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, RefusedAddress):
        return f"{error.os_error.address}: {error.os_error}"
    if isinstance(error, aiohttp.InvalidURL):
        return "not an address that can be asked"  # its own words hold the address, and that may hold a token
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message[:300]
    return (str(error) or type(error).__name__)[:300]


def _text(header: str) -> str:
    """A header's value as valid text: aiohttp keeps bytes that are not UTF-8 as lone surrogates."""
    return header.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
