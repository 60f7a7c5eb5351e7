"""Logins of feeds (feeds 34): which headers they are, and who gets them: the origin of the feed's own address alone.

They stand in no `Fetched`, and what a server sends back of them is struck out of its details.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from daemon.urls import without_credentials

AUTHORIZATION: Final = "Authorization"
_PORTS: Final = {"http": 80, "https": 443}
_SHORT: Final = 4
"""Characters; a shorter secret is in every sentence by chance."""


def basic(username: str, password: str) -> str:
    """The value of `Authorization` for a name and a password (RFC 7617)."""
    return f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"


def bearer(token: str) -> str:
    """The value of `Authorization` for a token (RFC 6750)."""
    return f"Bearer {token}"


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454) of a usable address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)


def taken_apart(url: str) -> tuple[str, Mapping[str, str]]:
    """The address without the login that may stand before its host, and that login as a header."""
    plain = without_credentials(url)
    if plain == url:
        return url, {}
    parts = urlsplit(url)
    return plain, {AUTHORIZATION: basic(unquote(parts.username or ""), unquote(parts.password or ""))}


def struck_out(text: str, secrets: Mapping[str, str]) -> str:
    """The text without the secrets that a server put into it."""
    for value in secrets.values():
        for secret in (value, value.partition(" ")[2]):
            text = text.replace(secret, "…") if len(secret) >= _SHORT else text
    return text
