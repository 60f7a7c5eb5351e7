"""Logins and other secrets of feeds (feeds 34): taken out of addresses, struck out of what servers say, veiled in what is told.

No login stands in a `Fetched`; an address may hold a secret until it is veiled.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from daemon.config.login import basic
from daemon.urls import without_credentials

AUTHORIZATION: Final = "Authorization"
_SHORT: Final = 4
"""Characters; a shorter secret is in every sentence by chance."""

_SHORT_IN_ADDRESS: Final = 8
"""Characters; a shorter one may be any part of an address."""


@dataclass(frozen=True, slots=True)
class Veil:
    """What is told, and what relative links are joined to, instead of an address that may hold secrets.

    `shown` stands for `asked`. Other addresses, which servers gave, may repeat one of the `secrets` behind their host.
    """

    asked: str = field(default="", repr=False)
    shown: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def over(self, url: str) -> str:
        """The address as it may be told: without a login in any case."""
        plain = without_credentials(url)
        if self.shown and plain == without_credentials(self.asked):
            return self.shown
        host = plain.find("/", plain.find("://") + 3)
        if host < 0:
            return plain
        behind = plain[host:]
        for secret in self._written():
            behind = behind.replace(secret, "…")
        return plain[:host] + behind

    def _written(self) -> Iterator[str]:
        """The secrets in each way that an address may have them, longest first: one may be part of another."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            if len(secret) >= _SHORT_IN_ADDRESS:
                yield from dict.fromkeys((secret, quote(secret), quote(secret, safe=""), unquote(secret)))


OPEN: Final = Veil()
"""Over what holds no secret."""


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
