"""What an article's page says: main text by trafilatura, and what its head says of title, date, authors and language.

Slow to import and to run (about 20 ms a page): not for the event loop.
"""

from dataclasses import dataclass
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser
from trafilatura import bare_extraction

from daemon.errors import RasidError

_DATES: Final = (
    ('meta[property="article:published_time"]', "content"),
    ('meta[itemprop="datePublished"]', "content"),
    ('meta[name="date"]', "content"),
    ("article time[datetime]", "datetime"),
)


class PageUnreadable(RasidError):
    """A page's main text cannot be found: no article, or HTML that breaks the reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Main parts of a page as text; empty where it says nothing. `published` is as it stands there."""

    title: str
    lead: str
    body: str
    language: str
    published: str
    authors: tuple[str, ...]


def read_page(html: str, url: str) -> Page:
    """The page's main parts. Raises `PageUnreadable`."""
    found = _extracted(html, url, precise=True) or _extracted(html, url, precise=False)
    if found is None or not found.text:
        raise PageUnreadable("no article in the page", subject=url)
    tree = LexborHTMLParser(html)
    root = tree.css_first("html")
    title = found.title or ""
    return Page(
        title=title,
        lead=found.description or "",
        body=found.text.removeprefix(f"{title}\n"),
        language=(root.attributes.get("lang") if root is not None else None) or "",
        published=_published(tree) or found.date or "",
        authors=tuple(filter(None, (name.strip() for name in (found.author or "").split(";")))),
    )


def _extracted(html: str, url: str, *, precise: bool) -> Any:
    try:
        found: Any = bare_extraction(html, url=url or None, favor_precision=precise, include_comments=False, with_metadata=True)
    except Exception as error:  # the edge to a library that meets whatever the web has, and names no errors of its own
        raise PageUnreadable(f"the page breaks the reader: {error!r}", subject=url) from error
    return found if found is not None and found.text else None


def _published(tree: LexborHTMLParser) -> str:
    for selector, attribute in _DATES:
        node = tree.css_first(selector)
        said = node.attributes.get(attribute) if node is not None else None
        if said:
            return said
    return ""
