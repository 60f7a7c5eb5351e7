"""The way of a finding: filters in turn, until one has a verdict; and the filters that need no row.

    stage ─ age ─ first fetch ─ story ─ route ─ group        (alerts.story, alerts.route, alerts.group have the others)

A new filter is a function put into the tuple; it may fill in the finding, put rows, or end its way with a reason.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from alerts.finding import Finding
from daemon.messages.alert import Reason
from daemon.messages.article import FirstFetch
from daemon.messages.match import Stage
from daemon.stage.hop import Table


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of a finding's way, or, with `until`, a halt: it is held, and `message` is to carry it then."""

    reason: Reason
    until: float | None = None
    message: str = ""


Filter: TypeAlias = Callable[[Finding, Table, float], Finding | Verdict]


def judge(finding: Finding, filters: Sequence[Filter], table: Table, now: float) -> tuple[Finding, Verdict]:
    """The finding as far as it came, and what ended its way. The last filter always has a verdict."""
    for apply in filters:
        answer = apply(finding, table, now)
        if isinstance(answer, Verdict):
            return finding, answer
        finding = answer
    raise AssertionError(f"no filter had a verdict on {finding.key} of match {finding.match.id}")


def live_only(finding: Finding, _table: Table, _now: float) -> Finding | Verdict:
    """A rule on trial tells nobody."""
    return Verdict(Reason.SHADOW) if finding.stage is Stage.SHADOW else finding


def young_only(finding: Finding, _table: Table, _now: float) -> Finding | Verdict:
    """Nothing older than its feed's `max_age` alerts. The age is that at the fetch: a delay of ours makes nothing too old.

    An article without a date was published when it was first seen.
    """
    article = finding.match.article
    most, published = article.feed.max_age, article.published.at
    if most is None or published is None:
        return finding
    return Verdict(Reason.TOO_OLD) if article.fetched_at - published > most else finding


def first_fetch(finding: Finding, _table: Table, _now: float) -> Finding | Verdict:
    """What a feed's first window does: `alert` as ever, `quiet` nothing, `summary` one message a desk and receiver."""
    article = finding.match.article
    if not article.backfill or article.feed.first_fetch is FirstFetch.ALERT:
        return finding
    if article.feed.first_fetch is FirstFetch.QUIET:
        return Verdict(Reason.FIRST_FETCH)
    return replace(finding, in_summary=True)
