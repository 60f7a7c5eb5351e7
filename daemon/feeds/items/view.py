"""A window beside the one before it: what stays, what is to be looked at, and under which names. Pure, over rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from daemon.feeds.items.naming import Naming
from daemon.feeds.items.overlap import Sight
from daemon.feeds.items.publishing import identify
from daemon.feeds.jobs import Entry, Window
from daemon.feeds.rows import MAX_WINDOW, ItemRow, NamedBy, Seen, decode, item_key
from daemon.feeds.sources.load import Source
from daemon.messages.article import Item
from daemon.stage.hop import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """`stays` of the `last` window are known by their bytes, or (`partial`) merely not mentioned; `entries` have `names`."""

    last: tuple[Seen, ...]
    stays: tuple[Seen, ...]
    entries: tuple[Entry, ...]
    naming: Naming
    names: tuple[str, ...]
    beyond: int = 0
    partial: bool = False

    def items(self) -> Sequence[Item]:
        return [entry.item for entry in self.entries]

    def sight(self) -> Sight:
        known = sum(self.naming.row(name) is not None for name in self.names) if self.last else 0
        return Sight(stays=len(self.stays), items=self.items(), known=known)

    def is_apart(self) -> bool:
        """Whether nothing of it stood in the last window, by name."""
        last = {seen.item for seen in self.last}
        return not self.stays and not any(name in last for name in self.names)

    def is_familiar(self, source: Source) -> bool:
        """Whether items of it stood in the last window, as the articles that they are now: a name alone may be any feed's."""
        last = {seen.item for seen in self.last}
        pairs = (
            (self.naming.row(name), entry.item) for name, entry in zip(self.names, self.entries, strict=True) if name in last
        )
        return bool(self.stays) or any(
            row is not None and decode(ItemRow, row.value).article == identify(item, source)[0] for row, item in pairs
        )

    def window(self) -> tuple[Seen, ...]:
        """What is to be remembered of it."""
        replaced = frozenset(self.names) if self.partial else frozenset()
        stays = [seen for seen in self.stays if seen.item not in replaced]
        new = [Seen(hash=entry.hash, item=name) for entry, name in zip(self.entries, self.names, strict=True)]
        return (*stays, *new)


def view_of(source: Source, by: NamedBy, last: tuple[Seen, ...], read: Window, table: Table) -> View:
    """The window as it was read. Of a partial one (a 226) nothing has left that is not mentioned (feeds 6)."""
    if read.partial:
        entries = read.entries[:MAX_WINDOW]
        stays = last[max(0, len(last) + len(entries) - MAX_WINDOW) :]
    else:
        stays = tuple(seen for seen in last if seen.hash in read.known)[:MAX_WINDOW]
        entries = read.entries[: MAX_WINDOW - len(stays)]
    naming = Naming(source, by, table, (seen.item for seen in stays))
    return View(
        last=last,
        stays=stays,
        entries=entries,
        naming=naming,
        names=tuple(naming.name(entry.item) for entry in entries),
        beyond=read.beyond + len(read.entries) - len(entries),
        partial=read.partial,
    )


def with_names(view: View, new: Mapping[str, str], naming: Naming) -> View:
    """The same once the feed's items have other names: `new` ones by old ones, and who gives them from now on."""
    return replace(
        view,
        last=renamed(view.last, new),
        stays=renamed(view.stays, new),
        naming=naming,
        names=tuple(naming.name(entry.item) for entry in view.entries),
    )


def renamed(seen: Sequence[Seen], new: Mapping[str, str]) -> tuple[Seen, ...]:
    return tuple(replace(each, item=new.get(each.item, each.item)) for each in seen)


def rows_of(feed: str, window: Sequence[Seen], table: Table) -> Sequence[ItemRow]:
    """The rows of a window's items."""
    rows = (table.get(item_key(feed, name)) for name in dict.fromkeys(seen.item for seen in window))
    return [decode(ItemRow, row.value) for row in rows if row is not None]
