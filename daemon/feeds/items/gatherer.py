"""Takes the items of a window, or of an older page, one after another: each one's row, and the record when there is news."""

from collections.abc import Sequence
from dataclasses import replace

from daemon.bus.base import Record, Row
from daemon.feeds.items.identity import edited, part_hashes, words_hash
from daemon.feeds.items.naming import Naming
from daemon.feeds.items.publishing import Saying, article_record, identify, withdrawal_record
from daemon.feeds.parse.parsed import Deleted
from daemon.feeds.rows import KEPT, ItemRow, decode, encode, item_key
from daemon.feeds.sources.load import Source
from daemon.messages.article import Item
from daemon.stage.hop import Fact, Table


class Gatherer:
    """Holds what the items amount to: records, delays, the names met, counts."""

    def __init__(
        self, source: Source, table: Table, *, parser: int, fetched_at: float, now: float, strange: bool = False
    ) -> None:
        """`strange`: nothing was read at the feed's address before. What is known is of another, perhaps of another feed."""
        self._source = source
        self._strange = strange
        self._table = table
        self._parser = parser
        self._fetched_at = fetched_at
        self._now = now
        self.out: list[Record] = []
        self.delays: list[Fact] = []
        self.met: set[str] = set()
        self.new = 0
        self.replaced = 0
        self.edited = 0
        self.withdrawn = 0

    def take(self, name: str, item: Item, naming: Naming, *, backfill: bool = False, in_window: bool = True) -> ItemRow | None:
        """One item, the first time it is met; its row, if there was one. `backfill`: it stood there before it could be news."""
        self.met.add(name)
        row = naming.row(name) or self._adopted(name, item, naming)
        before = None if row is None else decode(ItemRow, row.value)
        if row is not None and before is not None and not self._is_another(before, item):
            if in_window:
                self._again(name, row, before, item)
            return before
        self.replaced += before is not None
        article, site = identify(item, self._source)
        known = ItemRow(
            article=article,
            site=site,
            parts=part_hashes(item),
            parser=self._parser,
            first_at=self._fetched_at,
            words=words_hash(item),
        )
        self._put(name, known, None if in_window else self._now + KEPT)
        self.new += 1
        self._publish(known, item, Saying(fetched_at=self._fetched_at, backfill=backfill))
        if not backfill:
            self._observe_delay(item)
        return None

    def withdraw(self, name: str, deleted: Deleted, naming: Naming) -> None:
        """An item that the feed took back, if it is known and not taken back already."""
        row = naming.row(name)
        known = None if row is None else decode(ItemRow, row.value)
        if known is None or known.withdrawn:
            return
        self._put(name, replace(known, withdrawn=True), row.wake if row is not None else None)
        self.withdrawn += 1
        self.out.append(withdrawal_record(self._source, known, deleted, self._fetched_at, self._now))

    def _is_another(self, before: ItemRow, item: Item) -> bool:
        """Whether the item merely has the name of one at the feed's former address: numbers are names in many feeds."""
        return self._strange and before.article != identify(item, self._source)[0]

    def _again(self, name: str, row: Row, before: ItemRow, item: Item) -> None:
        """An item that is known, as the window says it now."""
        parts = part_hashes(item)
        changed = edited(before.parts, parts)
        known = replace(before, parts=parts, parser=self._parser, words=words_hash(item), withdrawn=False)
        if known != before or row.wake is not None:
            self._put(name, known)
        if changed and before.parser == self._parser:  # another parser reading otherwise is no edit
            self.edited += 1
            self._publish(known, item, Saying(fetched_at=self._fetched_at, edited=changed))

    def _adopted(self, name: str, item: Item, naming: Naming) -> Row | None:
        """The row of an item that has a guid from now on, under its new name."""
        row = naming.without_guid(item)
        if row is None:
            return None
        self._table.put(row.key, None)
        key = item_key(self._source.id, name)
        self._table.put(key, replace(row, key=key))
        return self._table.get(key)

    def _put(self, name: str, known: ItemRow, wake: float | None = None) -> None:
        key = item_key(self._source.id, name)
        self._table.put(key, Row(self._source.site, key, encode(known), wake))

    def _publish(self, known: ItemRow, item: Item, said: Saying) -> None:
        self.out.append(article_record(self._source, known, item, said, self._now))

    def _observe_delay(self, item: Item) -> None:
        published = item.published
        if published.at is not None and published.how != "first-seen":
            self.delays.append(Fact("rasid_fetch_delay_seconds", amount=max(0.0, self._fetched_at - published.at)))


def item_counts(counts: dict[str, int]) -> Sequence[Fact]:
    """Items by what became of them."""
    return [Fact("rasid_items_total", {"outcome": outcome}, float(count)) for outcome, count in counts.items() if count > 0]
