"""The only place that calls feedparser: its verdict on a document, also where one item makes it raise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import feedparser

from daemon.errors import RasidError
from daemon.feeds.parse.split import Split

Values: TypeAlias = Mapping[str, Any]
"""What feedparser says of a feed or an entry. Read with `dict.get`: its own `get` answers for keys that are not there."""

_HEADERS: Final = {"content-type": "application/xml; charset=utf-8"}
_MAX_CALLS: Final = 64


class ParserGaveUp(RasidError):
    """feedparser raised instead of answering."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The values of the feed and of its entries, and the hashes of items that made feedparser raise."""

    version: str
    feed: Values
    entries: Sequence[Values]
    refused: frozenset[str] = frozenset()


def ask(document: bytes) -> Verdict:
    """The values feedparser finds for a document in UTF-8, HTML neither cleaned nor resolved. Raises `ParserGaveUp`."""
    try:
        said = feedparser.parse(document, response_headers=_HEADERS, resolve_relative_uris=False, sanitize_html=False)
    except Exception as error:  # an edge: on odd feeds it raises KeyError, TypeError, RecursionError and others
        raise ParserGaveUp(f"feedparser raised {type(error).__name__}: {error}") from error
    return Verdict(version=str(dict.get(said, "version") or ""), feed=said["feed"], entries=said["entries"])


def ask_each(parts: Split) -> Verdict:
    """The values of all unseen items but those on which feedparser raises; found by halving, within bounds."""
    queue = [tuple(parts.unseen)]
    answered: list[Verdict] = []
    refused: set[str] = set()
    for _ in range(_MAX_CALLS):
        if not queue:
            break
        some = queue.pop()
        try:
            answered.append(ask(parts.document_of(frozenset(some))))
        except ParserGaveUp:
            half = len(some) // 2
            if half:
                queue += [some[half:], some[:half]]
            else:
                refused.update(some)
    entries = [entry for verdict in answered for entry in verdict.entries]
    head = answered[0] if answered else Verdict(version="", feed={}, entries=())
    return replace(head, entries=entries, refused=frozenset(refused.union(*queue)))
