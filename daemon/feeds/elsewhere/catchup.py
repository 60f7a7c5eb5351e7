"""Catches up on what a feed no longer shows (feeds 22): one older page at a time, between its own polls. Pure, over rows.

    a gap ─ with_catch_up ─▶ FeedRow.catching ─ wake_of ─▶ PageJob ─ (OlderPages) ─▶ PageResult ─ looked_at ─▶ items, next page

The items are published as the feed's own, under the same names, but are no window: each is forgotten 30 days later unless the
feed shows it. A page that was cut off by a crash is asked for again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from daemon.bus.base import Record
from daemon.feeds.elsewhere.pages import Finding, Gave, Way, begin, go_on
from daemon.feeds.items.gatherer import Gatherer, item_counts
from daemon.feeds.items.naming import Naming
from daemon.feeds.items.publishing import identify
from daemon.feeds.jobs import PageJob, PageOutcome, PageResult, Window
from daemon.feeds.pace.schedule import jitter
from daemon.feeds.pace.wishes import DAY, HOUR
from daemon.feeds.rows import MAX_ITEMS, FeedRow, ItemRow, decode, items_prefix
from daemon.feeds.sources.load import Source
from daemon.messages.article import Item
from daemon.net.answers import REFUSALS
from daemon.net.logins import Veil
from daemon.stage.hop import Fact, Table
from daemon.urls import origin_of

_SPREAD: Final = 30.0
_LONGEST: Final = 90.0
"""Seconds a request (feeds 17) and a crawl-delay before it may take: with less until the feed's own poll, that goes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """The feed's row once a page was looked at, and what is published."""

    feed: FeedRow
    out: Sequence[Record] = ()
    facts: Sequence[Fact] = ()


def with_catch_up(feed: FeedRow, source: Source, window: Window, archive: str) -> FeedRow:
    """The row once a gap was found; still with the instant of the last good poll before it."""
    since = feed.success_at or 0.0
    if feed.catching is not None:
        since = min(since, feed.catching.since)
    archive = archive if source.url == source.shown else ""  # it may repeat a secret, and would stand in the row
    items = [entry.item for entry in window.entries]
    return replace(feed, catching=begin(feed.moved_to or source.url, archive, items, since))


def wake_of(source: Source, feed: FeedRow, now: float, *, polled: bool) -> float:
    """When the feed's row is to wake: for its next poll, or for a page before it. `polled`: its own poll has just ended.

    Pages are spread: after an outage of ours all feeds may have had a gap at once. While the feed's own polls fail, or its site
    wants to be left alone, pages wait for the next that succeeds.
    """
    room = feed.next_at - now
    if feed.catching is None or feed.failures or not (polled or room > _LONGEST):
        return feed.next_at
    return now + min(_SPREAD, max(0.0, room) / 4) * jitter(source.id, feed.attempt + feed.catching.read)


def page_job(source: Source, feed: FeedRow, now: float) -> PageJob | None:
    """The page that is next; None when the feed's own poll is."""
    if feed.catching is None or now >= feed.next_at:
        return None
    page = feed.catching.pages[0]
    address = page.address(feed.moved_to or source.url)
    return PageJob(
        feed=source.id,
        url=source.url,
        page=page,
        address=address,
        veil=Veil(address, page.address(feed.moved_to or source.shown), source.secrets),
        language=source.language,
        user_agent=source.user_agent,
        headers=source.headers if origin_of(address) == origin_of(source.url) else (),
    )


def looked_at(source: Source, feed: FeedRow, result: PageResult, table: Table, now: float, *, parser: int) -> Caught:
    """What a page gave. One that the row no longer asks for is passed over."""
    catching = feed.catching
    if catching is None or catching.pages[0] != result.page:
        return Caught(feed=feed)
    gatherer = Gatherer(source, table, parser=parser, fetched_at=result.fetched_at, now=now)
    naming = Naming(source, feed.named_by, table, (seen.item for seen in feed.window))
    met = False
    for item in _wanted(source, result, catching.since, table):
        name = naming.name(item)
        if name not in gatherer.met:
            old = item.published.at is not None and item.published.at < catching.since - DAY
            known = gatherer.take(name, item, naming, backfill=old, in_window=False)
            met |= known is not None and known.first_at <= catching.since
    finding = Finding(new=gatherer.new, met=met, named=result.named)
    ended = result.outcome in REFUSALS or feed.kept + gatherer.new > MAX_ITEMS
    return Caught(
        feed=replace(
            feed,
            catching=None if ended else go_on(catching, finding),
            items=feed.items + gatherer.new,
            kept=feed.kept + gatherer.new,
        ),
        out=gatherer.out,
        facts=[_page_fact(result), *gatherer.delays, *item_counts({"caught_up": gatherer.new})],
    )


def _wanted(source: Source, result: PageResult, since: float, table: Table) -> Iterator[Item]:
    """The page's items; of a sitemap, which is all of its site's, those since the last poll that are not known by address."""
    if result.page.way is not Way.SITEMAP:
        yield from result.items
        return
    known = {decode(ItemRow, row.value).article for row in table.scan(items_prefix(source.id))} if result.items else set()
    for item in result.items:
        recent = item.published.at is not None and item.published.at >= since - HOUR
        if recent and identify(item, source)[0] not in known:
            yield item


def _page_fact(result: PageResult) -> Fact:
    return Fact("rasid_older_pages_total", {"way": result.page.way.value, "outcome": _gave(result).value})


def _gave(result: PageResult) -> Gave:
    if result.items:
        return Gave.ITEMS
    if result.named:
        return Gave.NAMED
    return Gave.REFUSED if result.outcome is PageOutcome.ROBOTS or result.outcome in REFUSALS else Gave.NOTHING
