"""One GET, done carefully: conditional, streamed under caps, redirects followed by hand, every address checked.

    Request ─ turn of the site ─ connect (public addresses only) ─ status ─┬─ redirect: next hop, its own site's turn
                                                                          └─ body under caps ─▶ Fetched

Whatever a server does is an outcome, never an exception. Decides nothing about feeds or pages.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver

from daemon.clock import Clock
from daemon.config.trust import trusting
from daemon.net.addresses import Network, guarded_sockets
from daemon.net.answers import PARTIAL, PERMANENT, REDIRECTS, Fetched, FetchOutcome, classify, retry_after, validator
from daemon.net.bodies import CHUNK, Limits, Stopped, read_body
from daemon.net.headers import fresh_for, joined, links_of
from daemon.net.logins import struck_out, taken_apart
from daemon.net.names import Names
from daemon.net.troubles import outcome_of, words_of
from daemon.urls import is_usable, origin_of, site_of, without_credentials

Turn: TypeAlias = Callable[[str], AbstractAsyncContextManager[None]]
"""Holds a site's turn while entered (`Politeness.turn`)."""

MAX_REDIRECTS: Final = 5
_KEEP_ALIVE: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to get. Validators are sent back as they were stored; empty ones are not sent.

    `secrets` are headers for the origin of `url` alone, as is a login in `url` itself, until redirects leave it (feeds 34).
    `delta`: a server that can may leave out what it sent before (feeds 6).
    """

    url: str
    user_agent: str
    accept: str = "*/*"
    etag: str = ""
    last_modified: str = ""
    delta: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def headers(self, *, login: bool) -> dict[str, str]:
        """What is sent, with the secrets or without."""
        known = {
            "User-Agent": self.user_agent,
            "Accept": self.accept,
            "Accept-Encoding": "gzip, br, zstd",
            "If-None-Match": self.etag,
            "If-Modified-Since": self.last_modified,
            "A-IM": "feed" if self.delta else "",
        }
        sent = {name: value for name, value in known.items() if value}
        return {**sent, **self.secrets} if login else sent


@dataclass(frozen=True, slots=True)
class _Onward:
    """A redirect."""

    url: str
    permanent: bool


class Fetcher:
    """Gets addresses for a process; to be entered before use and left to close its connections."""

    def __init__(
        self,
        *,
        clock: Clock,
        allowed: Sequence[Network] = (),
        ports: Collection[int] = (),
        ca_file: Path | None = None,
        limits: Limits = Limits(),
        timer: Callable[[], float] | None = None,
        resolver: Callable[[], AbstractResolver] = aiohttp.AsyncResolver,
    ) -> None:
        """`allowed` networks and `ports` are reached besides public addresses and the web's ports (addresses.py).

        `ca_file` is trusted besides the system's authorities; `timer` measures rates (the loop's time by default);
        `resolver` makes what names are asked of: c-ares by default.
        """
        self._clock = clock
        self._sockets = guarded_sockets(tuple(allowed), frozenset(ports))
        self._tls = trusting(ca_file, besides=True)
        self._limits = limits
        self._timer = timer
        self._resolver = resolver
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        names = Names(self._resolver(), timer=asyncio.get_running_loop().time)
        self._stack.push_async_callback(names.close)
        connector = aiohttp.TCPConnector(
            limit=0,  # Politeness limits; a second queue here would eat into the time a request has
            ssl=self._tls,
            use_dns_cache=False,  # `Names` remembers misses, too
            keepalive_timeout=_KEEP_ALIVE,
            resolver=names,
            socket_factory=self._sockets,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=self._limits.connect, sock_read=self._limits.stall),
            read_bufsize=2 * CHUNK,
        )
        self._session = await self._stack.enter_async_context(session)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session = None
        await self._stack.aclose()

    async def get(
        self,
        request: Request,
        turn: Turn = lambda _site: nullcontext(),
        guide: Callable[[str], Awaitable[Turn | None]] | None = None,
    ) -> Fetched:
        """What came back, redirects followed. `turn` is entered for each hop's site, never two at once.

        `guide` is asked where a redirect leads: for the turns from there on, or None where nobody may go. No turn is held then.
        """
        request = _with_login_apart(request)
        url, seen, left = request.url, set[str](), self._limits.total
        timer, permanent, at_home = self._timer or asyncio.get_running_loop().time, True, True
        for _ in range(MAX_REDIRECTS + 1):
            if not is_usable(url):
                return Fetched(outcome=FetchOutcome.NOT_HTTP, final_url=url, detail="only http and https addresses are fetched")
            seen.add(url)
            if url != request.url:  # what sends us back is not the feed's own word
                at_home = at_home and origin_of(url) == origin_of(request.url)
            async with turn(site_of(url)):
                began = timer()
                answer = await self._hop(request, url, left, login=at_home)
                left -= timer() - began
            if isinstance(answer, Fetched):
                return replace(answer, moved=url) if permanent and len(seen) > 1 else answer
            url, permanent = answer.url, permanent and answer.permanent
            if url in seen:
                return Fetched(outcome=FetchOutcome.BAD_REDIRECT, final_url=url, detail="redirects lead in a circle")
            guided = turn if guide is None else await guide(url)
            if guided is None:
                return Fetched(outcome=FetchOutcome.BAD_REDIRECT, final_url=url, detail="leads where robots.txt does not allow")
            turn = guided
        return Fetched(outcome=FetchOutcome.BAD_REDIRECT, final_url=url, detail=f"more than {MAX_REDIRECTS} redirects")

    async def _hop(self, request: Request, url: str, seconds: float, *, login: bool) -> Fetched | _Onward:
        """The answer of one address, or where it redirects to."""
        if self._session is None:
            raise RuntimeError("the fetcher has not been entered")
        now, limits = asyncio.get_running_loop().time(), self._limits
        ends = now + max(seconds, 0.0)
        try:
            async with (
                asyncio.timeout_at(min(ends, now + limits.connect + limits.stall)) as until,
                self._session.get(url, headers=request.headers(login=login), allow_redirects=False) as response,
            ):
                until.reschedule(ends)
                location = response.headers.get("Location", "")
                if response.status in REDIRECTS and location:
                    return _onward(response.status, url, _text(location))
                return await self._answer(request, url, response)
        except Stopped as stopped:
            return Fetched(outcome=stopped.outcome, final_url=url, detail=stopped.detail)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Fetched(outcome=outcome_of(error), final_url=url, detail=struck_out(words_of(error), request.secrets))

    async def _answer(self, request: Request, url: str, response: aiohttp.ClientResponse) -> Fetched:
        outcome, headers = classify(response.status, response.headers), response.headers
        detail = "" if outcome in {FetchOutcome.OK, FetchOutcome.NOT_MODIFIED} else f"HTTP {response.status}"
        if outcome is FetchOutcome.BAD_REDIRECT and response.status in REDIRECTS:
            detail = f"HTTP {response.status} without a Location"
        if outcome is FetchOutcome.NOT_MODIFIED and not (request.etag or request.last_modified):
            outcome, detail = FetchOutcome.BAD_HTTP, "304 to a request without conditions"
        timer = self._timer or asyncio.get_running_loop().time
        return Fetched(
            outcome=outcome,
            status=response.status,
            body=await read_body(response, self._limits, timer) if outcome is FetchOutcome.OK else b"",
            final_url=url,
            content_type=_text(headers.get("Content-Type", "")),
            etag=validator(headers.get("ETag", "")),
            last_modified=validator(headers.get("Last-Modified", "")),
            retry_after=retry_after(headers.get("Retry-After", ""), self._clock.now()),
            fresh_for=fresh_for(headers),
            location=joined(url, _text(headers.get("Content-Location", ""))),
            partial=response.status == PARTIAL,
            links=links_of(_text(", ".join(headers.getall("Link", ()))), url),
            detail=detail,
        )


def _with_login_apart(request: Request) -> Request:
    """The login of the address among the secrets, where those have none."""
    url, login = taken_apart(request.url)
    return request if not login else replace(request, url=url, secrets={**login, **request.secrets})


def _onward(status: int, url: str, location: str) -> _Onward:
    """Without a login: nobody's server says who we are elsewhere."""
    try:
        target = urljoin(url, location)
    except ValueError as error:
        raise Stopped(FetchOutcome.BAD_REDIRECT, "leads to an address that cannot be read") from error
    return _Onward(without_credentials(target), status in PERMANENT)


def _text(header: str) -> str:
    """A header's value as valid text: aiohttp keeps bytes that are not UTF-8 as lone surrogates."""
    return header if header.isascii() else header.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
