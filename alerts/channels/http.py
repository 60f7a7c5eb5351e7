"""One POST, and what its answer means in HTTP's own words; channels that speak HTTP refine it. Never follows, never repeats."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import aiohttp

from alerts.channels.base import Answer, SendReason, dead, retry
from daemon.net.answers import retry_after

_TIMEOUT: Final = aiohttp.ClientTimeout(total=15.0, connect=10.0)
_MAX_ANSWER: Final = 4096
_INTRODUCED: Final = {"User-Agent": f"Rasid/{version('rasid')}"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said: the first 4 kB of the body, and seconds to wait when it named them."""

    status: int
    text: str
    after: float | None


@dataclass(frozen=True, slots=True)
class Post:
    """A request to be made. `tls` None trusts what the session trusts."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    tls: ssl.SSLContext | None = None


async def post(session: aiohttp.ClientSession, request: Post, now: float) -> Reply | Answer:
    """Send once, within 15 s. An `Answer` when no reply came; its detail never shows the address, which may be a secret."""
    trust: ssl.SSLContext | bool = request.tls or True
    headers = {**_INTRODUCED, **request.headers}
    try:
        async with session.post(
            request.url, data=request.body, headers=headers, allow_redirects=False, timeout=_TIMEOUT, ssl=trust
        ) as response:
            body = await _head(response)
            return Reply(response.status, body, retry_after(response.headers.get("Retry-After", ""), now))
    except (aiohttp.ClientError, OSError) as error:
        return failed(error)


def failed(error: Exception) -> Answer:
    """What it means that no reply came. Once the request may have left, there is a doubt."""
    name = type(error).__name__
    for kinds, answer in (
        ((aiohttp.InvalidURL,), dead(SendReason.BAD_ADDRESS, "not an address HTTP can use")),
        (
            (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, aiohttp.ServerFingerprintMismatch),
            retry(SendReason.TLS, name),
        ),
        ((aiohttp.ClientConnectorError,), retry(SendReason.UNREACHABLE, _system_error(error))),
        ((aiohttp.ConnectionTimeoutError,), retry(SendReason.TIMED_OUT, "no connection in time")),
        ((TimeoutError,), retry(SendReason.TIMED_OUT, "no answer in time", doubtful=True)),
    ):
        if isinstance(error, kinds):
            return answer
    return retry(SendReason.ANSWER_LOST, name, doubtful=True)


def _system_error(error: Exception) -> str:
    cause = getattr(error, "os_error", error)
    return getattr(cause, "strerror", None) or type(cause).__name__


async def _head(response: aiohttp.ClientResponse) -> str:
    """The start of the body. One that breaks off does not unsay the status."""
    body = b""
    try:
        while len(body) < _MAX_ANSWER and (chunk := await response.content.read(_MAX_ANSWER - len(body))):
            body += chunk
    except (aiohttp.ClientError, TimeoutError, OSError):
        return ""
    return body.decode("utf-8", "replace")


def unwelcome(reply: Reply) -> Answer | None:
    """Asked to wait, or an error that is the server's own: try again later. None for every other status."""
    detail = f"HTTP {reply.status}"
    if reply.status == 429:
        return retry(SendReason.RATE_LIMITED, detail, after=reply.after)
    if reply.status in {408, 425} or reply.status >= 500:
        return retry(SendReason.SERVER_ERROR, detail, after=reply.after)
    return None
