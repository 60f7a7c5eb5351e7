"""A news sitemap's bytes to items: link, title, date, language. Pure and picklable: it runs in a worker process.

Of an index, the sitemaps it names. Any bytes end in a `Sitemap`, which may be empty; nothing is fetched, no entity resolved.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from lxml import etree

from daemon.feeds.items.identity import identity
from daemon.feeds.parse.entries import Context, Notes, read_dates
from daemon.feeds.parse.links import is_address
from daemon.feeds.parse.texts import clean, cut, one_line
from daemon.feeds.parse.trees import Element, read_tree
from daemon.messages.article import Item
from daemon.net.charset import decode

_MOST: Final = 1_000
"""Addresses of one sitemap; those of news have no more (Google's rule)."""

_LONGEST: Final = 8_192
_NOTE: Final = "from the site's news sitemap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitemap:
    """Items that are news, and the sitemaps that an index names."""

    items: tuple[Item, ...] = ()
    named: tuple[str, ...] = ()


def read_sitemap(raw: bytes, *, now: float) -> Sitemap:
    """The news of a sitemap; addresses without a title or a date are left out."""
    try:
        root = read_tree(decode(raw, content_type="", language="").text.encode("utf-8", "replace"), recover=True)
    except etree.XMLSyntaxError:
        return Sitemap()
    if root is None:
        return Sitemap()
    context = Context(now=now)
    locations = (_text(element, "loc") for element in islice(root.iter("{*}sitemap"), _MOST))
    return Sitemap(
        items=tuple(item for element in islice(root.iter("{*}url"), _MOST) for item in _items(element, context)),
        named=tuple(location for location in locations if is_address(location)),
    )


def _items(element: Element, context: Context) -> Iterator[Item]:
    link, news = _text(element, "loc"), next(element.iter("{*}news"), None)
    if news is None or not is_address(link):
        return
    title, date, notes = _text(news, "title"), _text(news, "publication_date"), Notes()
    language = next((_text(each, "language") for each in news.iter("{*}publication")), "")[:35]
    published, _ = read_dates((date, ""), language, context, notes)
    if not title or published.at is None:
        return
    notes.add(_NOTE)
    yield Item(
        id=identity(guid="", link=link, title=title, date=date),
        link=link,
        title=title,
        published=published,
        language=language,
        notes=tuple(notes.said),
    )


def _text(element: Element, name: str) -> str:
    return cut(one_line(clean(element.findtext(f"{{*}}{name}") or "")), _LONGEST)
