"""The last filter: a finding into the group or summary of each of its receivers, and one outcome for it from all of them.

A finding for several receivers waits for the message that leaves first; that message decides its outcome.
"""

from typing import Final

from alerts import group, summary
from alerts.filters import Verdict
from alerts.finding import Finding, Target
from alerts.journal import outcome_of
from alerts.rows import LINE, kind_of
from daemon.messages.alert import Outcome, Reason, Told
from daemon.stage.hop import Table

_JOINED: Final = Verdict(Reason.SAME_STORY)


def place(finding: Finding, table: Table, now: float) -> Verdict:
    """Held for a message; joined when all receivers know its story; refused when it found no room in any summary."""
    placed = [_place(finding, target, table, now) for target in finding.targets]
    waiting = [(verdict.until, key, verdict) for verdict, key in placed if verdict.until is not None]
    if not waiting:
        verdicts = [verdict for verdict, _ in placed]
        return _JOINED if _JOINED in verdicts else verdicts[0]
    _, key, verdict = min(waiting, key=lambda entry: entry[:2])
    carry = summary.carry if kind_of(key) == LINE.prefix else group.carry
    carry(key, held(finding, verdict, now), table)
    return verdict


def held(finding: Finding, verdict: Verdict, now: float) -> Outcome:
    """The interim entry of a finding that waits."""
    return outcome_of(finding, Told.HELD, verdict, now)


def _place(finding: Finding, target: Target, table: Table, now: float) -> tuple[Verdict, bytes]:
    names = (finding.match.desk, target.receiver, finding.story)
    if summary.takes(finding, target, table):
        return summary.add(finding, target, table, now), summary.line_key(*names)
    return group.hold(finding, target, table, now), group.group_key(*names)
