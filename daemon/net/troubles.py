"""What a client's errors amount to, and their words for people: never an address, which may hold a token."""

import os
import ssl
from collections.abc import Sequence
from typing import Final

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError, ContentLengthError, TransferEncodingError

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
    """What happened, short: our own words where the library's are about its workings, the system's and the peer's else."""
    words = _words_of_connecting(error) if isinstance(error, aiohttp.ClientConnectorError) else _words_of_answer(error)
    return words[:_MOST]


def _words_of_connecting(error: aiohttp.ClientConnectorError) -> str:
    match error:
        case aiohttp.ClientConnectorError(os_error=RefusedAddress() as refused):
            return f"{refused.address}: {refused}"
        case aiohttp.ClientConnectorCertificateError():
            return f"{error.host}: its certificate is not trusted: {_words_of_tls(error.certificate_error)}"
        case aiohttp.ClientConnectorError(os_error=ssl.SSLError()):
            return f"{error.host}: no TLS: {_words_of_tls(error.os_error)}"
        case aiohttp.ClientConnectorDNSError():
            return f"{error.host}: {_words_of_system(error.os_error)}"
    return f"{error.host}:{error.port}: {_words_of_system(error.os_error)}"


def _words_of_answer(error: Exception) -> str:
    match error:
        case aiohttp.ClientPayloadError():
            return _words_of_body(error)
        case aiohttp.InvalidURL():
            return "not an address that can be asked"
        case aiohttp.ClientResponseError():
            return error.message.partition("\n")[0]  # what follows is what the server sent
        case aiohttp.ServerDisconnectedError():
            return "the server closed the connection without an answer"
        case TimeoutError():
            return "no connection in time" if isinstance(error, aiohttp.ConnectionTimeoutError) else "no answer in time"
    return str(error) or type(error).__name__


def _words_of_system(error: OSError) -> str:
    """“Connection refused”; of names there is no number, but a text."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error.args[-1] if error.args else "") or type(error).__name__


def _words_of_tls(error: Exception) -> str:
    """“self-signed certificate”, “WRONG VERSION NUMBER”: without the place in a library's source."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return str(getattr(error, "reason", None) or error).replace("_", " ")


def _words_of_body(error: aiohttp.ClientPayloadError) -> str:
    match error.__cause__:
        case ContentLengthError():
            return "the body ended before its Content-Length"
        case ContentEncodingError() as cause:
            return cause.message
        case TransferEncodingError():
            return "the body ended before its last chunk, or its chunks cannot be told apart"
    return "the body broke off"
