"""What a server's answer amounts to: one outcome from a fixed list, used as log field and as metric label alike. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final


class FetchOutcome(StrEnum):
    """How a request ended."""

    OK = "ok"
    NOT_MODIFIED = "not_modified"
    GONE = "gone"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    BAD_REDIRECT = "bad_redirect"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_SLOW = "too_slow"
    TOO_LARGE = "too_large"
    TRUNCATED = "truncated"
    BAD_ENCODING = "bad_encoding"
    BAD_HTTP = "bad_http"
    REFUSED_ADDRESS = "refused_address"
    NOT_HTTP = "not_http"
    REFUSED_FILE = "refused_file"
    UNREADABLE_FILE = "unreadable_file"


REFUSALS: Final = frozenset({FetchOutcome.TOO_MANY, FetchOutcome.UNAVAILABLE})
"""Whoever answers so wants to be left alone (feeds 14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link that a header names (RFC 8288): an absolute address, its relations and its type, both in lower case."""

    url: str
    rel: frozenset[str] = frozenset()
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came back. `etag` and `last_modified` byte for byte, empty when absent; `retry_after` in seconds.

    `fresh_for`: how long the server says it holds, in seconds (feeds 9); `location`: Content-Location, absolute (feeds 21);
    `moved`: where permanent redirects alone have led, empty otherwise (feeds 12); `partial`: a 226 (feeds 6).
    """

    outcome: FetchOutcome
    status: int = 0
    body: bytes = b""
    final_url: str = ""
    content_type: str = ""
    etag: str = ""
    last_modified: str = ""
    retry_after: float | None = None
    fresh_for: float | None = None
    location: str = ""
    moved: str = ""
    partial: bool = False
    links: tuple[Link, ...] = ()
    detail: str = ""

    @property
    def words(self) -> str:
        """How it ended, for people."""
        return f"{self.outcome}: {self.detail}" if self.detail else str(self.outcome)


REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
PERMANENT: Final = frozenset({301, 308})
PARTIAL: Final = 226
"""A body that leaves out what was sent before (RFC 3229)."""

_BY_STATUS: Final = {
    304: FetchOutcome.NOT_MODIFIED,
    401: FetchOutcome.UNAUTHORIZED,
    403: FetchOutcome.FORBIDDEN,
    404: FetchOutcome.NOT_FOUND,
    410: FetchOutcome.GONE,
    429: FetchOutcome.TOO_MANY,
    503: FetchOutcome.UNAVAILABLE,
}
_MAX_VALIDATOR: Final = 1024


def classify(status: int, headers: Mapping[str, str]) -> FetchOutcome:
    """The outcome of a status; a 403 that a rate limiter signed is one too many (feeds 14)."""
    if 200 <= status < 300:
        return FetchOutcome.OK
    if status == 403 and ("cf-mitigated" in headers or any(name.lower().startswith("x-ratelimit-") for name in headers)):
        return FetchOutcome.TOO_MANY
    if 300 <= status < 400 and status != 304:
        return FetchOutcome.BAD_REDIRECT
    return _BY_STATUS.get(status, FetchOutcome.CLIENT_ERROR if 400 <= status < 500 else FetchOutcome.SERVER_ERROR)


def retry_after(text: str, now: float) -> float | None:
    """Seconds from `now` of a Retry-After header, which says seconds or a date (RFC 9110, 10.2.3); None if neither."""
    text = text.strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:10])
    at = http_date(text)
    return None if at is None else max(0.0, at - now)


def http_date(text: str) -> float | None:
    """The instant of a date in a header (seconds since the epoch); None for what is none."""
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def validator(text: str) -> str:
    """An ETag or Last-Modified as it can be sent back byte for byte; empty when it cannot be, so that none is invented."""
    sendable = len(text) <= _MAX_VALIDATOR and text.isprintable()
    return text if sendable else ""
