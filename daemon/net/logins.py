"""Logins of feeds (feeds 34): taken out of addresses, and struck out of what servers say. They stand in no `Fetched`."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from daemon.config.login import basic
from daemon.urls import without_credentials

AUTHORIZATION: Final = "Authorization"
_SHORT: Final = 4
"""Characters; a shorter secret is in every sentence by chance."""


def taken_apart(url: str) -> tuple[str, Mapping[str, str]]:
    """The address without the login that may stand before its host, and that login as a header."""
    plain = without_credentials(url) if "@" in url else url
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
