"""Summaries: what hits in first fetches of feeds becomes one message a desk and receiver (delivery.md, “First sight”).

It leaves when nothing was added for two minutes, at the latest ten minutes after it was begun. Its stories count as told;
a story that live news would tell earlier leaves it, and is told as any other.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from alerts.cards import add_card, by_severity, highest
from alerts.draft import draft, message_id
from alerts.evidence import gather, quote
from alerts.filters import Verdict
from alerts.finding import Finding, Target, head_of
from alerts.group import Place, group_key, open_group, telling
from alerts.journal import Journal
from alerts.rows import GROUP, LINE, SUMMARY, Head, Line, Summary
from alerts.story import get_story
from daemon.bus.base import Row
from daemon.messages.alert import FindingCard, Message, Outcome, Reason, StoryLine, Told
from daemon.messages.article import Language, Moment, Source
from daemon.messages.wire import make_id
from daemon.stage.hop import Table

QUIET: Final = 120.0
LONGEST: Final = 600.0
MOST_STORIES: Final = 50
MOST_CARRIED: Final = 100
_MOST_FEEDS: Final = 5


def line_key(desk: str, receiver: str, story: str) -> bytes:
    return LINE.key(desk, receiver, story)


def takes(finding: Finding, target: Target, table: Table) -> bool:
    """Whether a finding belongs into a summary: it came with a first fetch, and its story is not on its way otherwise."""
    names = (finding.match.desk, target.receiver, finding.story)
    return finding.in_summary and (table.get(group_key(*names)) is None or table.get(line_key(*names)) is not None)


def add(finding: Finding, target: Target, table: Table, now: float) -> Place:
    """A finding's place in its receiver's summary; refused when that names as many stories as it can."""
    desk, receiver, story = finding.match.desk, target.receiver, finding.story
    key = SUMMARY.key(desk, receiver)
    summary = SUMMARY.find(table, key) or Summary(desk=desk, receiver=receiver, opened=now, time_zone=finding.match.time_zone)
    due = min(summary.opened + LONGEST, now + QUIET)
    line = LINE.find(table, line_key(desk, receiver, story))
    if line is None and len(summary.stories) >= MOST_STORIES:
        beyond = summary.more + (summary.last_refused != story)
        SUMMARY.put(table, key, replace(summary, more=beyond, last_refused=story), due)
        return Place(Verdict(Reason.FIRST_FETCH))
    SUMMARY.put(table, key, _with_story(summary, finding), due)
    _count_as_told(finding, target, summary.opened + LONGEST, table, now)
    line = line or Line(story=story, head=head_of(finding.match))
    keep = partial(_keep, table, line_key(desk, receiver, story), _with_finding(line, finding))
    if len(line.carried) >= MOST_CARRIED:
        return Place(Verdict(Reason.SAME_STORY), keep)
    return Place(Verdict(Reason.FIRST_FETCH, due, message_id(desk, receiver, _story_id(summary))), keep)


def release(finding: Finding, target: Target, table: Table, now: float) -> None:
    """Take a live finding's story out of the summary it waits in, if the finding would be told before that leaves.

    Its group, begun when the story came into the summary, tells what the summary was to tell.
    """
    desk, receiver, story = finding.match.desk, target.receiver, finding.story
    row, line = table.get(SUMMARY.key(desk, receiver)), LINE.find(table, line_key(desk, receiver, story))
    group = GROUP.find(table, group_key(desk, receiver, story))
    due = now + target.timings.group_wait.of(finding.severity)
    if line is None or group is None or row is None or row.wake is None or due >= row.wake:
        return
    table.put(line_key(desk, receiver, story), None)
    _drop(story, SUMMARY.read(row), row, table)
    message = message_id(desk, receiver, story)
    carried = (*(replace(held, message=message) for held in line.carried), *group.carried)
    due = due if group.due is None else min(due, group.due)
    GROUP.put(table, group_key(desk, receiver, story), replace(group, told=None, due=due, carried=carried), due)


def tell_summary(row: Row, table: Table, receivers: Collection[str], journal: Journal) -> None:
    """The summary's time has come."""
    summary = SUMMARY.read(row)
    keys = [line_key(summary.desk, summary.receiver, story) for story in summary.stories]
    lines = [line for key in keys if (line := LINE.find(table, key)) is not None]
    for key in (row.key, *keys):
        table.put(key, None)
    carried = [held for line in lines for held in line.carried]
    if summary.receiver in receivers:
        journal.tell(_message(summary, lines, journal.now), carried, Reason.FIRST_FETCH)
    else:
        journal.settle(carried, Told.SUPPRESSED, Reason.NO_RECEIVER)


def _keep(table: Table, key: bytes, line: Line, held: Sequence[Outcome]) -> None:
    LINE.put(table, key, replace(line, carried=(*line.carried, *held)))


def _with_finding(line: Line, finding: Finding) -> Line:
    return replace(line, cards=add_card(line.cards, finding.card), evidence=gather(line.evidence, finding.evidence))


def _drop(story: str, summary: Summary, row: Row, table: Table) -> None:
    left = tuple(name for name in summary.stories if name != story)
    if left:
        SUMMARY.put(table, row.key, replace(summary, stories=left), row.wake)
    else:
        table.put(row.key, None)


def _with_story(summary: Summary, finding: Finding) -> Summary:
    feed = finding.match.article.feed
    stories = dict.fromkeys((*summary.stories, finding.story))
    feeds = dict.fromkeys((*summary.feeds, feed.name or feed.id))
    return replace(summary, stories=tuple(stories), feeds=tuple(feeds)[: _MOST_FEEDS + 1])


def _count_as_told(finding: Finding, target: Target, at: float, table: Table, now: float) -> None:
    """Later copies join a story that stands in a summary, as if a message had told it at `at`."""
    desk, receiver = finding.match.desk, target.receiver
    key = group_key(desk, receiver, finding.story)
    group = GROUP.find(table, key) or open_group(finding, target, table, now)
    cards, evidence = add_card(group.cards, finding.card), gather(group.evidence, finding.evidence)
    group = replace(group, cards=cards, evidence=evidence, told=None)
    told = telling(group, get_story(desk, finding.story, table), at)
    GROUP.put(table, key, replace(group, told=told), group.due)


def _story_id(summary: Summary) -> str:
    """What stands for a story in messages about several: equal for all receivers."""
    return make_id("first-fetch", summary.desk, f"{summary.opened:.6f}")


def _message(summary: Summary, lines: Sequence[Line], now: float) -> Message:
    """One story is told as itself, with its evidence; of several, each has a line."""
    ranked = sorted(lines, key=lambda line: -highest(line.cards).rank)
    cards: tuple[FindingCard, ...] = ()
    for card in (card for line in ranked for card in line.cards):
        cards = add_card(cards, card)
    alone = ranked[0] if len(ranked) == 1 else None
    head = alone.head if alone else _head(summary, len(ranked) + summary.more)
    languages = dict.fromkeys(line.head.language.tag for line in ranked)
    return replace(
        draft(summary, _story_id(summary), head, cards, now),
        evidence=quote(alone.evidence) if alone else (),
        articles=tuple(line.head.article for line in ranked),
        languages=tuple(tag for tag in languages if tag),
        stories=tuple(_story_line(line) for line in ranked),
        more_stories=summary.more,
    )


def _head(summary: Summary, stories: int) -> Head:
    feeds = ", ".join(summary.feeds[:_MOST_FEEDS]) + ("…" if len(summary.feeds) > _MOST_FEEDS else "")
    return Head(
        article="",
        headline=f"{stories} stories stood in feeds seen for the first time: {feeds}",
        url="",
        language=Language(tag="en", confidence=1.0),
        source=Source(name="Rasid"),
        published=Moment(),
        found=summary.opened,
        time_zone=summary.time_zone,
    )


def _story_line(line: Line) -> StoryLine:
    return StoryLine(
        story=line.story,
        headline=line.head.headline,
        url=line.head.url,
        language=line.head.language,
        source=line.head.source,
        severity=highest(line.cards),
        findings=by_severity(line.cards),
    )
