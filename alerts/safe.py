"""Makes feed-supplied texts and addresses harmless before any channel shows them. Pure; knows no channel's markup."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

import idna

MAX_LINK: Final = 2000
"""Longer addresses are not linked: Slack takes 3,000 characters, mail programs less."""

_SPACES: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_HIDDEN: Final = re.compile(
    "[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]")
_FSI, _PDI = "\u2068", "\u2069"


def clean(text: str) -> str:
    """The text on one line without control characters, bidi controls and other invisible ones.

    ZWJ and ZWNJ stay: Persian and Indic spelling needs them.
    """
    return _SPACES.sub(" ", _HIDDEN.sub("", text))


def shorten(text: str, limit: int) -> str:
    """At most `limit` code points, the last an ellipsis when something was cut, between words where that costs little."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > limit * 0.7 else cut).rstrip() + "…"


def isolate(text: str) -> str:
    """Wrapped in FSI and PDI when it holds right-to-left letters, so that it does not reorder what stands beside it."""
    return f"{_FSI}{text}{_PDI}" if _RIGHT_TO_LEFT.search(text) else text


def in_line(parts: Iterable[str]) -> str:
    """Parts of any script side by side on one line, each isolated."""
    return " · ".join(map(isolate, parts))


def safe_link(url: str) -> str:
    """The address in plain ASCII if it is http or https, names a host and hides no user name; else the empty string."""
    try:
        parts = urlsplit(url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            return ""
        link = urlunsplit(_ascii(parts))
    except ValueError:
        return ""
    return link if len(link) <= MAX_LINK else ""


def _ascii(parts: SplitResult) -> SplitResult:
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    elif not host.isascii():
        host = idna.encode(host, uts46=True).decode("ascii")
    if re.search(r"[^A-Za-z0-9.:_\[\]-]", host):
        raise ValueError("a host with characters no host has")
    port = f":{parts.port}" if parts.port is not None else ""
    path, query, fragment = (_escaped(part) for part in (parts.path, parts.query, parts.fragment))
    return SplitResult(parts.scheme, host + port, path, query, fragment)


def _escaped(part: str) -> str:
    return quote(_HIDDEN.sub("", part), safe="%/:?#[]@!$&()*+,;=-._~")
