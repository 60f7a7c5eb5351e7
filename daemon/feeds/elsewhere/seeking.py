"""A feed whose address gives a web page instead: its poll says which feeds the page has (feeds 29). Decides nothing.

Looked for where the job wants it: once a day at most (`standing.py`), and only while nothing is known of the feed: what was a
feed yesterday is in trouble today. Whoever runs the service writes the address down; a page that changes its mind must not
decide what is polled.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from daemon.feeds.elsewhere.discovery import Finder, Search
from daemon.feeds.jobs import PollJob, PollOutcome, PollResult
from daemon.feeds.polling import introduced
from daemon.net.bodies import Limits
from daemon.net.files import is_file
from daemon.net.logins import OPEN, Veil

LONGEST: Final = Limits().total - 2.0
"""Seconds for a poll and its search together, so that they end within those of one request; the site's feeds wait meanwhile."""
_ENOUGH: Final = 5.0
"""Seconds; with less left, the search is for another poll."""
_NAMED: Final = 5
_CHARACTERS: Final = 300


class SeekingWorker:
    """Performs poll jobs by `poll`, and looks around where one ended at a web page."""

    def __init__(
        self,
        poll: Callable[[PollJob], Awaitable[PollResult]],
        finder: Finder,
        *,
        user_agent: str,
        timer: Callable[[], float],
    ) -> None:
        """`timer` gives seconds."""
        self._poll = poll
        self._finder = finder
        self._user_agent = user_agent
        self._timer = timer

    async def __call__(self, job: PollJob) -> PollResult:
        began = self._timer()
        result = await self._poll(job)
        left = LONGEST - (self._timer() - began)
        if result.outcome != PollOutcome.HTML or not job.seek or is_file(job.address) or left < _ENOUGH:
            return result
        search = await self._finder.find(job.address, introduced(job.user_agent or self._user_agent, job.feed), left)
        return replace(result, sought=True, named=sentence(search, job.veil))


def sentence(search: Search, veil: Veil = OPEN) -> str:
    """What to write instead, without secrets of the feed's address; empty for nothing found."""
    named = ", ".join(veil.over(found.url) for found in search.found[:_NAMED] if len(found.url) <= _CHARACTERS)
    guessed = any(found.guessed for found in search.found)
    said = "the page names none, but there is a feed at" if guessed else "the page names"
    return f"{said} {named}" if named else ""
