"""Looks at one older page (feeds 22): fetch and parse as a poll does, politely; robots.txt says no more than which and whether.

PageJob ─ robots.txt: its sitemaps │ may it be asked for ─ Fetcher, in the site's turn ─ parse ─▶ PageResult
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from daemon.clock import Clock
from daemon.errors import RasidError
from daemon.feeds.elsewhere.pages import Way
from daemon.feeds.jobs import Outcome, PageJob, PageOutcome, PageResult, PollJob, PollOutcome, PollResult
from daemon.feeds.pace.schedule import Answer
from daemon.feeds.parse.parsed import Parsed
from daemon.feeds.parse.sitemap import Sitemap
from daemon.feeds.polling import ACCEPT, ANSWERS, at_once, base_of, introduced
from daemon.net.answers import Fetched, FetchOutcome
from daemon.net.fetch import Request
from daemon.net.robots import Robots
from daemon.urls import site_of

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """`parse_feed` and `read_sitemap` run in a pool; they may raise `RasidError`."""

    feed: Callable[..., Awaitable[Parsed]]
    sitemap: Callable[..., Awaitable[Sitemap]]


class OlderPages:
    """Performs page jobs itself and poll jobs by `poll`."""

    def __init__(
        self,
        poll: Callable[[PollJob], Awaitable[PollResult]],
        get: Callable[[Request], Awaitable[Fetched]],
        robots: Robots,
        readers: Readers,
        *,
        clock: Clock,
        user_agent: str,
        may_poll: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        """`get` is `Fetcher.get`, in the turn of the address's site.

        `may_poll` returns when a page may be looked at.
        """
        self._poll = poll
        self._get = get
        self._robots = robots
        self._readers = readers
        self._clock = clock
        self._user_agent = user_agent
        self._may_poll = may_poll

    async def __call__(self, job: PollJob | PageJob) -> PollResult | PageResult:
        if isinstance(job, PollJob):
            return await self._poll(job)
        await self._may_poll()
        result = await self._looked_at(job)
        counts = {"items": len(result.items), "named": len(result.named)}
        log.debug("older_page", feed=job.feed, way=job.page.way.value, outcome=result.outcome, **counts)
        return result

    async def _looked_at(self, job: PageJob) -> PageResult:
        if job.page.way is Way.ROBOTS:
            return replace(self._empty(job, FetchOutcome.OK), named=await self._robots.sitemaps(job.address))
        agent = introduced(job.user_agent or self._user_agent, job.feed)
        request = Request(url=job.address, user_agent=agent, accept=ACCEPT, secrets=dict(job.headers))
        is_archive = job.page.way is Way.ARCHIVE  # the feed itself names it: robots.txt is not asked, as for the feed
        fetched = await (self._get(request) if is_archive else self._robots.get(request))
        if fetched is None:
            return self._empty(job, PageOutcome.ROBOTS)
        try:
            return await self._read(job, fetched)
        except RasidError:
            return self._empty(job, PollOutcome.UNREADABLE)

    async def _read(self, job: PageJob, fetched: Fetched) -> PageResult:
        plain = replace(
            self._empty(job, fetched.outcome),
            answer=ANSWERS.get(fetched.outcome, Answer.FAILED),
            site=site_of(fetched.final_url),
            retry_after=fetched.retry_after,
        )
        if fetched.outcome is not FetchOutcome.OK:
            return plain
        if job.page.way is Way.SITEMAP:
            found = await self._readers.sitemap(fetched.body, now=plain.fetched_at)
            return replace(plain, items=found.items, named=found.named)
        parsed = await self._readers.feed(
            fetched.body,
            content_type=fetched.content_type,
            url=job.veil.over(base_of(fetched)),
            language=job.language,
            now=plain.fetched_at,
        )
        outcome = PollOutcome.UNREADABLE if parsed.reason else plain.outcome
        return replace(plain, outcome=outcome, items=parsed.items, named=(parsed.archive,) if parsed.archive else ())

    def _empty(self, job: PageJob, outcome: Outcome | PageOutcome) -> PageResult:
        return PageResult(url=job.url, page=job.page, outcome=outcome, fetched_at=self._clock.now())
