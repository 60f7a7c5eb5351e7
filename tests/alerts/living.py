"""Lets an alerter live: its records in batches, its timers in their time, through the runner's own steps."""

from collections import Counter
from collections.abc import Sequence

from alerts.alerter import Alerter
from daemon.bus.base import Record, Row
from daemon.bus.held import HeldRows
from daemon.bus.topics import MATCHES
from daemon.config.models import Route
from daemon.messages.alert import Message, Outcome, Told
from daemon.messages.match import Match
from daemon.messages.wire import decode
from daemon.stage.graveyard import Grave
from daemon.stage.step import TIME_KEY, Decisions
from daemon.stage.table import StepTable

RECEIVERS = frozenset({"screen", "slack", "mail"})


class Living:
    """What came out stands in `messages`, `outcomes` and `counted` (by desk, outcome and reason)."""

    def __init__(self, route: Route | None = None, receivers: frozenset[str] = RECEIVERS) -> None:
        self.hop = Alerter(route or Route(receiver="screen"), receivers)
        self.committed = HeldRows()
        self.messages: list[Message] = []
        self.outcomes: list[Outcome] = []
        self.counted = Counter[tuple[str, str, str]]()

    @property
    def rows(self) -> list[Row]:
        """Committed rows but the runner's own."""
        return [row for row in self.committed.scan() if row.key != TIME_KEY]

    def ended(self) -> list[Outcome]:
        """The final outcomes."""
        return [outcome for outcome in self.outcomes if outcome.outcome is not Told.HELD]

    def take(self, *matches: Match) -> None:
        """One batch; each match comes when its article was fetched."""
        records = [Record(MATCHES, match.desk, match.id.encode(), b"", match.article.fetched_at) for match in matches]
        table = StepTable(self.committed)
        decisions = self._decisions(table)
        decisions.records(list(zip(records, matches, strict=True)), 10_000)
        self._commit(decisions, table)

    def until(self, now: float) -> None:
        """Nothing comes any more: the wall drives the timers."""
        table = StepTable(self.committed)
        decisions = self._decisions(table)
        decisions.wakes(now, 10_000)
        self._commit(decisions, table)

    def _decisions(self, table: StepTable) -> Decisions[Match, Match]:
        return Decisions(self.hop, Grave(0, "alerter"), table, set(), float("inf"))

    def _commit(self, decisions: Decisions[Match, Match], table: StepTable) -> None:
        gathered = decisions.gathered
        assert not gathered.dead
        self.committed.apply(table.changes())
        for record in gathered.out:
            said = decode(record.value)
            if isinstance(said, Message):
                assert (record.lane, record.key) == (said.receiver, said.id.encode())
                self.messages.append(said)
            else:
                assert isinstance(said, Outcome)
                assert record.lane == said.desk
                self.outcomes.append(said)
        for fact in gathered.facts:
            assert fact.metric == "rasid_findings_total"
            self.counted[fact.labels["desk"], fact.labels["outcome"], fact.labels["reason"]] += int(fact.amount)


def ends(outcomes: Sequence[Outcome]) -> list[tuple[str, str, str]]:
    """Who, outcome, reason: what most tests compare."""
    return [(entry.actor or entry.rule, entry.outcome.value, entry.reason.value) for entry in outcomes]
