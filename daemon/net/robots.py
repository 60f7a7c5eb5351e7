"""What robots.txt lets us fetch (feeds 7, RFC 9309): for pages and for feeds we look for, never for feeds that people named.

200 ─ its rules      4xx, endless redirects ─ everything      5xx, 429, no answer ─ nothing for now, or as it was before
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from protego import Protego

from daemon.net.answers import Fetched, FetchOutcome
from daemon.net.fetch import Fetcher, Request, Turn
from daemon.net.headers import joined
from daemon.net.politeness import MOST
from daemon.urls import site_of

SpacedTurn: TypeAlias = Callable[[str, float], AbstractAsyncContextManager[None]]
"""Holds a site's turn while entered, so many seconds after the site's last request at least (`Politeness.turn`)."""

KEPT: Final = 86400.0
RETRIED: Final = 3600.0
"""Seconds until robots.txt is asked for again: of a site that answered, and of one that did not."""

MAX_SIZE: Final = 500_000
"""Bytes that are read (RFC 9309, 2.5); what comes after them counts for nothing."""

_MAX_SITEMAPS: Final = 50
_MAX_SITES: Final = 1_000
_MAX_PAIRS: Final = 50_000
"""Each rule of a group is kept once for each of the group's robots: so few lines could ask for gigabytes."""

_ALLOWED: Final = frozenset(
    {
        FetchOutcome.NOT_FOUND,
        FetchOutcome.GONE,
        FetchOutcome.UNAUTHORIZED,
        FetchOutcome.FORBIDDEN,
        FetchOutcome.CLIENT_ERROR,
        FetchOutcome.BAD_REDIRECT,
    }
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one robots.txt says. `said` is None where there is none: then all is allowed, or nothing is for now.

    `trouble`: what came instead, where nothing is.
    """

    said: Protego | None = None
    trouble: str = ""
    sitemaps: tuple[str, ...] = ()

    def allow(self, url: str, agent: str) -> bool:
        return not self.trouble and (self.said is None or self.said.can_fetch(url, agent))

    def delay(self, agent: str) -> float:
        """Seconds that it wants between two requests (`Crawl-delay`); 0 when it wants none."""
        return max((self.said.crawl_delay(agent) if self.said else None) or 0.0, 0.0)


@dataclass(slots=True)
class _Site:
    """One origin's rules, and until when they hold; the lock lets one of many ask."""

    rules: Rules = Rules()
    until: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Robots:
    """The rules of each origin, asked for when first needed and kept for a day. Keeps a thousand origins."""

    def __init__(self, fetcher: Fetcher, turn: SpacedTurn, *, user_agent: str, timer: Callable[[], float]) -> None:
        """`turn` is entered for each request; whoever asks must not hold a turn then."""
        self._fetcher = fetcher
        self._turn = turn
        self._user_agent = user_agent
        self._timer = timer
        self._sites: OrderedDict[str, _Site] = OrderedDict()

    async def turn_for(self, url: str, agent: str) -> Turn | None:
        """The turns in which a robot of this User-Agent may ask for the address: those of its site keep the crawl-delay.

        None where it may not, which goes for a delay of more than `MOST` seconds, too: that is no site for robots like us.
        """
        rules = await self.rules_for(url)
        delay, own = rules.delay(agent), site_of(url)
        if not rules.allow(url, agent) or not delay <= MOST:
            return None
        return lambda site: self._turn(site, delay if site == own else 0.0)

    async def get(self, request: Request) -> Fetched | None:
        """What came back, redirects followed as far as robots.txt allows. None where it closes the address itself."""
        turn = await self.turn_for(request.url, request.user_agent)
        if turn is None:
            return None
        return await self._fetcher.get(request, turn, lambda to: self.turn_for(to, request.user_agent))

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """The sitemaps that the address's origin names, absolute."""
        return (await self.rules_for(url)).sitemaps

    async def rules_for(self, url: str) -> Rules:
        """The rules of the address's origin."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()
        site = self._sites.setdefault(origin, _Site())
        self._sites.move_to_end(origin)
        if len(self._sites) > _MAX_SITES:
            self._sites.popitem(last=False)
        async with site.lock:
            if site.until <= self._timer():
                await self._renew(site, f"{origin}/robots.txt")
        return site.rules

    async def _renew(self, site: _Site, url: str) -> None:
        request = Request(url=url, user_agent=self._user_agent, accept="text/plain")
        answer = await self._fetcher.get(request, lambda asked: self._turn(asked, 0.0))
        answered = answer.outcome is FetchOutcome.OK or answer.outcome in _ALLOWED
        if answered:
            site.rules = await asyncio.to_thread(rules_in, answer)
        elif site.rules.said is None:
            site.rules = Rules(trouble=answer.words)
        site.until = self._timer() + (KEPT if answered else RETRIED)


def rules_in(answer: Fetched) -> Rules:
    """The rules of a site that answered."""
    if answer.outcome is not FetchOutcome.OK:
        return Rules()
    text = answer.body[:MAX_SIZE].decode("utf-8-sig", "replace")
    said = Protego.parse(_bounded(text))
    sitemaps = (joined(answer.final_url, named) for named in said.sitemaps)
    return Rules(said=said, sitemaps=tuple(islice(filter(None, sitemaps), _MAX_SITEMAPS)))


def _bounded(text: str) -> str:
    """As many of its lines as keep pairs of robots and rules within the bound."""
    robots, pairs, ruled, kept = 0, 0, False, list[str]()
    for line in text.splitlines():
        name = line.lstrip().lower()
        if name.startswith("user"):
            robots, ruled = 1 if ruled else robots + 1, False
        elif name:
            ruled = ruled or name.startswith(("allow", "dis", "dia"))
            pairs += robots
        if pairs > _MAX_PAIRS:
            break
        kept.append(line)
    return "\n".join(kept)
