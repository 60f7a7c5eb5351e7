"""From feedparser's values of one entry to an `Item`: texts as text, addresses absolute, dates read by us, all bounded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from daemon.dates import Guesses, believe, read_date
from daemon.feeds.items.identity import identity
from daemon.feeds.parse.authority import Values
from daemon.feeds.parse.links import absolute, absolute_html, is_address
from daemon.feeds.parse.texts import FIELD_LIMIT, clean, cut, is_markup, one_line, plain, tidy
from daemon.messages.article import Enclosure, Item, Moment, Source

_ITEM_LIMIT: Final = 3_000_000
_SHORT: Final = 8_192
_NAME: Final = 500
_MOST: Final = 100
_HTML_TYPES: Final = frozenset({"text/html", "application/xhtml+xml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an entry is read against: the base of its links, the feed's language and format, the clock, repeated guids."""

    base: str = ""
    language: str = ""
    is_atom: bool = False
    now: float = 0.0
    repeated: frozenset[str] = frozenset()
    guesses: Guesses = field(default_factory=Guesses)


@dataclass(slots=True)
class Notes:
    """What was repaired, guessed or cut in one item, each said once."""

    said: dict[str, None] = field(default_factory=dict)

    def add(self, note: str) -> None:
        if note:
            self.said[note] = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A text, and the HTML it came from (empty when the feed gave plain text)."""

    text: str = ""
    html: str = ""


def read_entry(entry: Values, context: Context) -> Item:
    """The item that feedparser's `entry` is."""
    notes = Notes()
    language = _short(text_of(entry, "language") or _own_language(entry, context.language), 35)
    link, guid = _link(entry, context), short_of(entry, "id")
    title = title_of(entry)
    summary, content = _summary(entry, context, notes), _content(entry, context, notes)
    if not _has(entry, "summary_detail") and summary.text == content.text:
        summary = Passage()  # feedparser gives the content as summary, too, where there is none
    published, updated = read_dates(_dates(entry, context), language, context, notes)
    summary, content = bounded(summary, content, notes)
    return Item(
        id=identity(
            guid=guid,
            link=link,
            title=title,
            date=published.raw or updated.raw,
            text=summary.text or content.text,
            repeated=context.repeated,
        ),
        guid=guid,
        link=link,
        title=title,
        summary=summary.text,
        content=content.text,
        summary_html=summary.html,
        content_html=content.html,
        published=published,
        updated=updated,
        authors=_unique(_names(entry)),
        tags=_unique(_tags(entry)),
        language=language,
        enclosures=tuple(_enclosures(entry, context.base))[:_MOST],
        source=_source(entry, context.base),
        comments=absolute(short_of(entry, "comments"), context.base),
        notes=tuple(notes.said),
    )


def passage(value: str, *, is_html: bool, base: str, notes: Notes) -> Passage:
    """A value of a feed as text, with its HTML if it has any."""
    shorter = cut(clean(value), FIELD_LIMIT)
    if len(shorter) < len(value) and len(shorter.encode()) + 4 > FIELD_LIMIT:
        notes.add("cut: a text over 1 MB")
    if not is_html or not is_markup(shorter):
        return Passage(tidy(shorter))
    return Passage(cut(plain(shorter), FIELD_LIMIT), cut(absolute_html(shorter, base), FIELD_LIMIT))


def bounded(summary: Passage, content: Passage, notes: Notes) -> tuple[Passage, Passage]:
    """Both, without their HTML where all together would be too much to travel."""
    if sum(len(text.encode()) for text in (summary.text, summary.html, content.text, content.html)) <= _ITEM_LIMIT:
        return summary, content
    notes.add("cut: HTML left out of an item over 3 MB")
    return Passage(summary.text), Passage(content.text)


def read_dates(raws: tuple[str, str], language: str, context: Context, notes: Notes) -> tuple[Moment, Moment]:
    """Published and updated, believed or without their instant; only the first is missed when it is not there."""
    read = partial(read_date, language=language or context.language, now=context.now, guesses=context.guesses)
    published, note = believe(read(_short(raws[0], _NAME)), now=context.now)
    notes.add(note)
    updated, note = believe(read(_short(raws[1], _NAME)), now=context.now)
    if updated.raw:
        notes.add(f"updated: {note}" if note else "")
    return published, updated


def text_of(values: Mapping[str, Any], key: str) -> str:
    """A value that is a text; feeds can make feedparser put other things anywhere."""
    value = dict.get(values, key) if isinstance(values, dict) else None
    return value if isinstance(value, str) else ""


def _dicts(values: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    value = dict.get(values, key) if isinstance(values, dict) else None
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, dict)]


def _has(values: Mapping[str, Any], key: str) -> bool:
    return bool(_dicts(values, key))


def short_of(values: Mapping[str, Any], key: str) -> str:
    """Such a value on one line, bounded: addresses, ids, languages."""
    return _short(text_of(values, key))


def _short(text: str, limit: int = _SHORT) -> str:
    return cut(one_line(clean(text)), limit)


def _detail(entry: Values, key: str) -> Mapping[str, Any]:
    return next(iter(_dicts(entry, f"{key}_detail")), {})


def _own_language(entry: Values, feeds: str) -> str:
    """The language that the entry itself says for its texts: xml:lang is inherited, so one that is not the feed's."""
    said = (text_of(values, "language") for values in (*_dicts(entry, "content"), *_dicts(entry, "title_detail")))
    return next((language for language in said if language and language.lower() != feeds.lower()), "")


def title_of(entry: Values) -> str:
    """The title of an entry or a feed, on one line."""
    value = cut(clean(text_of(entry, "title")), FIELD_LIMIT)
    is_html = text_of(_detail(entry, "title"), "type") in _HTML_TYPES
    return cut(one_line(plain(value) if is_html and is_markup(value) else value), FIELD_LIMIT // 10)


def _summary(entry: Values, context: Context, notes: Notes) -> Passage:
    detail = _detail(entry, "summary")
    is_html = text_of(detail, "type") in _HTML_TYPES or not detail
    base = absolute(text_of(detail, "base"), context.base) or context.base
    return passage(text_of(entry, "summary"), is_html=is_html, base=base, notes=notes)


def _content(entry: Values, context: Context, notes: Notes) -> Passage:
    """The longest of the entry's contents that are texts."""
    texts = [
        each
        for each in _dicts(entry, "content")
        if text_of(each, "type").startswith("text/") or text_of(each, "type") in _HTML_TYPES
    ]
    longest = max(texts, key=lambda each: len(text_of(each, "value")), default={})
    base = absolute(text_of(longest, "base"), context.base) or context.base
    return passage(text_of(longest, "value"), is_html=text_of(longest, "type") in _HTML_TYPES, base=base, notes=notes)


def _link(entry: Values, context: Context) -> str:
    """The entry's address; what FeedBurner put in its place is undone, a guid counts only if it is an address."""
    original = short_of(entry, "feedburner_origlink")
    if is_address(original):
        return original
    link, guid = short_of(entry, "link"), short_of(entry, "id")
    if link and not (link == guid and not is_address(link)):
        return absolute(link, context.base)
    links = [each for each in _dicts(entry, "links") if text_of(each, "rel") == "alternate" and text_of(each, "href")]
    return absolute(_short(text_of(links[0], "href")), context.base) if links else ""


def _dates(entry: Values, context: Context) -> tuple[str, str]:
    """Published and updated as written. Formats without a date of update give `updated` for dc:date, which is publication."""
    published = text_of(entry, "published") or text_of(entry, "created")
    updated = text_of(entry, "updated")
    if published:
        return published, updated
    return updated, updated if context.is_atom else ""


def _names(entry: Values) -> Iterator[str]:
    for author in _dicts(entry, "authors"):
        yield text_of(author, "name") or text_of(author, "email")
    if not any(dict.get(author, "name") for author in _dicts(entry, "authors") if isinstance(author, dict)):
        yield text_of(entry, "author")


def _tags(entry: Values) -> Iterator[str]:
    for tag in _dicts(entry, "tags"):
        yield text_of(tag, "label") or text_of(tag, "term")


def _unique(names: Iterator[str]) -> tuple[str, ...]:
    short = (_short(plain(name) if is_markup(name) else name, _NAME) for name in names)
    return tuple(dict.fromkeys(name for name in short if name))[:_MOST]


def _enclosures(entry: Values, base: str) -> Iterator[Enclosure]:
    """Enclosures and media:content, each address once."""
    links = [each for each in _dicts(entry, "links") if text_of(each, "rel") == "enclosure"]
    seen = set()
    for each in (*links, *_dicts(entry, "media_content")):
        url = absolute(_short(text_of(each, "href") or text_of(each, "url")), base)
        if url and url not in seen:
            seen.add(url)
            length = text_of(each, "length") or text_of(each, "filesize")
            yield Enclosure(url=url, type=_short(text_of(each, "type"), _NAME), length=as_length(length))


def as_length(text: str) -> int:
    """Bytes as a feed says them; 0 for what is no number or beyond all files."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _source(entry: Values, base: str) -> Source:
    said = next(iter(_dicts(entry, "source")), {})
    url = text_of(said, "href") or text_of(said, "link")
    return Source(name=_short(text_of(said, "title"), _NAME), url=absolute(_short(url), base))
