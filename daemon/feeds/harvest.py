"""What a feed's window means: which items are new, which were edited, which left (feeds 22 to 25). Pure, over rows.

An article's id and lane are fixed when its item is first seen and never computed again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from daemon.bus.base import Record, Row
from daemon.bus.topics import RAW
from daemon.feeds.identity import edited, part_hashes
from daemon.feeds.jobs import Entry, PollResult
from daemon.feeds.rows import KEPT, MAX_ITEMS, MAX_WINDOW, FeedRow, ItemRow, Seen, decode, encode, item_key, item_name
from daemon.feeds.sources import Source
from daemon.messages.article import Item, RawArticle
from daemon.messages.wire import article_id
from daemon.messages.wire import encode as encode_message
from daemon.stage.hop import Fact, Table
from daemon.urls import canonical_url, is_usable, match_key, site_of

_MAX_RECORD: Final = 4 * 1024 * 1024
"""Bytes; half of what travels, so that what is added later fits."""

_CUT_AT: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """What one window gave: records, facts, the window to remember, new items, and by how many the item rows grew."""

    out: Sequence[Record] = ()
    facts: Sequence[Fact] = ()
    window: tuple[Seen, ...] = ()
    new: int = 0
    kept: int = 0


def gather(source: Source, feed: FeedRow, result: PollResult, table: Table, now: float, *, parser: int) -> Harvest:
    """Put each item's row and return what is to be published. Each item counts once, however often the window holds it."""
    window = result.window
    if window is None:
        return Harvest()
    stays = [seen for seen in feed.window if seen.hash in window.known][:MAX_WINDOW]
    names = {seen.item for seen in stays}
    gatherer = _Gatherer(source, feed, result.fetched_at, table, now, parser)
    room = MAX_WINDOW - len(stays)
    beyond = window.beyond + len(window.entries[room:])
    for entry in window.entries[:room]:
        name = item_name(entry.item.id)
        stays.append(Seen(hash=entry.hash, item=name))
        if name not in gatherer.met:
            gatherer.take(name, entry)
    names |= gatherer.met
    gone = {seen.item for seen in feed.window} - names
    evicted = _retire(source.id, gone, table, now, full=feed.kept + gatherer.new > MAX_ITEMS)
    return Harvest(
        out=gatherer.out,
        facts=[*gatherer.delays, *_counts(gatherer, len(names), evicted, beyond)],
        window=tuple(stays),
        new=gatherer.new,
        kept=gatherer.new - evicted,
    )


class _Gatherer:
    """Takes one item after another; holds what they amount to."""

    def __init__(self, source: Source, feed: FeedRow, fetched_at: float, table: Table, now: float, parser: int) -> None:
        self._source = source
        self._backfill = not feed.fetched
        self._fetched_at = fetched_at
        self._table = table
        self._now = now
        self._parser = parser
        self.out: list[Record] = []
        self.delays: list[Fact] = []
        self.met: set[str] = set()
        self.new = 0
        self.edited = 0

    def take(self, name: str, entry: Entry) -> None:
        """One item of the window, the first time the window holds it."""
        self.met.add(name)
        key, item = item_key(self._source.id, name), entry.item
        row = self._table.get(key)
        if row is None:
            url, article, site = identify(item, self._source)
            known = ItemRow(article=article, site=site, parts=part_hashes(item), parser=self._parser, first_at=self._fetched_at)
            self._put(key, known)
            self.new += 1
            self._publish(known, item, url)
            self._observe_delay(item)
            return
        known, parts = decode(ItemRow, row.value), part_hashes(item)
        changed = edited(known.parts, parts)
        if changed or row.wake is not None or known.parser != self._parser:
            self._put(key, replace(known, parts=parts, parser=self._parser))
        if changed and known.parser == self._parser:  # another parser reading otherwise is no edit
            self.edited += 1
            self._publish(known, item, _address(item), changed)

    def _put(self, key: bytes, known: ItemRow) -> None:
        self._table.put(key, Row(self._source.site, key, encode(known)))

    def _publish(self, known: ItemRow, item: Item, url: str, changed: tuple[str, ...] = ()) -> None:
        raw = RawArticle(
            id=known.article,
            site=known.site,
            url=url,
            feed=self._source.card(),
            item=item,
            fetched_at=self._fetched_at,
            edited=changed,
            backfill=self._backfill and not changed,
            first_at=known.first_at,
        )
        value = encode_message(raw)
        if len(value) > _MAX_RECORD:
            value = encode_message(replace(raw, item=_cut(item)))
        self.out.append(Record(RAW, known.site, known.article.encode(), value, self._now))

    def _observe_delay(self, item: Item) -> None:
        published = item.published
        if published.at is not None and published.how != "first-seen" and not self._backfill:
            self.delays.append(Fact("rasid_fetch_delay_seconds", amount=max(0.0, self._fetched_at - published.at)))


def identify(item: Item, source: Source) -> tuple[str, str, str]:
    """URL, article id and lane of an item seen for the first time; without a usable URL it belongs to its feed."""
    url = _address(item)
    if url:
        return url, article_id(match_key(url)), site_of(url)
    return "", article_id(f"{source.id}\x1f{item.guid or item.id}"), source.site


def _address(item: Item) -> str:
    """The canonical URL; empty where there is none to be used."""
    url = canonical_url(item.link)
    return url if is_usable(url) else ""


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


def _retire(feed: str, gone: set[str], table: Table, now: float, *, full: bool) -> int:
    """Items that left the window: remembered for 30 days more, or not at all when the feed has too many. How many went."""
    rows = [row for name in sorted(gone) if (row := table.get(item_key(feed, name))) is not None]
    for row in rows:
        table.put(row.key, None if full else replace(row, wake=now + KEPT))
    return len(rows) if full else 0


def _counts(gatherer: _Gatherer, window: int, evicted: int, beyond: int) -> Sequence[Fact]:
    counts = {
        "new": gatherer.new,
        "edited": gatherer.edited,
        "known": window - gatherer.new - gatherer.edited,
        "evicted": evicted,
        "beyond": beyond,
    }
    return [Fact("rasid_items_total", {"outcome": outcome}, float(count)) for outcome, count in counts.items() if count > 0]
