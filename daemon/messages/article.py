"""What feeds said (`articles.raw`) and what we understood of it (`articles`). All instants: seconds since 1970, UTC."""

from dataclasses import dataclass
from enum import StrEnum


class Zone(StrEnum):
    """Where in an article a text stands. `rest` is what merely stands beside the article."""

    TITLE = "title"
    LEAD = "lead"
    BODY = "body"
    REST = "rest"


class FirstFetch(StrEnum):
    """What a feed's first window does (delivery.md, “First sight of a feed”)."""

    SUMMARY = "summary"
    ALERT = "alert"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who published it, as the item says (`<source url>`), or the feed."""

    name: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that goes with an item. `length` in bytes, 0 when not said."""

    url: str
    type: str = ""
    length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An instant with the text it was read from and how: `rfc822`, `iso8601`, `epoch`, `months`, `dateparser`, `first-seen`."""

    at: float | None = None
    raw: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of a feed as parsed: texts as text, and as HTML where the feed gave HTML (feeds.md, “Names on the wire”)."""

    id: str
    guid: str = ""
    link: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    summary_html: str = ""
    content_html: str = ""
    published: Moment = Moment()
    updated: Moment = Moment()
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str = ""
    enclosures: tuple[Enclosure, ...] = ()
    source: Source = Source()
    comments: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCard:
    """What later hops need to know of the feed an item came from. `max_age` in seconds, None for no limit."""

    id: str
    url: str
    name: str = ""
    language: str = ""
    country: str = ""
    tags: tuple[str, ...] = ()
    max_age: float | None = None
    first_fetch: FirstFetch = FirstFetch.SUMMARY


@dataclass(frozen=True, slots=True, kw_only=True)
class RawArticle:
    """`articles.raw`: what a feed said of one article, at one fetch. `id` and `site` (the lane) are fixed at first sight.

    `edited` names the item's parts that changed since this feed last said it; empty for a new item. `backfill` marks
    items of a feed's first fetch. `first_at`: when this feed was first seen to hold the item; None from releases that did
    not say so.
    """

    id: str
    site: str
    url: str
    feed: FeedCard
    item: Item
    fetched_at: float
    edited: tuple[str, ...] = ()
    backfill: bool = False
    first_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """`articles.raw`: a feed took back an item (RFC 6721), with the `id` and `site` that the item's `RawArticle` had.

    `ref`: the item's id as the feed wrote it; `at`: when it was taken back, if the feed says so.
    """

    id: str
    site: str
    feed: FeedCard
    ref: str
    fetched_at: float
    at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A run of one zone's text with the reason it belongs there; `start` and `end` are code points in that zone's text.

    Blocks stand in the page's order; a zone's text is its blocks joined by a blank line.
    """

    zone: Zone
    reason: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A BCP 47 primary tag (empty: unknown), how sure (0 to 1), and where from: `text`, `feed`, `item`."""

    tag: str = ""
    confidence: float = 0.0
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """`articles`: one revision of an article, cleaned and cut into zones. `changed`: what differs from the last revision."""

    id: str
    site: str
    url: str
    revision: int
    feed: FeedCard
    title: str
    lead: str
    body: str
    rest: str
    blocks: tuple[Block, ...]
    language: Language
    published: Moment
    updated: Moment
    fetched_at: float
    source: Source = Source()
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    sketch: str = ""
    changed: tuple[str, ...] = ()
    backfill: bool = False
    notes: tuple[str, ...] = ()

    def zones(self) -> dict[Zone, str]:
        return {Zone.TITLE: self.title, Zone.LEAD: self.lead, Zone.BODY: self.body, Zone.REST: self.rest}
