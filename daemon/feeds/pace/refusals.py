"""Who is left alone once somebody said “too many” (feeds 14): the site that said it, wherever redirects led. Pure, over rows.

a turn ended ─┬─ well ─────────────────────── the site's refusals are forgotten
              ├─ refused by its own site ──── that one waits, with all of its feeds
              └─ refused by another site ──── that one waits, where its rows are at hand; the feed in any case (schedule.py)
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from daemon.feeds.jobs import PageResult, PollResult
from daemon.feeds.pace.schedule import Answer, Pace
from daemon.feeds.pace.turns import Ending, end_turn, leave_alone
from daemon.feeds.rows import site_key
from daemon.stage.hop import Table

_KEPT_OPEN: Final = 5.0
"""Seconds; a site's gap that is longer is waited for in its row, so that it takes no place among the polls in flight."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """How turns end in one partition. `at_hand`: whether the rows of a site lie in it."""

    pace: Pace
    at_hand: Callable[[str], bool]

    def shared_turn(self, site: str, result: object, table: Table, now: float) -> str:
        """The turn of a site of several feeds has ended; gives the feed whose turn it was."""
        return end_turn(site, table, now, self._told(site, result, table, now))

    def own_turn(self, site: str, result: object, table: Table, now: float) -> None:
        """The only feed of a site, which needs no turns, was asked: whoever joins it is to know what the site said."""
        ending = self._told(site, result, table, now)
        if ending.refused or (ending.good and table.get(site_key(site)) is not None):
            leave_alone(site, table, now, ending)

    def _told(self, site: str, result: object, table: Table, now: float) -> Ending:
        """How the turn ended for the site whose turn it was, once another one that refused is left alone."""
        ending, elsewhere = _ending(result, self.pace.of(site)), _refused_by(result)
        if elsewhere in ("", site):
            return ending
        refusal = _ending(result, self.pace.of(elsewhere))
        if refusal.refused and self.at_hand(elsewhere):
            leave_alone(elsewhere, table, now, refusal)
        return replace(ending, refused=False)


def _ending(result: object, pace: Pace) -> Ending:
    gap = pace.gap if pace.gap is not None and pace.gap > _KEPT_OPEN else 0.0
    if not isinstance(result, PollResult | PageResult):
        return Ending(gap=gap)
    refused = result.answer is Answer.TOO_MANY and not pace.alone
    return Ending(good=result.answer is Answer.GOOD, refused=refused, retry_after=result.retry_after, gap=gap)


def _refused_by(result: object) -> str:
    """The site that said “too many”; empty for none, and where it is not known."""
    return result.site if isinstance(result, PollResult | PageResult) and result.answer is Answer.TOO_MANY else ""
