"""From an item of a feed to the record that is published of it, which article it is included. Pure."""

from dataclasses import dataclass, replace
from typing import Final

from daemon.bus.base import Record
from daemon.bus.topics import RAW
from daemon.feeds.parse.parsed import Deleted
from daemon.feeds.rows import ItemRow
from daemon.feeds.sources.load import Source
from daemon.messages.article import Item, RawArticle, Withdrawal
from daemon.messages.wire import article_id, encode
from daemon.urls import canonical_url, is_usable, match_key, site_of

_MAX_RECORD: Final = 4 * 1024 * 1024
"""Bytes; half of what travels, so that what is added later fits."""

_CUT_AT: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What is said of an item beside what it says itself: see `RawArticle`."""

    fetched_at: float
    edited: tuple[str, ...] = ()
    backfill: bool = False


def identify(item: Item, source: Source) -> tuple[str, str]:
    """Article id and lane of an item seen for the first time; without a usable URL it belongs to its feed."""
    url = address_of(item)
    if url:
        return article_id(match_key(url)), site_of(url)
    return article_id(f"{source.id}\x1f{item.guid or item.id}"), source.site


def address_of(item: Item) -> str:
    """The canonical URL; empty where there is none to be used."""
    url = canonical_url(item.link)
    return url if is_usable(url) else ""


def article_record(source: Source, known: ItemRow, item: Item, said: Saying, now: float) -> Record:
    """The record of an article; cut and flagged where it is too large to travel."""
    raw = RawArticle(
        id=known.article,
        site=known.site,
        url=address_of(item),
        feed=source.card(),
        item=item,
        fetched_at=said.fetched_at,
        edited=said.edited,
        backfill=said.backfill,
        first_at=known.first_at,
    )
    value = encode(raw)
    if len(value) > _MAX_RECORD:
        value = encode(replace(raw, item=_cut(item)))
    return Record(RAW, known.site, known.article.encode(), value, now)


def withdrawal_record(source: Source, known: ItemRow, deleted: Deleted, fetched_at: float, now: float) -> Record:
    """The tombstone of an item that its feed took back (feeds 28)."""
    withdrawal = Withdrawal(
        id=known.article,
        site=known.site,
        feed=source.card(),
        ref=deleted.ref,
        fetched_at=fetched_at,
        at=deleted.at,
    )
    return Record(RAW, known.site, known.article.encode(), encode(withdrawal), now)


def _cut(item: Item) -> Item:
    """An item too large to travel, without its HTML, its texts cut; flagged."""
    return replace(
        item,
        title=item.title[:_CUT_AT],
        summary=item.summary[:_CUT_AT],
        content=item.content[:_CUT_AT],
        summary_html="",
        content_html="",
        authors=item.authors[:20],
        tags=item.tags[:100],
        enclosures=item.enclosures[:20],
        notes=(*item.notes, "cut: too large to travel"),
    )
