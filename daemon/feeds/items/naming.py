"""Under which name an item stands among its feed's rows, and how all of them get other names (feeds 23, 24). Pure, over rows.

    named by     name                          a twin's name adds     twins are
    id           hash of guid, else link …     the link               one guid on several items of a document
                                               the title              one link on several items that have no guid
    link         the article's id              the title              one link on several items
    title, date  hash of both                  the text               one title and date on several items

A name with an addition stays an item's own also when its twin has gone, and the name without it belongs to whom had it first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from daemon.bus.base import Row
from daemon.feeds.items.identity import identity, part_hashes, plain_identity, words_hash
from daemon.feeds.items.publishing import address_of, identify
from daemon.feeds.rows import KEPT, ItemRow, NamedBy, decode, item_key, item_name, items_prefix
from daemon.feeds.sources.load import Source
from daemon.messages.article import Item
from daemon.stage.hop import Table
from daemon.urls import canonical_url


@dataclass(frozen=True, slots=True)
class _Names:
    """The plain name, the one with an addition (empty: none is to be had), and whether a twin stands beside the item."""

    plain: str
    exact: str
    has_twin: bool


class Naming:
    """Gives the items of one window their names, each after those before it."""

    def __init__(self, source: Source, by: NamedBy, table: Table, stays: Iterable[str] = ()) -> None:
        """`stays`: names of items that stand in the window and are known by their bytes."""
        self._source = source
        self._by = by
        self._table = table
        self._given: dict[str, Item | None] = dict.fromkeys(stays)

    def name(self, item: Item) -> str:
        """The end of the item's key."""
        names = self._names(item)
        if names.exact and (self.row(names.exact) is not None or (names.has_twin and not self._is_its_own(names.plain, item))):
            return self._give(names.exact, item)
        return self._give(names.plain, item)

    def row(self, name: str) -> Row | None:
        return self._table.get(item_key(self._source.id, name))

    def of_ref(self, ref: str) -> str:
        """The plain name of the item whose id is written `ref`; empty where items are not known by what ids say."""
        if self._by is NamedBy.ID:
            return item_name(identity(guid=ref, link="", title="", date=""))
        return identify(Item(id=ref, link=ref), self._source)[0] if self._by is NamedBy.LINK else ""

    def without_guid(self, item: Item) -> Row | None:
        """The row of an item that was known by its link alone until it came with a guid; None if there is none."""
        if self._by is not NamedBy.ID or not item.guid or not address_of(item):
            return None
        name = item_name(identity(guid="", link=item.link, title="", date=""))
        return None if name in self._given else self.row(name)

    def _give(self, name: str, item: Item) -> str:
        self._given.setdefault(name, item)
        return name

    def _names(self, item: Item) -> _Names:
        words = words_hash(item)
        if self._by is NamedBy.LINK:
            plain = identify(item, self._source)[0]
            return _Names(plain, item_name(f"{plain} {item.title}"), plain in self._given)
        if self._by is NamedBy.WORDS and words:
            return _Names(words, item_name(f"{words} {_texts(part_hashes(item))}"), words in self._given)
        identified = plain_identity(item)
        plain = item_name(identified)
        if item.guid:
            exact = item_name(f"{identified} {canonical_url(item.link)}") if item.link else ""
            return _Names(plain, exact, item.id != identified)
        return _Names(plain, item_name(f"{identified} {item.title}") if address_of(item) else "", plain in self._given)

    def _is_its_own(self, plain: str, item: Item) -> bool:
        """Whether the plain name is the item's and not its twin's."""
        row, other = self.row(plain), self._given.get(plain)
        if row is not None:
            known = decode(ItemRow, row.value)
            article, parts = known.article, known.parts
        elif other is not None:
            article, parts = identify(other, self._source)[0], part_hashes(other)
        else:
            return False
        if self._by is NamedBy.ID and item.guid:
            return article == identify(item, self._source)[0]
        compared = _texts if self._by is NamedBy.WORDS else _title
        return compared(parts) == compared(part_hashes(item))


def _title(parts: Mapping[str, str]) -> str:
    return parts.get("title", "")


def _texts(parts: Mapping[str, str]) -> str:
    return f"{parts.get('summary', '')} {parts.get('content', '')}"


def rename_all(feed: str, by: NamedBy, table: Table, now: float) -> dict[str, str]:
    """Give all items of a feed their names by link, or by title and date: new names by old ones.

    Of items that get one name one keeps its row, of the window if it can be. Rows without what the name is made of, of an older
    release, stay as they are until they are forgotten.
    """
    prefix, new, given = items_prefix(feed), dict[str, str](), set[str]()
    for row in sorted(table.scan(prefix), key=lambda row: row.wake is not None):
        item = decode(ItemRow, row.value)
        old, name = row.key.removeprefix(prefix).decode(), item.article if by is NamedBy.LINK else item.words
        if not name:
            table.put(row.key, replace(row, wake=now + KEPT if row.wake is None else row.wake))
            continue
        if old != name:
            table.put(row.key, None)
        if name not in given:
            key = item_key(feed, name)
            table.put(key, replace(row, key=key))
        new[old] = name
        given.add(name)
    return new
