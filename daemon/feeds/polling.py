"""The work of a poll: fetch or read, parse in a pool, say what came of it. Pure in, pure out; keeps nothing between polls.

    PollJob ─┬─ http(s): Fetcher, in the site's turn ─┐
             └─ file:    read below the folder ───────┴─ changed? ─ parse ─▶ PollResult

Bad input is an outcome, never an exception.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final

import structlog

from daemon.clock import Clock
from daemon.errors import RasidError
from daemon.feeds.jobs import Entry, PollJob, PollOutcome, PollResult, Window
from daemon.feeds.pace.schedule import Answer
from daemon.feeds.parse.parsed import Parsed, Reason, remainder
from daemon.net.answers import REFUSALS, Fetched, FetchOutcome
from daemon.net.fetch import Fetcher, Request
from daemon.net.files import Files, is_file
from daemon.net.politeness import Politeness
from daemon.urls import is_usable, origin_of, site_of

ACCEPT: Final = "application/rss+xml, application/atom+xml, application/feed+json, application/xml, text/xml, */*;q=0.1"

ANSWERS: Final = {
    FetchOutcome.OK: Answer.GOOD,
    FetchOutcome.NOT_MODIFIED: Answer.GOOD,
    FetchOutcome.GONE: Answer.GONE,
    **dict.fromkeys(REFUSALS, Answer.TOO_MANY),
}
OF_REASON: Final = {
    Reason.EMPTY: PollOutcome.EMPTY,
    Reason.HTML: PollOutcome.HTML,
    Reason.NO_FEED: PollOutcome.NO_FEED,
    Reason.OTHER_JSON: PollOutcome.OTHER_JSON,
    Reason.TOO_LARGE: PollOutcome.DOCUMENT_TOO_LARGE,
    Reason.UNREADABLE: PollOutcome.UNREADABLE,
}
"""What a document's reason to give nothing makes of its poll."""
WELL: Final = frozenset({*(outcome for outcome, answer in ANSWERS.items() if answer is Answer.GOOD), PollOutcome.UNCHANGED})
"""Outcomes of polls that went well."""


async def at_once() -> None:
    """Polls wait for nothing."""


class PollWorker:
    """Performs poll jobs, any number at once; the politeness decides how many really are."""

    def __init__(
        self,
        fetcher: Fetcher,
        politeness: Politeness,
        parse: Callable[..., Awaitable[Parsed]],
        *,
        clock: Clock,
        files: Files,
        user_agent: str,
        may_poll: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        """`parse` is `parse_feed` run in a pool; it may raise `RasidError`. `files` are what `file:` may name.

        `may_poll` returns when a poll may begin; its feed stays due meanwhile.
        """
        self._fetcher = fetcher
        self._politeness = politeness
        self._parse = parse
        self._clock = clock
        self._log = structlog.get_logger().bind()  # made once: a lazy one costs more than the line that is not written
        self._files = files
        self._user_agent = user_agent
        self._may_poll = may_poll

    async def __call__(self, job: PollJob) -> PollResult:
        await self._may_poll()
        fetched = await self._fetch(job)
        result = await self._judged(job, fetched)
        _report(self._log, job, fetched, result)
        return result

    async def _fetch(self, job: PollJob) -> Fetched:
        if is_file(job.address):
            return await asyncio.to_thread(self._files.read, job.address, job.etag)
        request = Request(
            url=job.address,
            user_agent=introduced(job.user_agent or self._user_agent, job.feed),
            accept=ACCEPT,
            etag=job.etag,
            last_modified=job.last_modified,
            delta=job.delta,
            secrets=dict(job.headers) if _is_its_own(job) else {},
        )
        return await self._fetcher.get(request, self._politeness.turn)

    async def _judged(self, job: PollJob, fetched: Fetched) -> PollResult:
        """What the answer amounts to; a body that is no feed leaves everything as it was (feeds 16)."""
        plain = self._plain(job, fetched)
        if fetched.outcome is not FetchOutcome.OK:
            return plain
        body = blake2b(fetched.body, digest_size=16).hexdigest()
        if body == job.body:
            return replace(plain, outcome=PollOutcome.UNCHANGED)
        try:
            parsed = await self._parse(
                fetched.body,
                content_type=fetched.content_type,
                url=job.veil.over(base_of(fetched)),
                language=job.language,
                known=job.known,
                now=plain.fetched_at,
            )
        except RasidError as error:
            return replace(plain, outcome=PollOutcome.UNREADABLE, answer=Answer.FAILED, detail=str(error))
        if parsed.reason:
            return replace(plain, outcome=OF_REASON[parsed.reason], answer=Answer.FAILED, detail=parsed.reason.value)
        detail = "; ".join(remainder(0, parsed.beyond))
        return replace(
            plain,
            body=body,
            window=replace(window_of(parsed, job.known), partial=fetched.partial),
            hints=parsed.hints,
            archive=parsed.archive,
            deleted=parsed.deleted,
            detail=detail,
        )

    def _plain(self, job: PollJob, fetched: Fetched) -> PollResult:
        """The result as far as the request alone tells."""
        answer = ANSWERS.get(fetched.outcome, Answer.FAILED)
        return PollResult(
            url=job.url,
            outcome=fetched.outcome,
            answer=answer,
            fetched_at=self._clock.now(),
            site=site_of(fetched.final_url) if answer is Answer.TOO_MANY else "",
            fresh=fetched.outcome is FetchOutcome.OK and not fetched.partial,
            etag=fetched.etag,
            last_modified=fetched.last_modified,
            moved=fetched.moved,
            redirected=fetched.final_url not in ("", job.address),
            fresh_for=fetched.fresh_for,
            retry_after=fetched.retry_after,
            detail=fetched.detail,
        )


def _is_its_own(job: PollJob) -> bool:
    """Whether the address asked is of the origin that the login was written down for: a feed may have moved elsewhere."""
    return not job.moved_to or origin_of(job.moved_to) == origin_of(job.url)


def window_of(parsed: Parsed, known: frozenset[str]) -> Window:
    """The parsed items with their elements' hashes; where the two do not pair, items without one, parsed again next time."""
    unknown = [element for element in parsed.hashes if element not in known]
    hashes = unknown if len(unknown) == len(parsed.items) else [""] * len(parsed.items)
    entries = tuple(Entry(hash=element, item=item) for element, item in zip(hashes, parsed.items, strict=True))
    return Window(
        known=known & frozenset(parsed.hashes),
        entries=entries,
        left=parsed.left,
        beyond=parsed.beyond,
        repaired=not parsed.well_formed,
    )


def base_of(fetched: Fetched) -> str:
    """Where relative links lead from: Content-Location, where it stays on the site, else the final URL (feeds 21)."""
    location = fetched.location
    return location if is_usable(location) and site_of(location) == site_of(fetched.final_url) else fetched.final_url


def introduced(user_agent: str, feed: str) -> str:
    """The User-Agent with the feed's id in its comment: `Rasid/1.0 (+https://example.org; feed-id)` (feeds 5)."""
    return f"{user_agent[:-1]}; {feed})" if user_agent.endswith(")") else user_agent


def _report(log: Any, job: PollJob, fetched: Fetched, result: PollResult) -> None:
    """One line a poll; the feed's id instead of its address, which may hold a token."""
    passed_over = result.window is not None and result.window.beyond > 0
    say = log.debug if result.answer is Answer.GOOD and not passed_over else log.warning
    say("polled", feed=job.feed, outcome=str(result.outcome), status=fetched.status, detail=result.detail)
