"""What a client's errors amount to, and their words for people: never an address, which may hold a token."""

import ssl
from collections.abc import Sequence
from typing import Final

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

from daemon.net.addresses import RefusedAddress
from daemon.net.answers import FetchOutcome

_MOST: Final = 300


def outcome_of(error: Exception) -> FetchOutcome:
    """The order goes from the special to the general."""
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


def words_of(error: Exception) -> str:
    """A library's words, short; for a refused address which one it was."""
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, RefusedAddress):
        return f"{error.os_error.address}: {error.os_error}"
    if isinstance(error, aiohttp.InvalidURL):
        return "not an address that can be asked"
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message.partition("\n")[0][:_MOST]  # what follows is what the server sent
    return (str(error) or type(error).__name__)[:_MOST]
