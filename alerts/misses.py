"""Near misses: recorded as suppressed, one entry an actor or rule and reason; at most 60 an hour each, the rest summed up."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from alerts.journal import Journal
from alerts.rows import MISSES, Misses
from daemon.bus.base import Row
from daemon.messages.alert import Outcome, Reason, Told
from daemon.messages.match import Match, Miss
from daemon.stage.hop import Table

MOST_LISTED: Final = 60
"""Entries for one desk and actor or rule within an hour."""
HOUR: Final = 3600.0


def record_misses(match: Match, found: Collection[tuple[str, str]], table: Table, journal: Journal) -> None:
    """The match's near misses, but those of actors and rules (`found`: both ids) that hit after all."""
    first: dict[tuple[str, str, str], Miss] = {}
    for miss in match.near_misses:
        first.setdefault(_name(miss), miss)
    for miss in first.values():
        if (miss.actor or "", miss.rule or "") not in found:
            _record(match, miss, table, journal)


def sum_up(row: Row, table: Table, journal: Journal) -> None:
    """The hour is over: one entry for all that were not listed, by reason."""
    misses = MISSES.read(row)
    table.put(row.key, None)
    for reason, count in sorted(misses.beyond.items()):
        journal.outcomes.append(
            Outcome(
                desk=misses.desk,
                match="",
                article="",
                url="",
                title="",
                actor=misses.actor,
                rule=misses.rule,
                outcome=Told.SUPPRESSED,
                reason=Reason(reason),
                count=count,
                at=journal.now,
            )
        )


def _record(match: Match, miss: Miss, table: Table, journal: Journal) -> None:
    actor, rule, reason = _name(miss)
    key = MISSES.key(match.desk, actor, rule)
    misses = MISSES.find(table, key)
    wake = journal.now + HOUR
    if misses is None:
        misses = Misses(desk=match.desk, actor=actor, rule=rule, beyond={})
    else:
        row = table.get(key)
        wake = row.wake if row and row.wake is not None else wake
    outcome = _outcome(match, miss, journal.now)
    if misses.listed < MOST_LISTED:
        misses = replace(misses, listed=misses.listed + 1)
        journal.record(outcome)
    else:
        misses = replace(misses, beyond={**misses.beyond, reason: misses.beyond.get(reason, 0) + 1})
        journal.count(outcome)
    MISSES.put(table, key, misses, wake)


def _outcome(match: Match, miss: Miss, now: float) -> Outcome:
    article = match.article
    return Outcome(
        desk=match.desk,
        match=match.id,
        article=article.id,
        url=article.url,
        title=article.title,
        actor=miss.actor or "",
        rule=miss.rule or "",
        outcome=Told.SUPPRESSED,
        reason=Reason(miss.reason.value),
        at=now,
    )


def _name(miss: Miss) -> tuple[str, str, str]:
    return miss.actor or "", miss.rule or "", miss.reason.value
