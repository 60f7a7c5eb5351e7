"""What a poll that has ended means for its feed: validators, place, rhythm, the next poll, and what people are told. Pure.

FeedRow + PollResult + Harvest ─ read ─ validators ─ redirects ─ rhythm ─ schedule ─▶ Standing
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from daemon.feeds.elsewhere.catchup import with_catch_up
from daemon.feeds.items.harvest import Harvest
from daemon.feeds.jobs import PollJob, PollOutcome, PollResult, Window
from daemon.feeds.listing import for_people
from daemon.feeds.pace.gaps import halvings, with_gap
from daemon.feeds.pace.redirects import followed
from daemon.feeds.pace.rhythm import Rhythm, adaptive_interval, begun, observed
from daemon.feeds.pace.schedule import Answer, Pace, Poll, next_poll, regular_interval
from daemon.feeds.pace.wishes import DAY, Wish
from daemon.feeds.rows import FeedRow, FeedState
from daemon.feeds.sources.load import Source
from daemon.net.logins import Veil
from daemon.stage.hop import Notice

_MOST_PORTIONS: Final = 8
"""Polls in a row that may hurry for what a document still holds, and be one first fetch: a document may never end."""

_STALE: Final = 8 * DAY
"""Seconds without a whole answer after which a feed is asked without validators: some servers say 304 for ever (feeds 3)."""

_SOUGHT_EVERY: Final = DAY
"""Seconds between two searches for the feeds of a page that is in a feed's place (feeds 29)."""

_STATES: Final = {Answer.GOOD: FeedState.OK, Answer.GONE: FeedState.GONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The feed's row once a poll has ended, and what its operator should know."""

    feed: FeedRow
    notices: Sequence[Notice] = ()


def job_for(source: Source, feed: FeedRow, now: float) -> PollJob:
    """What the next poll asks for."""
    stale = feed.whole_at is not None and now - feed.whole_at >= _STALE
    return PollJob(
        feed=source.id,
        url=source.url,
        moved_to=feed.moved_to,
        veil=Veil(source.url, source.shown, source.secrets),
        language=source.language,
        user_agent=source.user_agent,
        delta=source.delta,
        headers=source.headers,
        etag="" if stale else feed.etag,
        last_modified="" if stale else feed.last_modified,
        body=feed.body,
        known=feed.hashes(),
        seek=_seeks(feed, now),
    )


def _seeks(feed: FeedRow, now: float) -> bool:
    """Only for what was never a feed."""
    return not feed.fetched and (feed.sought_at is None or not 0 <= now - feed.sought_at < _SOUGHT_EVERY)


def after_poll(before: FeedRow, source: Source, result: PollResult, harvest: Harvest, pace: Pace, now: float) -> Standing:
    """How the feed stands, given its row before the poll and what the poll gave."""
    good = result.answer is Answer.GOOD
    feed = followed(before, source, result, harvest.window)
    elsewhere = not good and feed.moved_to != before.moved_to
    rhythm = observed(feed.rhythm, 0, result.fetched_at) if good and result.window is None else None
    if result.window is not None:
        feed = replace(feed, fetched=True) if harvest.familiar else feed
        feed = _read(feed, harvest, result, result.window)
        if harvest.gap:
            feed = with_catch_up(feed, source, result.window, result.archive)
    held = _validators(feed, result)
    feed = replace(  # of so many fields it costs 10 µs: done as seldom as may be
        feed,
        etag=held.etag,
        last_modified=held.last_modified,
        whole_at=held.whole_at,
        rhythm=rhythm or feed.rhythm,
        attempt=feed.attempt + 1,
        failures=0 if good else feed.failures + 1,
        state=FeedState.FAILING if elsewhere else _STATES.get(result.answer, FeedState.FAILING),
        polled_at=result.fetched_at,
        outcome=result.outcome,
        detail=_detail(feed, result),
        sought_at=result.fetched_at if result.sought else feed.sought_at,
        named=result.named if result.sought else feed.named,
        success_at=result.fetched_at if good else feed.success_at,
        items=feed.items + harvest.new,
        kept=feed.kept + harvest.kept,
    )
    feed = _scheduled(feed, result, source, pace, now, first=before.polled_at is None)
    if elsewhere:  # there is another address to be asked first
        feed = replace(feed, next_at=now + pace.shortest)
    return Standing(feed=feed, notices=[*harvest.notices, *_notices(before, feed, source)])


def sooner(feed: FeedRow, source: Source, pace: Pace) -> FeedRow:
    """The row of a feed whose interval the files changed: polled earlier if the new one says so, never later than stored."""
    if feed.interval == source.interval:
        return feed
    at = feed.next_at
    if feed.state is FeedState.OK and feed.polled_at is not None and feed.pace is not None:  # an older version kept neither
        at = min(at, next_poll(_poll(feed, source, pace), Answer.GOOD, pace, feed.polled_at))
    return replace(feed, interval=source.interval, next_at=at)


def _read(feed: FeedRow, harvest: Harvest, result: PollResult, window: Window) -> FeedRow:
    """With the window that was read. Until it was read as a whole, it is read again, and a first fetch goes on."""
    portions = feed.portions + 1 if window.left else 0
    hints = result.hints
    feed = with_gap(feed, result.fetched_at) if harvest.gap else feed
    return replace(
        feed,
        window=harvest.window,
        named_by=harvest.named_by,
        rhythm=_rhythm(feed, harvest, result, window),
        wish=Wish.of((hints.ttl, hints.every), hints.skip_hours, hints.skip_days),
        portions=portions,
        elsewhere=False,
        fetched=feed.fetched or not _goes_on(portions),
        body="" if portions else result.body,
    )


def _rhythm(feed: FeedRow, harvest: Harvest, result: PollResult, window: Window) -> Rhythm:
    """What a feed had before it was read, or in a document that goes on, tells when the last item came, not how fast."""
    at = result.fetched_at
    if feed.fetched:
        return observed(feed.rhythm, 0 if feed.portions else harvest.new, at)
    dates = (entry.item.published for entry in window.entries)
    known = [date.at for date in dates if date.at is not None and date.how != "first-seen" and date.at <= at]
    return begun(max([*known, feed.rhythm.new_at or 0.0]) or at, at)


def _detail(feed: FeedRow, result: PollResult) -> str:
    """What people are told of the poll; of a page that is in the feed's place also which feeds it has, as long as it stays."""
    named = result.named if result.sought else feed.named
    return f"{result.detail}; {named}" if named and result.outcome == PollOutcome.HTML else result.detail


class _Validators(NamedTuple):
    etag: str
    last_modified: str
    whole_at: float | None


def _validators(feed: FeedRow, result: PollResult) -> _Validators:
    """Of a 200 both, absent ones cleared; of a 304 or 226 those present (feeds 2, 6). None while it comes in portions."""
    if result.answer is not Answer.GOOD:
        return _Validators(feed.etag, feed.last_modified, feed.whole_at)
    at = result.fetched_at
    if feed.portions:
        return _Validators("", "", at)
    if result.fresh:
        return _Validators(result.etag, result.last_modified, at)
    since = at if feed.whole_at is None else min(feed.whole_at, at)
    return _Validators(result.etag or feed.etag, result.last_modified or feed.last_modified, since)


def _scheduled(feed: FeedRow, result: PollResult, source: Source, pace: Pace, now: float, *, first: bool) -> FeedRow:
    poll = _poll(feed, source, pace, result, first=first)
    return replace(
        feed,
        next_at=next_poll(poll, result.answer, pace, now),
        interval=source.interval,
        pace=regular_interval(poll, pace) if result.answer is Answer.GOOD else feed.pace,
    )


def _poll(feed: FeedRow, source: Source, pace: Pace, result: PollResult | None = None, *, first: bool = False) -> Poll:
    """The poll that ended, by its feed's row; what the answer's headers asked for is no part of that."""
    at = feed.polled_at or 0.0
    return Poll(
        feed=source.id,
        attempt=feed.attempt,
        interval=source.interval,
        adaptive=adaptive_interval(feed.rhythm, window=len(feed.window), usual=pace.usual, now=at),
        wish=feed.wish,
        plain=not (feed.etag or feed.last_modified),
        hurried=_goes_on(feed.portions),
        halvings=halvings(feed, at),
        failures=feed.failures,
        first=first,
        fresh_for=result.fresh_for if result is not None else None,
        retry_after=result.retry_after if result is not None else None,
    )


def _notices(before: FeedRow, feed: FeedRow, source: Source) -> Sequence[Notice]:
    """What only the operator can set right in the files: each told once."""
    notices = []
    if feed.state is FeedState.GONE and before.state is not FeedState.GONE:
        notices.append(Notice("feed_gone", {"feed": source.id}, {"url": for_people(source.shown)}))
    if feed.moved_to and feed.moved_to != before.moved_to:
        notices.append(
            Notice("feed_moved", {"feed": source.id, "to": for_people(feed.moved_to)}, {"url": for_people(source.shown)})
        )
    return notices


def _goes_on(portions: int) -> bool:
    return 0 < portions < _MOST_PORTIONS
