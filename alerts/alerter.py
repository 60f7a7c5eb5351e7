"""Hop 4: which findings are told, in which message, when; and for every finding one recorded outcome. Sends nothing.

    match ─ findings ─ filters ─┬─ suppressed, joined ─────────────────────▶ alerts
          └ near misses         └─ group, summary ─ when due ─ message ─▶ outbox, told ─▶ alerts

Time is the records' own: a replay groups and waits as living through it did.
"""

from collections.abc import Collection, Sequence

from alerts.filters import Filter, Verdict, first_fetch, judge, live_only, young_only
from alerts.finding import Finding, expand
from alerts.group import group_key, tell
from alerts.journal import Journal, outcome_of
from alerts.kind import kind_of
from alerts.misses import record_misses, sum_up
from alerts.place import held, place
from alerts.route import Router
from alerts.rows import GROUP, MISSES, STORY, SUMMARY
from alerts.story import end_story, join_story
from alerts.summary import tell_summary
from daemon.bus.base import Row
from daemon.config.models import Route
from daemon.messages.alert import Reason, Told
from daemon.messages.match import Match
from daemon.stage.hop import Effects, Hop, Table, Time


class Alerter(Hop[Match, Match]):
    """The hop. `receivers` are the names of those configured."""

    name = "alerter"
    time = Time.RECORDS

    def __init__(self, route: Route, receivers: Collection[str]) -> None:
        self.configure(route, receivers)

    def configure(self, route: Route, receivers: Collection[str]) -> None:
        """Take over a new tree, between two steps. Raises `ValueError` for a matcher it cannot read; the old one stays."""
        router = Router(route, receivers)
        self._filters: Sequence[Filter] = (live_only, young_only, first_fetch, join_story, router, place)
        self._receivers = frozenset(receivers)

    def prepare(self, batch: Sequence[Match]) -> Sequence[Match]:
        return batch

    def decide(self, item: Match, table: Table, now: float) -> Effects:
        """Judge the match's findings; tell at once what need not wait."""
        journal = Journal(now)
        found = expand(item)
        judged = [judge(finding, self._filters, table, now) for finding in found]
        waiting = [(finding, verdict) for finding, verdict in judged if verdict.until is not None]
        for finding, verdict in judged:
            if verdict.until is None:
                journal.record(outcome_of(finding, _ended(verdict), verdict, now))
        self._tell_due(judged, table, journal)
        told = {(outcome.actor, outcome.rule) for outcome in journal.outcomes if outcome.match == item.id}
        for finding, verdict in waiting:
            if (finding.card.actor, finding.card.rule) not in told:
                journal.record(held(finding, verdict, now))
        record_misses(item, {(finding.card.actor, finding.card.rule) for finding in found}, table, journal)
        return journal.effects()

    def wake(self, row: Row, table: Table, now: float) -> Effects:
        """A message is due, a story's life is over, or an hour of near misses is."""
        journal = Journal(now)
        kind = kind_of(row.key)
        if kind == GROUP.prefix:
            tell(row.key, table, self._receivers, journal)
        elif kind == SUMMARY.prefix:
            tell_summary(row, table, self._receivers, journal)
        elif kind == STORY.prefix:
            end_story(STORY.read(row), table, now)
        elif kind == MISSES.prefix:
            sum_up(row, table, journal)
        else:
            raise ValueError(f"a row of no kind that wakes: {row.key!r}")
        return journal.effects()

    def _tell_due(self, judged: Sequence[tuple[Finding, Verdict]], table: Table, journal: Journal) -> None:
        keys = [
            group_key(finding.match.desk, target.receiver, finding.story) for finding, _ in judged for target in finding.targets
        ]
        for key in dict.fromkeys(keys):
            row = table.get(key)
            if row is not None and row.wake is not None and row.wake <= journal.now:
                tell(key, table, self._receivers, journal)


def _ended(verdict: Verdict) -> Told:
    return Told.JOINED if verdict.reason is Reason.SAME_STORY else Told.SUPPRESSED
