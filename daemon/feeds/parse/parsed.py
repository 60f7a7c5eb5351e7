"""What parsing a feed gives, in shapes that travel between processes: items, or the reason why there are none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from daemon.feeds.parse.entries import Context
from daemon.feeds.parse.links import is_address
from daemon.feeds.rows import MAX_WINDOW
from daemon.messages.article import Item


class Reason(StrEnum):
    """Why a document gave nothing: it is no feed, or cannot be read."""

    NONE = ""
    EMPTY = "empty document"
    HTML = "HTML instead of a feed"
    NO_FEED = "no feed element"
    OTHER_JSON = "JSON but not a feed"
    TOO_LARGE = "too large"
    UNREADABLE = "the parser gave up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """When a feed wants to be asked again, as its document says (feeds 9); hours as written and days (Monday is 0) in GMT.

    `ttl` and `every` (sy:updatePeriod over updateFrequency) in seconds.
    """

    ttl: float | None = None
    every: float | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


NO_HINTS: Final = Hints()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """An entry that the feed says was taken back (RFC 6721): its id as written."""

    ref: str
    at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a document says. `items` are those whose hash was not known, in the document's order.

    `hashes` holds one hash for each item of the document, known and new, in order; the poller keeps them. Items pair with
    the hashes that were not known; where they cannot be paired, only known hashes stand here and the items come again.
    `reason` is empty for any feed, also for one without items or without new ones; `notes` say which of the two it is.
    `left` counts the items that were not parsed because they are too many for one time: they are neither among `items` nor
    `hashes`, so the same document parsed with these hashes known gives the next of them. `beyond` counts those that are too
    many for a document (feeds 20): they are never taken.
    `title` and `language` are the feed's, empty when nothing was new.
    `hints`, `archive` and `deleted` are said whether or not anything is new. `archive`: the address of the document with
    what is older (RFC 5005 `prev-archive`, else `next`; JSON Feed's `next_url`), absolute, where there is one.
    """

    format: str = ""
    well_formed: bool = False
    charset: str = ""
    charset_how: str = ""
    title: str = ""
    language: str = ""
    hints: Hints = NO_HINTS
    archive: str = ""
    deleted: tuple[Deleted, ...] = ()
    items: tuple[Item, ...] = ()
    hashes: tuple[str, ...] = ()
    left: int = 0
    beyond: int = 0
    reason: Reason = Reason.NONE
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a document is read with, beside its text: see `parse_feed`."""

    url: str
    language: str
    known: frozenset[str]
    now: float

    def context(self, *, link: str, language: str, is_atom: bool, repeated: frozenset[str]) -> Context:
        """What entries are read against, given the feed's own link and language."""
        base = self.url if is_address(self.url) else link
        return Context(base=base, language=self.language or language, is_atom=is_atom, now=self.now, repeated=repeated)


def counted(number: int, name: str) -> str:
    """“1 item”, “2 items”."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def missing(unread: int, empty: int) -> Iterator[str]:
    """The notes that say how many items were none."""
    if unread:
        yield f"{counted(unread, 'item')} could not be read"
    if empty:
        yield f"{counted(empty, 'item')} without any text left out"


def remainder(left: int, beyond: int) -> Iterator[str]:
    """The notes that say how many items are left for the next polls, and how many are passed over."""
    if left:
        yield f"{counted(left, 'item')} left for the next polls"
    if beyond:
        yield f"{counted(beyond, 'item')} passed over: a document has {MAX_WINDOW} at most"


def emptiness(items: Sequence[object], *, known: bool) -> tuple[str, ...]:
    """The note that says why a feed gave no items: it has none, or none that are new."""
    if items:
        return ()
    return ("nothing new",) if known else ("the feed has no items",)
