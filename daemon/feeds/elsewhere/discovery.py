"""Which feeds a web page has (feeds 29): named by its headers and its head, else at the usual paths; each one parsed.

    page ─ is a feed itself ─▶ that one
         └─ Link header, <link rel=alternate> ─ none of them is one ─ usual paths ─▶ Found

A bounded number of requests, each as robots.txt allows. Configures nothing: people write down what is found.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from selectolax.lexbor import LexborHTMLParser

from daemon.errors import RasidError
from daemon.feeds.parse.parsed import Parsed
from daemon.feeds.parse.texts import clean, one_line
from daemon.net.answers import REFUSALS, Fetched, FetchOutcome, Link
from daemon.net.charset import decode
from daemon.net.fetch import Request
from daemon.net.headers import joined
from daemon.net.robots import Robots
from daemon.urls import is_usable, without_credentials

MAX_NAMED: Final = 10
USUAL: Final = ("/feed", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feeds/posts/default", "/feed.json")
_TYPES: Final = frozenset({"rss+xml", "atom+xml", "feed+json", "rdf+xml", "xml", "rss", "atom"})
_HEAD: Final = 500_000
_TITLE: Final = 200
_COMMENTS: Final = re.compile(
    r"\bcomments?\b|comentario|commentaire|kommentar|yorum|коммент|comentári|تعليق|تعاليق|دیدگاه|评论", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a page says is a feed of its."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A feed that was fetched and parsed. `guessed`: at a usual path, of which nobody spoke."""

    url: str
    title: str = ""
    format: str = ""
    items: int = 0
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What came of a search; `reason` says why nothing."""

    found: Sequence[Found] = ()
    reason: str = ""


def named_in(page: bytes, *, content_type: str, url: str) -> tuple[Candidate, ...]:
    """The feeds that the head of a page names. CPU work on anybody's bytes: to be run in a pool."""
    tree = LexborHTMLParser(decode(page[:_HEAD], content_type=content_type, language="").text)
    base = next((joined(url, node.attributes.get("href") or "") for node in tree.css("base[href]")), "") or url
    named = (
        Candidate(joined(base, node.attributes.get("href") or ""), _short(node.attributes.get("title") or ""))
        for node in tree.css("link[rel][href]")
        if "alternate" in (node.attributes.get("rel") or "").lower().split() and _is_feed(node.attributes.get("type") or "")
    )
    return _worth_trying(named, url)


def named_by(links: Iterable[Link], url: str) -> tuple[Candidate, ...]:
    """The feeds that a `Link` header names."""
    return _worth_trying((Candidate(link.url) for link in links if "alternate" in link.rel and _is_feed(link.type)), url)


def _worth_trying(named: Iterable[Candidate], url: str) -> tuple[Candidate, ...]:
    """Each address once, the page's own and comments left out."""
    wanted = (each for each in named if each.url and each.url != url and not _COMMENTS.search(f"{each.url} {each.title}"))
    return tuple({each.url: each for each in wanted}.values())[:MAX_NAMED]


def _is_feed(kind: str) -> bool:
    return kind.partition(";")[0].strip().lower().rpartition("/")[2] in _TYPES


def _short(text: str) -> str:
    return one_line(clean(text))[:_TITLE]


class _Ended(Exception):
    """Nothing more is asked for, and why."""


class Finder:
    """Looks for the feeds of pages; nothing is remembered but what `robots` does."""

    def __init__(
        self,
        robots: Robots,
        parse: Callable[..., Awaitable[Parsed]],
        read: Callable[..., Awaitable[tuple[Candidate, ...]]],
    ) -> None:
        """`parse` is `parse_feed` and `read` is `named_in`, both run in a pool; they may raise `RasidError`."""
        self._robots = robots
        self._parse = parse
        self._read = read

    async def find(self, url: str, agent: str, seconds: float | None = None) -> Search:
        """The feeds of the page at the address, which may be a feed itself: those found until `seconds` are over.

        Sends no login. A server that says “too many” is asked no more (feeds 14).
        """
        found: dict[str, Found] = {}
        try:
            async with asyncio.timeout(seconds):
                async for each in self._feeds(without_credentials(url), agent):
                    found.setdefault(each.url, each)
            reason = "neither the page nor the usual paths have one"
        except _Ended as ended:
            reason = str(ended)
        except TimeoutError:
            reason = "it took too long"
        return Search(tuple(found.values()), "" if found else reason)

    async def _feeds(self, url: str, agent: str) -> AsyncIterator[Found]:
        if not is_usable(url):
            raise _Ended("not an http or https address")
        page = await self._get(url, agent)
        if page is None:
            trouble = (await self._robots.rules_for(url)).trouble
            raise _Ended(f"its robots.txt cannot be asked for: {trouble}" if trouble else "robots.txt does not allow it")
        if page.outcome is not FetchOutcome.OK:
            raise _Ended(page.words)
        if itself := await self._parsed(page):
            yield itself
            return
        none = True
        for named in await self._named(page):
            if found := await self._try(named.url, agent):
                none = False
                yield found
        if none and (found := await self._usual(page.final_url, agent)):
            yield found

    async def _named(self, page: Fetched) -> Sequence[Candidate]:
        try:
            told = await self._read(page.body, content_type=page.content_type, url=page.final_url)
        except RasidError:
            told = ()
        return _worth_trying((*told, *named_by(page.links, page.final_url)), page.final_url)

    async def _usual(self, url: str, agent: str) -> Found | None:
        """The first that there is: the others would be the same once more."""
        for path in USUAL:
            if found := await self._try(joined(url, path), agent):
                return replace(found, guessed=True)
        return None

    async def _try(self, url: str, agent: str) -> Found | None:
        page = await self._get(url, agent)
        if page is not None and page.outcome in REFUSALS:
            raise _Ended(page.words)
        return await self._parsed(page) if page is not None and page.outcome is FetchOutcome.OK else None

    async def _get(self, url: str, agent: str) -> Fetched | None:
        """None where robots.txt does not allow it; redirects as far as it allows. Its crawl-delay is kept (feeds 7)."""
        return await self._robots.get(Request(url=url, user_agent=agent))

    async def _parsed(self, page: Fetched) -> Found | None:
        try:
            # Nobody looks at its dates, so any time will do to judge them by.
            parsed = await self._parse(page.body, content_type=page.content_type, url=page.final_url, now=0.0)
        except RasidError:
            return None
        title = _short(parsed.title)
        if parsed.reason or _COMMENTS.search(title):
            return None
        return Found(url=page.moved or page.final_url, title=title, format=parsed.format, items=len(parsed.items) + parsed.left)
