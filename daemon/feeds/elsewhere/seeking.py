"""A feed whose address gives a web page instead: its poll says which feeds the page has (feeds 29). Decides nothing.

Looked for once a day at most, and only while nothing is known of the feed: what was a feed yesterday is in trouble today.
Whoever runs the service writes the address down; a page that changes its mind must not decide what is polled.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from daemon.feeds.elsewhere.discovery import Finder, Search
from daemon.feeds.jobs import PollJob, PollOutcome, PollResult
from daemon.feeds.polling import introduced
from daemon.net.files import is_file

SOUGHT_EVERY: Final = 86400.0
_MOST: Final = 10_000
_NAMED: Final = 5
_LONGEST: Final = 300


class SeekingWorker:
    """Performs poll jobs by `poll`, and looks around where one ended at a web page."""

    def __init__(
        self,
        poll: Callable[[PollJob], Awaitable[PollResult]],
        finder: Finder,
        *,
        user_agent: str,
        timer: Callable[[], float],
        patience: float = 60.0,
    ) -> None:
        """`patience`: seconds for a search; the poll's feed, and those of its site, wait meanwhile."""
        self._poll = poll
        self._finder = finder
        self._user_agent = user_agent
        self._timer = timer
        self._patience = patience
        self._sought: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()

    async def __call__(self, job: PollJob) -> PollResult:
        result = await self._poll(job)
        if result.outcome != PollOutcome.HTML or job.known or job.body or is_file(job.address):
            return result
        said = await self._looked_for(job)
        return replace(result, detail=f"{result.detail}; {said}" if said else result.detail)

    async def _looked_for(self, job: PollJob) -> str:
        """What was found today, in words; empty for nothing."""
        key = (job.feed, job.address)
        at, said = self._sought.get(key, (float("-inf"), ""))
        if self._timer() - at >= SOUGHT_EVERY:
            self._sought[key] = (self._timer(), "")  # before, so that a search that fails is not repeated either
            said = await self._found(job)
            self._sought[key] = (self._timer(), said)
            self._sought.move_to_end(key)
            if len(self._sought) > _MOST:
                self._sought.popitem(last=False)
        return said

    async def _found(self, job: PollJob) -> str:
        try:
            async with asyncio.timeout(self._patience):
                return sentence(await self._finder.find(job.address, introduced(job.user_agent or self._user_agent, job.feed)))
        except TimeoutError:
            return ""


def sentence(search: Search) -> str:
    """What to write instead; empty for nothing found."""
    named = ", ".join(found.url for found in search.found[:_NAMED] if len(found.url) <= _LONGEST)
    return f"the page names {named}" if named else ""
