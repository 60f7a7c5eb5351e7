"""The last filter: a finding into the group or summary of each of its receivers, and one outcome for it from all of them.

A finding for several receivers waits for the message that leaves first; that message decides its outcome.
"""

from typing import Final

from alerts import group, summary
from alerts.filters import Verdict
from alerts.finding import Finding, Target
from alerts.journal import outcome_of
from daemon.messages.alert import Outcome, Reason, Told
from daemon.stage.hop import Table

_JOINED: Final = Verdict(Reason.SAME_STORY)


def place(finding: Finding, table: Table, now: float) -> Verdict:
    """Held for a message; joined when all receivers know its story; refused when it found no room in any summary."""
    places = [_place(finding, target, table, now) for target in finding.targets]
    waits = [(place.verdict.until, number) for number, place in enumerate(places) if place.verdict.until is not None]
    carrier = places[min(waits)[1]] if waits else None
    for one in places:
        if one.keep is not None:
            one.keep([held(finding, one.verdict, now)] if one is carrier else [])
    if carrier is not None:
        return carrier.verdict
    verdicts = [one.verdict for one in places]
    return _JOINED if _JOINED in verdicts else verdicts[0]


def _place(finding: Finding, target: Target, table: Table, now: float) -> group.Place:
    if summary.takes(finding, target, table):
        return summary.add(finding, target, table, now)
    if not finding.in_summary:
        summary.release(finding, target, table, now)
    return group.hold(finding, target, table, now)


def held(finding: Finding, verdict: Verdict, now: float) -> Outcome:
    """The interim entry of a finding that waits."""
    return outcome_of(finding, Told.HELD, verdict, now)
