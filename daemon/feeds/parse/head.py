"""What a feed's head says of the feed itself: when to ask again, where its past is, what was taken back (feeds 9, 22, 28).

Reads the tree that splitting made anyway, so it costs next to nothing when no item is new. Of items it reads nothing.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from daemon.dates import believe, read_date
from daemon.feeds.parse.links import absolute, is_address
from daemon.feeds.parse.parsed import NO_HINTS, Deleted, Hints
from daemon.feeds.parse.texts import clean, cut, one_line
from daemon.feeds.parse.trees import Element, local_name
from daemon.feeds.rows import MAX_WINDOW

_PERIODS: Final = {"hourly": 3600.0, "daily": 86400.0, "weekly": 7 * 86400.0, "monthly": 30 * 86400.0, "yearly": 365 * 86400.0}
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,9})?|\.\d{1,9}")
_PAST: Final = ("prev-archive", "next")
"""RFC 5005: the archived document before this one, else the next page, which holds what is older."""
_LIMIT: Final = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """See the fields of `Parsed` that have these names."""

    hints: Hints = NO_HINTS
    archive: str = ""
    deleted: tuple[Deleted, ...] = ()


def read_head(root: Element, *, url: str, now: float) -> Head:
    """What stands directly in the root and in its channel. Never raises: what cannot be read was not said."""
    said: dict[str, str] = {}
    links: dict[str, str] = {}
    deleted: dict[str, Deleted] = {}
    for element in _elements(root):
        name = local_name(element)
        if name in _READERS:
            said.setdefault(name, _READERS[name](element))
        elif name == "link":
            relation = (element.get("rel") or "").rpartition("/")[2].lower()
            links.setdefault(relation, absolute(element.get("href") or "", absolute(element.base or "", url) or url))
        elif name == "deleted-entry" and len(deleted) < MAX_WINDOW:
            ref = cut(one_line(clean(element.get("ref") or "")), _LIMIT)
            deleted.setdefault(ref, Deleted(ref=ref, at=_instant(element.get("when") or "", now)))
    deleted.pop("", None)
    return Head(hints=_hints(said), archive=archive_among(links, url), deleted=tuple(deleted.values()))


def archive_among(links: dict[str, str], url: str) -> str:
    """The address of the document that came before the one at `url`, among links by their relation; empty for none."""
    said = (links.get(relation, "") for relation in _PAST)
    return next((link for link in said if is_address(link) and link != url and len(link) <= _LIMIT), "")


def _elements(root: Element) -> Iterator[Element]:
    for element in root:
        if local_name(element) == "channel":
            yield from element
        else:
            yield element


def _text(element: Element) -> str:
    return (element.text or "")[:_LIMIT].strip().lower()


def _texts(element: Element) -> str:
    return " ".join(_text(child) for child in islice(element, 48))


_READERS: Final[dict[str, Callable[[Element], str]]] = {
    "ttl": _text,
    "updateperiod": _text,
    "updatefrequency": _text,
    "skiphours": _texts,
    "skipdays": _texts,
}


def _hints(said: dict[str, str]) -> Hints:
    """Hours are GMT, as written: what they mean is said in one place (`Wish.of`)."""
    ttl = _number(said.get("ttl", ""))
    hours = (int(word) for word in said.get("skiphours", "").split() if word.isascii() and word.isdigit() and len(word) < 3)
    days = said.get("skipdays", "").split()
    return Hints(
        ttl=None if ttl is None else ttl * 60,
        every=_every(said),
        skip_hours=frozenset(hours),
        skip_days=frozenset(_DAYS.index(day) for day in days if day in _DAYS),
    )


def _every(said: dict[str, str]) -> float | None:
    """The syndication module's period over its frequency; a day and once, where only the other is said."""
    period = _PERIODS.get(said.get("updateperiod", "daily"))
    frequency = _number(said.get("updatefrequency", "1"))
    is_said = "updateperiod" in said or "updatefrequency" in said
    return period / frequency if is_said and period and frequency else None


def _number(text: str) -> float | None:
    """A number above 0; None for anything else."""
    return float(text) or None if _NUMBER.fullmatch(text) else None


def _instant(when: str, now: float) -> float | None:
    moment, _ = believe(read_date(when[:_LIMIT], language="", now=now), now=now)
    return moment.at
