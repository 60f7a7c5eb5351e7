"""JSON Feed 1.0 and 1.1: values straight from the document, in the same shapes as the XML formats give (jsonfeed.org)."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import orjson

from daemon.feeds.items.identity import identity
from daemon.feeds.parse.entries import Context, Notes, Passage, as_length, bounded, passage, read_dates
from daemon.feeds.parse.head import archive_among
from daemon.feeds.parse.links import absolute
from daemon.feeds.parse.parsed import Call, Parsed, Reason, emptiness, missing, remainder
from daemon.feeds.parse.split import MAX_BYTES, MAX_ITEMS
from daemon.feeds.parse.texts import clean, cut, one_line
from daemon.feeds.rows import MAX_WINDOW
from daemon.messages.article import Enclosure, Item

Values: TypeAlias = Mapping[str, Any]

_SHORT: Final = 8_192
_NAME: Final = 500
_MOST: Final = 100


def read_json(text: str, call: Call) -> Parsed:
    """The feed in a text that begins as JSON does."""
    try:
        feed = read_json_feed(text)
    except ValueError as error:
        return Parsed(reason=Reason.OTHER_JSON, notes=(one_line(clean(f"not JSON: {error}"))[:_NAME],))
    if feed is None:
        return Parsed(reason=Reason.OTHER_JSON)
    link = absolute(feed.link, call.url)
    context = call.context(link=link, language=feed.language, is_atom=True, repeated=_repeated(feed))
    entries, beyond = feed.entries[:MAX_WINDOW], len(feed.entries[MAX_WINDOW:])
    unseen = [(digest, values) for digest, values in entries if digest not in call.known]
    taken = _within(unseen[:MAX_ITEMS])
    left = frozenset(digest for digest, _ in unseen[taken:])
    read = [read_json_item(values, context) for _, values in unseen[:taken]]
    items = tuple(item for item in read if item.id)
    empty = frozenset(digest for (digest, _), item in zip(unseen, read, strict=False) if not item.id)
    return Parsed(
        format=feed.version,
        well_formed=True,
        title=feed.title,
        language=feed.language,
        archive=archive_among({"next": absolute(feed.next, context.base)}, call.url),
        items=items,
        hashes=tuple(digest for digest, _ in entries if digest not in left and digest not in empty),
        left=len(left),
        beyond=beyond,
        notes=(*missing(feed.unread, len(empty)), *remainder(len(left), beyond), *emptiness(items, known=bool(feed.entries))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFeed:
    """A JSON Feed's head, its items with their hashes, in order. `next` is the address of the page with older items.

    `unread` counts what stands among its items and is none.
    """

    version: str
    title: str
    language: str
    link: str
    next: str
    entries: tuple[tuple[str, Values], ...]
    unread: int = 0


def read_json_feed(text: str) -> JsonFeed | None:
    """The feed in a JSON text; None when it is none. Raises `ValueError` for what is not JSON."""
    document = _loaded(text)
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        return None
    version = _text(document, "version")
    items = [item for item in document["items"] if isinstance(item, dict)]
    if "jsonfeed.org/version/" not in version and not any("content_html" in item or "content_text" in item for item in items):
        return None
    hashed = {_hash(item): item for item in items}
    return JsonFeed(
        version=f"JSON Feed {version.rpartition('/')[2]}".strip()[:20],
        title=_short(document, "title"),
        language=_short(document, "language")[:35],
        link=_short(document, "home_page_url"),
        next=_short(document, "next_url"),
        entries=tuple(hashed.items()),
        unread=len(document["items"]) - len(items),
    )


def read_json_item(values: Values, context: Context) -> Item:
    """One item of the feed."""
    notes = Notes()
    language = _short(values, "language")[:35]
    link = absolute(_short(values, "url") or _short(values, "external_url"), context.base)
    guid, title = _short(values, "id"), one_line(clean(_text(values, "title")))
    html = passage(_text(values, "content_html"), is_html=True, base=context.base, notes=notes)
    text = passage(_text(values, "content_text"), is_html=False, base="", notes=notes)
    summary = passage(_text(values, "summary"), is_html=False, base="", notes=notes)
    summary, content = bounded(summary, Passage(text.text or html.text, html.html), notes)
    dates = (_text(values, "date_published"), _text(values, "date_modified"))
    published, updated = read_dates(dates, language, context, notes)
    return Item(
        id=identity(
            guid=guid, link=link, title=title, date=dates[0], text=content.text or summary.text, repeated=context.repeated
        ),
        guid=guid,
        link=link,
        title=cut(title, 100_000),
        summary=summary.text,
        content=content.text,
        content_html=content.html,
        published=published,
        updated=updated,
        authors=tuple(_names([*_dicts(values, "authors"), *_dicts(values, "author")]))[:_MOST],
        tags=_tags(values),
        language=language,
        enclosures=tuple(_enclosures(values, context.base))[:_MOST],
        notes=tuple(notes.said),
    )


def _within(unseen: Sequence[tuple[str, Values]]) -> int:
    """How many of these are taken at one time, by their texts' lengths: characters, where XML is counted in bytes."""
    size = 0
    for count, (_, values) in enumerate(unseen, 1):
        size += sum(len(value) for value in values.values() if isinstance(value, str))
        if size > MAX_BYTES:
            return count
    return len(unseen)


def _repeated(feed: JsonFeed) -> frozenset[str]:
    counts = Counter(_short(item, "id") for _, item in feed.entries)
    return frozenset(name for name, count in counts.items() if name and count > 1)


def _loaded(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return json.loads(text)  # it takes lone surrogates and NaN, which are put right or passed over later
        except RecursionError as error:
            raise ValueError("nested too deep") from error


def _hash(item: Values) -> str:
    """Of all that it says; of its plain values only, where what it holds is nested too deep to be written."""
    try:
        said = json.dumps(item, sort_keys=True)
    except RecursionError:
        plain = {name: value for name, value in item.items() if not isinstance(value, dict | list)}
        said = json.dumps(plain, sort_keys=True)
    return blake2b(said.encode(), digest_size=12).hexdigest()


def _text(values: Values, key: str) -> str:
    """A text, or a number as one: ids of early feeds are numbers."""
    value = values.get(key)
    return value if isinstance(value, str) else str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _short(values: Values, key: str) -> str:
    return cut(one_line(clean(_text(values, key))), _SHORT)


def _dicts(values: Values, key: str) -> Sequence[Values]:
    value = values.get(key)
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]


def _names(authors: Sequence[Values]) -> Iterator[str]:
    return iter(dict.fromkeys(name for author in authors if (name := _short(author, "name")[:_NAME])))


def _tags(values: Values) -> tuple[str, ...]:
    tags = values.get("tags")
    texts = [one_line(clean(tag))[:_NAME] for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    return tuple(dict.fromkeys(tag for tag in texts if tag))[:_MOST]


def _enclosures(values: Values, base: str) -> Iterator[Enclosure]:
    for each in _dicts(values, "attachments"):
        url = absolute(_short(each, "url"), base)
        if url:
            yield Enclosure(url=url, type=_short(each, "mime_type")[:_NAME], length=as_length(_text(each, "size_in_bytes")))
