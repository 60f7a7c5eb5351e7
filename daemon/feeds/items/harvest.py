"""What a feed's window means: which items are new, which were edited, which left (feeds 22 to 25). Pure, over rows.

    window ─ view: names ─ overlap: do ids still hold? ─ each item's row ─┬─ none yet: published as new
                                                                         ├─ other texts: published as edited
                                                                         └─ else: nothing
    deleted entries ─ the item is known, and not in the window ─▶ a withdrawal (feeds 28)

An article's id and lane are fixed when its item is first seen and never computed again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from daemon.bus.base import Record
from daemon.feeds.items.gatherer import Gatherer, item_counts
from daemon.feeds.items.naming import Naming, rename_all
from daemon.feeds.items.overlap import better_names, is_gap
from daemon.feeds.items.view import View, rows_of, view_of, with_names
from daemon.feeds.jobs import PollResult
from daemon.feeds.rows import KEPT, MAX_ITEMS, FeedRow, NamedBy, Seen, item_key
from daemon.feeds.sources.load import Source
from daemon.stage.hop import Fact, Notice, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """What one window gave: records, facts, notices, the window to remember, new items, by how many the item rows grew.

    `gap`: news was missed before this window. `named_by`: what the items are known by from now on. `familiar`: it is the
    first of another address, and has items of the one before: whatever else it holds is news.
    """

    out: Sequence[Record] = ()
    facts: Sequence[Fact] = ()
    notices: Sequence[Notice] = ()
    window: tuple[Seen, ...] = ()
    new: int = 0
    kept: int = 0
    gap: bool = False
    named_by: NamedBy = NamedBy.ID
    familiar: bool = False


@dataclass(slots=True)
class _Found:
    """What the comparison with the last window has found out. `merged`: item rows that became one with another."""

    view: View
    by: NamedBy
    gap: bool = False
    merged: int = 0
    facts: list[Fact] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def gather(source: Source, feed: FeedRow, result: PollResult, table: Table, now: float, *, parser: int) -> Harvest:
    """Put each item's row and return what is to be published. Each item counts once, however often the window holds it."""
    if result.window is None:
        return Harvest(window=feed.window, named_by=feed.named_by)
    found = _compared(source, feed, view_of(source, feed.named_by, feed.window, result.window, table), table, now)
    view = found.view
    at_first = not (feed.fetched or feed.portions)
    familiar = at_first and not feed.elsewhere and view.is_familiar(source)
    strange = at_first and not familiar
    gatherer = Gatherer(source, table, parser=parser, fetched_at=result.fetched_at, now=now, strange=strange)
    for name, entry in zip(view.names, view.entries, strict=True):
        if name not in gatherer.met:
            gatherer.take(name, entry.item, view.naming, backfill=not (feed.fetched or familiar))
    window = view.window()
    names = {seen.item for seen in window}
    for deleted in result.deleted:
        name = view.naming.of_ref(deleted.ref)
        if name not in names:  # what the document still holds has come back since
            gatherer.withdraw(name, deleted, view.naming)
    gone = {seen.item for seen in view.last} - names
    evicted = _retire(source.id, gone, table, now, full=feed.kept + gatherer.new > MAX_ITEMS)
    return Harvest(
        out=gatherer.out,
        facts=[*found.facts, *gatherer.delays, *_counts(gatherer, len(names), evicted, view.beyond)],
        notices=found.notices,
        window=window,
        new=gatherer.new,
        kept=gatherer.new - gatherer.replaced - evicted - found.merged,
        gap=found.gap,
        named_by=found.by,
        familiar=familiar,
    )


def _compared(source: Source, feed: FeedRow, view: View, table: Table, now: float) -> _Found:
    """The view, its items under other names if those they had do not last, and whether news was missed before it."""
    found, sight = _Found(view, feed.named_by), view.sight()
    if view.partial or sight.ids_hold():
        return found
    past = rows_of(source.id, view.last, table)
    found.by = better_names(source, feed.named_by, sight, past)
    if found.by is not feed.named_by:
        _rename(found, source, table, now)
    elif feed.fetched and not feed.portions and view.is_apart() and is_gap(source, sight.items, past):
        found.gap = True
        found.facts.append(Fact("rasid_gaps_total"))
        found.notices.append(Notice("feed_gap", {"feed": source.id}))
    return found


def _rename(found: _Found, source: Source, table: Table, now: float) -> None:
    new = rename_all(source.id, found.by, table, now)
    stays = {new.get(seen.item, seen.item) for seen in found.view.stays}
    found.view = with_names(found.view, new, Naming(source, found.by, table, stays))
    found.merged = len(new) - len(set(new.values()))
    found.facts.append(Fact("rasid_identity_switches_total", {"to": found.by.value}))
    found.notices.append(Notice("feed_ids_unstable", {"feed": source.id, "known_by": found.by.value}))


def _retire(feed: str, gone: set[str], table: Table, now: float, *, full: bool) -> int:
    """Items that left the window: remembered for 30 days more, or not at all when the feed has too many. How many went."""
    rows = [row for name in sorted(gone) if (row := table.get(item_key(feed, name))) is not None]
    for row in rows:
        table.put(row.key, None if full else replace(row, wake=now + KEPT))
    return len(rows) if full else 0


def _counts(gatherer: Gatherer, window: int, evicted: int, beyond: int) -> Sequence[Fact]:
    known = window - gatherer.new - gatherer.edited
    return item_counts({
        "new": gatherer.new,
        "edited": gatherer.edited,
        "known": known,
        "withdrawn": gatherer.withdrawn,
        "evicted": evicted,
        "beyond": beyond,
    })  # fmt: skip
