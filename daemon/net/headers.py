"""What a server says about its answer in headers: how long it holds, where it lies, what belongs to it. Pure, bounded."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final
from urllib.parse import urljoin

from daemon.net.answers import Link, http_date
from daemon.urls import is_usable

MAX_FRESH: Final = 30 * 86400.0
"""Seconds; whatever a server says, nothing holds longer."""

MAX_LINKS: Final = 20
_LONGEST: Final = 16_384
_DIRECTIVE: Final = re.compile(r"([\w-]++)(?:\s*+=\s*+\"?(\d*+))?+")
_LINK: Final = re.compile(r"<([^<>]*+)>((?:\s*+;[^,;\"<>]*+(?:\"(?:[^\"\\]|\\.)*+\"[^,;\"<>]*+)?+)*+)")
_PARAMETER: Final = re.compile(r";\s*+([\w*-]++)\s*+=\s*+(?:\"((?:[^\"\\]|\\.)*+)\"|([^\s;,\"]*+))")


def fresh_for(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer holds: `max-age` less `Age`, else `Expires` less `Date`, by the server's own clock (feeds 9).

    None when it says nothing, or that nothing is to be kept.
    """
    said = {found[1].lower(): found[2] for found in _DIRECTIVE.finditer(headers.get("Cache-Control", "")[:_LONGEST])}
    if "no-cache" in said or "no-store" in said:
        return None
    if said.get("max-age"):
        return _bounded(_number(said["max-age"] or "") - _number(headers.get("Age", "").strip()))
    expires = http_date(headers.get("Expires", ""))
    date = http_date(headers.get("Date", "")) if expires is not None else None
    return None if expires is None or date is None else _bounded(expires - date)


def _number(text: str) -> float:
    return float(text[:12]) if text.isascii() and text.isdigit() else 0.0


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_FRESH)


def joined(base: str, reference: str) -> str:
    """The address that a header's reference means; empty when nobody could ask for it."""
    if not reference:
        return ""
    try:
        url = urljoin(base, reference.strip())
    except ValueError:
        return ""
    return url if reference.strip() and is_usable(url) else ""


def links_of(text: str, base: str) -> tuple[Link, ...]:
    """The links of a `Link` header (RFC 8288); what is said of other pages (`anchor`) is left out."""
    return tuple(islice(_links(text[:_LONGEST], base), MAX_LINKS)) if text else ()


def _links(text: str, base: str) -> Iterator[Link]:
    for found in _LINK.finditer(text):
        parameters: dict[str, str] = {}
        for name, quoted, bare in _PARAMETER.findall(found[2]):
            parameters.setdefault(name.lower(), quoted or bare)
        url = joined(base, found[1])
        if url and "anchor" not in parameters:
            relations = frozenset(parameters.get("rel", "").lower().split())
            yield Link(url=url, rel=relations, type=parameters.get("type", "").strip().lower())
