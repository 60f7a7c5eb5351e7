"""One text or page understood without a feed: what `rasid extract` shows. Takes anything, keeps nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from consumers.page import Page, PageUnreadable, read_page
from consumers.text.language import Languages, Prior
from consumers.zones.zoner import Passage, Zoned, Zoner
from daemon.dates import read_date
from daemon.messages.article import Language, Moment

_PAGE: Final = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_HTML: Final = re.compile(r"<(?:[a-z][a-z0-9]*(?:\s[^<>]{0,500})?/?|!--)>?", re.IGNORECASE)
_HEAD: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """Zones, language, date and authors of one text."""

    zoned: Zoned
    language: Language
    published: Moment
    authors: tuple[str, ...]
    notes: tuple[str, ...]


class Extractor:
    """Tells pages, pieces of HTML and plain texts apart, and reads each as what it is."""

    def __init__(self, zoner: Zoner, languages: Languages) -> None:
        self._zoner = zoner
        self._languages = languages

    def extract(self, text: str, url: str, now: float) -> Extract:
        """What a text says. `now`: what relative dates count from."""
        if not _PAGE.search(text[:_HEAD]):
            html = text if _HTML.search(text) else ""
            return self._piece(Passage(text, html), ())
        try:
            page = read_page(text, url)
        except PageUnreadable as error:
            return self._piece(Passage(html=text), (f"{error.reason}: all of its text was taken",))
        return self._page(page, now)

    def item(self, item: Mapping[str, Any]) -> Extract:
        """What one item of a feed says, as `rasid parse` prints it: divided as the service divides it."""
        summary = Passage(_said(item, "summary"), _said(item, "summary_html"))
        zoned = self._zoner.divide(_said(item, "title"), summary, Passage(_said(item, "content"), _said(item, "content_html")))
        language = self._guess(zoned, _said(item, "language"))
        raw = item.get("dates_raw")
        published = read_date(_said(raw, "published") if isinstance(raw, dict) else "", language=language.tag, now=0.0)
        authors = tuple(author for author in item.get("authors") or () if isinstance(author, str))
        return Extract(zoned=zoned, language=language, published=published, authors=authors, notes=zoned.notes)

    def _piece(self, passage: Passage, notes: tuple[str, ...]) -> Extract:
        zoned = self._zoner.divide("", Passage(), passage)
        return Extract(zoned=zoned, language=self._guess(zoned, ""), published=Moment(), authors=(), notes=zoned.notes + notes)

    def _page(self, page: Page, now: float) -> Extract:
        zoned = self._zoner.divide(page.title, Passage(page.lead), Passage(page.body))
        language = self._guess(zoned, page.language)
        published = read_date(page.published, language=language.tag, now=now)
        return Extract(zoned=zoned, language=language, published=published, authors=page.authors, notes=zoned.notes)

    def _guess(self, zoned: Zoned, said: str) -> Language:
        return self._languages.guess(f"{zoned.title} {zoned.lead or zoned.body}", Prior(said, "item"))


def items_of(text: str) -> list[dict[str, Any]]:
    """The items in what `rasid parse` printed, one JSON object a line; none when the text is anything else."""
    if not text.lstrip().startswith("{"):
        return []
    try:
        values = [orjson.loads(line) for line in text.splitlines() if line.strip()]
    except orjson.JSONDecodeError:
        return []
    are_items = all(isinstance(value, dict) and {"guid", "summary", "content"} <= value.keys() for value in values)
    return values if are_items else []


def _said(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
