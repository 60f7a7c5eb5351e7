"""Groups: one story for one receiver; what waits to be told, when, and whether a story told already has grown.

    nothing told ─ group_wait ─▶ message 1 ─ grew ─ update_interval, doubling ─▶ message 2, an update ─ …

A story is told again only when it grew in a way that matters (`grew`); there is no repeat timer.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from alerts.cards import MOST_CARDS, add_card, card_key, highest
from alerts.draft import draft, message_id
from alerts.evidence import gather, quote
from alerts.filters import Verdict
from alerts.finding import Finding, Target, Timings, head_of
from alerts.journal import Journal
from alerts.rows import GROUP, Group, Story, Telling
from alerts.story import get_story, hang_on
from daemon.messages.alert import Message, Outcome, Reason, Told
from daemon.stage.hop import Table

MOST_CARRIED: Final = 200
"""Held findings whose outcome one message decides; those beyond join at once."""
FEWEST_COPIES: Final = 5
"""So many more copies than were told make an update; once more than five were told, as many again as were told."""
MOST_NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding would go. `keep` puts it there, with the held outcome if this message is to decide it."""

    verdict: Verdict
    keep: Callable[[Sequence[Outcome]], None] | None = None


def group_key(desk: str, receiver: str, story: str) -> bytes:
    return GROUP.key(desk, receiver, story)


def hold(finding: Finding, target: Target, table: Table, now: float) -> Place:
    """A finding's place in its group: it waits for the group's next message, or joins when its story has been told."""
    desk, receiver = finding.match.desk, target.receiver
    key = group_key(desk, receiver, finding.story)
    group = GROUP.find(table, key) or open_group(finding, target, table, now)
    if not grew(group, finding, get_story(desk, finding.story, table)):
        return Place(Verdict(Reason.SAME_STORY))
    group = _with(group, finding, _due(group, finding, target.timings, now))
    keep = partial(_keep, table, key, group)
    if len(group.carried) >= MOST_CARRIED:
        return Place(Verdict(Reason.SAME_STORY), keep)
    reason = Reason.UPDATE_INTERVAL if group.told else Reason.GROUP_WAIT
    return Place(Verdict(reason, group.due, message_id(desk, receiver, finding.story)), keep)


def open_group(finding: Finding, target: Target, table: Table, now: float) -> Group:
    """A group that knows its story's article and nothing else; the caller puts it."""
    hang_on(finding.match.desk, finding.story, target.receiver, table, now)
    return Group(desk=finding.match.desk, receiver=target.receiver, story=finding.story, head=head_of(finding.match))


def grew(group: Group, finding: Finding, story: Story) -> bool:
    """Whether a finding makes its story grow in a way that matters to this receiver.

    A new actor or rule; a language nobody read yet; an edit of the headline that was told; many more copies (see
    `FEWEST_COPIES`); or another finding of the match that just made it grow. To whom nothing was told, all is new.
    """
    told, match = group.told, finding.match
    known = {card_key(card) for card in group.cards}
    if finding.key not in known and len(group.cards) >= MOST_CARDS:
        return False
    if told is None or finding.key not in {card_key(card) for card in group.cards[: told.cards]}:
        return True
    if group.due is not None and group.grew_by == match.id:
        return True
    tongue = match.article.language.tag
    return bool(
        (tongue and tongue not in told.languages)
        or _edited(group, finding)
        or (group.due is None and story.copies >= told.copies + max(FEWEST_COPIES, told.copies))
    )


def tell(key: bytes, table: Table, receivers: Collection[str], journal: Journal) -> None:
    """The group's time has come: one message with all that waits, or none when its receiver is gone."""
    group = GROUP.find(table, key)
    if group is None or group.due is None:
        return
    if group.receiver not in receivers:
        journal.settle(group.carried, Told.SUPPRESSED, Reason.NO_RECEIVER)
        _give_up(key, group, table)
        return
    story = get_story(group.desk, group.story, table)
    message = _message(group, story, journal.now)
    journal.tell(message, group.carried, Reason.STORY_GREW if group.told else Reason.NEW_STORY)
    told = telling(group, story, journal.now)
    GROUP.put(table, key, replace(group, version=message.version, told=told, due=None, carried=()))


def telling(group: Group, story: Story, at: float) -> Telling:
    """What the receiver knows once all of the group was told at `at`."""
    return Telling(
        at=at,
        cards=len(group.cards),
        severity=highest(group.cards),
        headline=group.head.headline,
        languages=story.languages,
        copies=story.copies,
        updates=group.told.updates + 1 if group.told else 0,
    )


def _keep(table: Table, key: bytes, group: Group, held: Sequence[Outcome]) -> None:
    GROUP.put(table, key, replace(group, carried=(*group.carried, *held)), group.due)


def _due(group: Group, finding: Finding, timings: Timings, now: float) -> float:
    """When the group speaks next: after `group_wait`; an update not before its interval, unless the severity rises."""
    due = now + timings.group_wait.of(finding.severity)
    told = group.told
    if told is not None and finding.severity.rank <= told.severity.rank:
        interval = min(timings.update_interval * 2.0**told.updates, timings.update_interval_max)
        due = max(due, told.at + interval)
    return due if group.due is None else min(due, group.due)


def _with(group: Group, finding: Finding, due: float) -> Group:
    cards = add_card(group.cards, finding.card)
    untold = [card_key(card) for card in cards[group.told.cards if group.told else 0 :]]
    return replace(
        group,
        head=head_of(finding.match) if _leads(group, finding) else group.head,
        cards=cards,
        evidence=gather(group.evidence, finding.evidence, untold),
        due=due,
        grew_by=finding.match.id,
    )


def _leads(group: Group, finding: Finding) -> bool:
    """Whether the message should link to this finding's article: a revision of the one it links to, or bigger news."""
    if finding.match.article.id == group.head.article:
        return True
    if group.told is None:
        return bool(group.cards) and finding.severity.rank > highest(group.cards).rank
    return finding.key not in {card_key(card) for card in group.cards[: group.told.cards]}


def _edited(group: Group, finding: Finding) -> bool:
    article, told = finding.match.article, group.told
    if told is None or article.id != group.head.article or not article.title:
        return False
    return article.title.casefold().split() != told.headline.casefold().split()


def _give_up(key: bytes, group: Group, table: Table) -> None:
    if group.told is None:
        table.put(key, None)
    else:
        GROUP.put(table, key, replace(group, cards=group.cards[: group.told.cards], due=None, carried=()))


def _message(group: Group, story: Story, now: float) -> Message:
    news = group.cards[group.told.cards if group.told else 0 :]
    return replace(
        draft(group, group.story, group.head, group.cards, now),
        version=group.version + 1,
        evidence=quote(group.evidence, [card_key(card) for card in news]),
        articles=story.articles[:MOST_NAMED],
        copies=story.copies,
        languages=story.languages,
        update=group.told is not None,
    )
