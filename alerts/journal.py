"""The journal: what a step of the alerter records and publishes. Each finding is counted once, with its final outcome."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from alerts.filters import Verdict
from alerts.finding import Finding
from daemon.bus.base import Record
from daemon.bus.topics import ALERTS, OUTBOX
from daemon.messages.alert import Message, Outcome, Reason, Told
from daemon.messages.wire import encode
from daemon.stage.hop import Effects, Fact


@dataclass(slots=True)
class Journal:
    """Outcomes and messages of one step, in the order they were decided at `now`."""

    now: float
    messages: list[Message] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    counted: list[Outcome] = field(default_factory=list)

    def record(self, outcome: Outcome) -> None:
        """A held finding is recorded and not counted: its end will be."""
        self.outcomes.append(outcome)
        if outcome.outcome is not Told.HELD:
            self.count(outcome)

    def count(self, outcome: Outcome) -> None:
        """Count without an entry of its own; one that sums up follows."""
        self.counted.append(outcome)

    def tell(self, message: Message, carried: Iterable[Outcome], reason: Reason) -> None:
        """Publish a message; the findings it carries are told."""
        self.messages.append(message)
        self.settle(carried, Told.TOLD, reason)

    def settle(self, carried: Iterable[Outcome], told: Told, reason: Reason) -> None:
        """Held findings come to their end."""
        for held in carried:
            self.record(replace(held, outcome=told, reason=reason, until=None, at=self.now))

    def effects(self) -> Effects:
        told = [Record(OUTBOX, message.receiver, message.id.encode(), encode(message), self.now) for message in self.messages]
        journal = [Record(ALERTS, entry.desk, entry.match.encode(), encode(entry), self.now) for entry in self.outcomes]
        return Effects(out=told + journal, facts=_facts(self.counted))


def outcome_of(finding: Finding, told: Told, verdict: Verdict, now: float) -> Outcome:
    """A finding's entry."""
    article = finding.match.article
    return Outcome(
        desk=finding.match.desk,
        match=finding.match.id,
        article=article.id,
        url=article.url,
        title=article.title,
        actor=finding.card.actor,
        rule=finding.card.rule,
        severity=finding.severity,
        stage=finding.stage,
        outcome=told,
        reason=verdict.reason,
        until=verdict.until,
        story=finding.story,
        receivers=tuple(target.receiver for target in finding.targets),
        message=verdict.message,
        at=now,
    )


def _facts(counted: Iterable[Outcome]) -> Sequence[Fact]:
    labels = [{"desk": entry.desk, "outcome": entry.outcome.value, "reason": entry.reason.value} for entry in counted]
    return [Fact("rasid_findings_total", label) for label in labels]
