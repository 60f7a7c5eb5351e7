"""What a window has in common with the one before it: whether its ids still hold, and whether news was missed (feeds 22, 24).

    ids known < 20 % ─┬─ links (with their titles) or titles and dates known > 80 % ─▶ the items get other names
                      └─ nothing known at all ─▶ a gap: the window rolled over between two polls

Pure, over what the rows say; nothing is looked up while most ids are known, which is nearly always.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from daemon.feeds.items.identity import part_hashes, words_hash
from daemon.feeds.items.publishing import address_of, identify
from daemon.feeds.rows import ItemRow, NamedBy
from daemon.feeds.sources.load import Source
from daemon.messages.article import Item

_FEW: Final = 0.2
_MOST: Final = 0.8
_FEWEST: Final = 3
"""Items that must agree before a feed's ids are given up: one that is said twice under two ids proves nothing."""

_FEWEST_SHOWN: Final = 3
"""Items that must have gone at once before news counts as missed."""

_AFTER: Final = {NamedBy.ID: (NamedBy.LINK, NamedBy.WORDS), NamedBy.LINK: (NamedBy.WORDS,), NamedBy.WORDS: ()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A window: how many of its elements are known by their bytes, its other items, and how many of these by their names."""

    stays: int
    items: Sequence[Item]
    known: int

    def ids_hold(self) -> bool:
        """Whether enough is known by its id that nothing need be asked."""
        return self.stays + self.known >= _FEW * (self.stays + len(self.items))


def better_names(source: Source, by: NamedBy, sight: Sight, past: Sequence[ItemRow]) -> NamedBy:
    """By what the items are to be known from now on, given the rows of the last window: `by`, unless its names do not last."""
    if sight.ids_hold():
        return by
    return next((other for other in _AFTER[by] if _recognised(other, source, sight, past)), by)


def _recognised(by: NamedBy, source: Source, sight: Sight, past: Sequence[ItemRow]) -> bool:
    names = [_link(item, source) if by is NamedBy.LINK else words_hash(item) for item in sight.items]
    before = {(row.article, row.parts.get("title", "")) if by is NamedBy.LINK else row.words for row in past}
    common = sum(1 for name, count in Counter(names).items() if name and count == 1 and name in before)
    return common >= _FEWEST and sight.stays + common > _MOST * (sight.stays + len(names))


def _link(item: Item, source: Source) -> tuple[str, str] | str:
    """An item's link and title: a link alone may be the same for all items."""
    return (identify(item, source)[0], part_hashes(item)["title"]) if address_of(item) else ""


def is_gap(source: Source, items: Sequence[Item], past: Sequence[ItemRow]) -> bool:
    """Whether none of a window's items, of which none is known by name, has an address that the last window had.

    That one or two have gone is no evidence: a feed of one item, such as a bulletin, shows another one each time.
    """
    if len(past) < _FEWEST_SHOWN:
        return False
    before = {row.article for row in past}
    return not any(identify(item, source)[0] in before for item in items)
