"""Where to look for items that were missed, page after page (feeds 22). Pure; what the pages said is judged elsewhere.

    prev-archive, and the one before it …  (RFC 5005)  ─┐ an item from before the gap: done
    ?paged=2, ?paged=3 …   (WordPress and its like)    ─┤ nothing at all: the next way
    robots.txt ─ its sitemaps, /news-sitemap.xml       ─┘ six pages in all

Pages are asked for one at a time, between the feed's own polls; what is left stands in the feed's row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from re import compile as pattern
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from daemon.messages.article import Item
from daemon.urls import is_usable, without_credentials

_MOST: Final = 6
_MOST_SITEMAPS: Final = 3
_PAGED_PATH: Final = pattern(r"/feed/?$")
_PAGED_QUERY: Final = pattern(r"(?:^|&)feed=(?:rss2?|atom|rdf)(?:&|$)")
_PAGED_GUID: Final = pattern(r"^https?://[^/]+/.*[?&]p=\d+$")


class Way(StrEnum):
    """How older items are looked for; label of `rasid_older_pages_total`."""

    ARCHIVE = "archive"
    PAGED = "paged"
    ROBOTS = "robots"
    SITEMAP = "sitemap"


class Gave(StrEnum):
    """What a page gave; label of `rasid_older_pages_total`."""

    ITEMS = "items"
    NAMED = "named"
    REFUSED = "refused"
    NOTHING = "nothing"


_USUAL: Final = {Way.ROBOTS: "/robots.txt", Way.SITEMAP: "/news-sitemap.xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What to look at: an address that somebody named, the `number` of a page of the feed itself, or the usual place."""

    way: Way
    url: str = ""
    number: int = 0

    def address(self, feed: str) -> str:
        """Where it is, given the feed's own address. That stands in no row: it may hold secrets."""
        if self.way in _USUAL:
            return self.url or urljoin(without_credentials(feed), _USUAL[self.way])
        if self.way is not Way.PAGED:
            return self.url
        parts = urlsplit(feed)
        query = f"{parts.query}&paged={self.number}" if parts.query else f"paged={self.number}"
        return urlunsplit(parts._replace(query=query, fragment=""))


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """What is still to be looked at, in order. `since`: when the feed was last read before the gap. `found`: items so far."""

    pages: tuple[Page, ...]
    since: float
    read: int = 0
    found: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a page gave: new items, whether one was known before the gap, addresses it names (the next archive, sitemaps)."""

    new: int = 0
    met: bool = False
    named: tuple[str, ...] = ()


def begin(url: str, archive: str, items: Sequence[Item], since: float) -> CatchUp | None:
    """Where to look for what a feed at `url` no longer shows; None where there is nowhere to look."""
    if not is_usable(url):
        return None
    ways = [Page(way=Way.ARCHIVE, url=archive)] if is_usable(archive) else []
    if _is_paged(url, items):
        ways.append(Page(way=Way.PAGED, number=2))
    return CatchUp(pages=(*ways, Page(way=Way.ROBOTS)), since=since)


def go_on(catching: CatchUp, finding: Finding) -> CatchUp | None:
    """What is left once the first page was looked at; None when the hole is closed, or enough was tried."""
    page, found, read = catching.pages[0], catching.found + finding.new, catching.read + 1
    more = tuple(_next(page, finding))
    pages = (*more, *catching.pages[1:])
    exhausted = found and not more and page.way is not Way.ROBOTS  # this way has given all it had
    if finding.met or exhausted or not pages or read >= _MOST:
        return None
    return replace(catching, pages=pages, read=read, found=found)


def _next(page: Page, finding: Finding) -> Iterator[Page]:
    """The pages that follow from this one."""
    usable = [url for url in finding.named if is_usable(url) and url != page.url]
    if page.way is Way.ARCHIVE and finding.new:
        yield from (Page(way=Way.ARCHIVE, url=url) for url in usable[:1])
    elif page.way is Way.PAGED and finding.new:
        yield replace(page, number=page.number + 1)
    elif page.way is Way.ROBOTS:
        likely = sorted(usable, key=lambda url: not _is_of_news(url))[:_MOST_SITEMAPS]
        yield from (Page(way=Way.SITEMAP, url=url) for url in likely)
        yield Page(way=Way.SITEMAP)
    elif page.way is Way.SITEMAP and not finding.new:
        news = [url for url in usable if _is_of_news(url)]
        yield from (Page(way=Way.SITEMAP, url=url) for url in news[:_MOST_SITEMAPS])


def _is_of_news(sitemap: str) -> bool:
    """By its name, without that of its host."""
    return "news" in urlsplit(sitemap).path.lower()


def _is_paged(url: str, items: Sequence[Item]) -> bool:
    """Whether the feed looks like one of WordPress, which gives older items at `?paged=`."""
    parts = urlsplit(url)
    if _PAGED_PATH.search(parts.path) or _PAGED_QUERY.search(parts.query):
        return True
    return bool(items) and all(_PAGED_GUID.match(item.guid) for item in items)
