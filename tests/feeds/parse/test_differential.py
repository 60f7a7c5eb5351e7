"""Beside feedparser alone: on well-formed feeds the same values, on broken ones no fewer items and the right letters."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

import feedparser
import pytest

from daemon.feeds.parse.feed import parse_feed
from daemon.feeds.parse.links import absolute, absolute_html
from daemon.messages.article import Item
from tests.feeds.documents import ATOM, ATOM03, RDF, RSS
from tests.feeds.fuzz import NOW
from tests.feeds.mutations import OF_BYTES, OF_TEXT
from tests.feeds.newsroom import CHARSETS, FORMATS, WORDS, Paper, encoded, paper

URL: Final = "https://news.example.net/feed"
FIELDS: Final = (
    *("title", "link", "guid", "summary", "content", "published", "updated", "authors", "tags", "enclosures", "source"),
    *("comments", "language"),
)


def alone(raw: bytes) -> Sequence[Mapping[str, Any]]:
    """What feedparser says of the whole document, HTML neither cleaned nor resolved; nothing where it raises."""
    headers = {"content-type": "application/xml"}
    try:
        said = feedparser.parse(raw, response_headers=headers, resolve_relative_uris=False, sanitize_html=False)
    except (ValueError, UnicodeError, LookupError, TypeError):
        return []
    entries: Sequence[Mapping[str, Any]] = said["entries"]
    return entries


def ours(item: Item) -> Mapping[str, object]:
    return {
        "title": item.title,
        "link": item.link,
        "guid": item.guid,
        "summary": item.summary_html or item.summary,
        "content": item.content_html or item.content,
        "published": item.published.raw,
        "updated": item.updated.raw,
        "authors": item.authors,
        "tags": item.tags,
        "enclosures": {each.url for each in item.enclosures},
        "source": (item.source.name, item.source.url),
        "comments": item.comments,
        "language": item.language,
    }


def theirs(entry: Mapping[str, Any], *, is_atom: bool) -> Mapping[str, object]:
    """The same of feedparser's entry, whose keys it fills in where they are not there: so `in` is asked first."""
    content = next((each["value"] for each in said(entry, "content", [])), "")
    summary = "" if said(entry, "summary_detail", None) is None and content else said(entry, "summary", "")
    published = said(entry, "published", "")
    updated = said(entry, "updated", "")
    links = [each["href"] for each in said(entry, "links", []) if each["rel"] == "enclosure"]
    source = said(entry, "source", {})
    return {
        "title": said(entry, "title", ""),
        "link": absolute(said(entry, "link", ""), URL),
        "guid": said(entry, "id", ""),
        "summary": absolute_html(summary, URL),
        "content": absolute_html(content, URL),
        "published": published or updated,
        "updated": updated if published or is_atom else "",
        "authors": tuple(dict.fromkeys(each["name"] for each in said(entry, "authors", []) if each)),
        "tags": tuple(dict.fromkeys(each["label"] or each["term"] for each in said(entry, "tags", []))),
        "enclosures": {absolute(url, URL) for url in (*links, *(each["url"] for each in said(entry, "media_content", [])))},
        "source": (said(source, "title", ""), said(source, "href", "")),
        "comments": said(entry, "comments", ""),
        "language": said(entry, "language", ""),
    }


def said(values: Mapping[str, Any], key: str, otherwise: Any) -> Any:
    return dict.get(values, key, otherwise) if isinstance(values, dict) else otherwise


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("form", FORMATS[:3])
def test_well_formed_feeds_have_feedparsers_values(language: str, form: str) -> None:
    """Thirteen fields of each item are what feedparser alone gives for the whole document, also when most items are known."""
    random = Random(len(language + form))
    raw = paper(random, language, 12).written(form)
    expected = [theirs(entry, is_atom=form == "atom") for entry in alone(raw)]
    whole = parse_feed(raw, url=URL, now=NOW)
    known = frozenset(digest for digest in whole.hashes if random.random() < 0.6)
    part = parse_feed(raw, url=URL, now=NOW, known=known)
    unseen = [values for digest, values in zip(whole.hashes, expected, strict=True) if digest not in known]
    assert (len(expected), whole.well_formed) == (12, True)
    for items, values in ((whole.items, expected), (part.items, unseen)):
        for name in FIELDS:
            assert [ours(item)[name] for item in items] == [each[name] for each in values], name


@pytest.mark.parametrize("document", [RSS, RDF, ATOM03, ATOM], ids=["rss", "rdf", "atom 0.3", "atom 1.0"])
def test_odd_fields_are_feedparsers_too(document: str) -> None:
    """Where no text is HTML, dates, names and addresses of every format are those that feedparser gives."""
    values = [theirs(entry, is_atom="<entry" in document) for entry in alone(document.encode())]
    items = [ours(item) for item in parse_feed(document.encode(), url=URL, now=NOW).items]
    for name in ("guid", "published", "updated", "authors", "tags", "comments"):
        assert [item[name] for item in items] == [each[name] for each in values], name


KINDS: Final = (
    *("unclosed", "one tag shouted", "CDATA broken", "entities", "a DOCTYPE", "a namespace missing", "scraps", "a chunk lost"),
    *("unquoted", "truncated", "flipped", "NULs", "a BOM inside", "mislabelled", "unlabelled", "HTML around"),
    "a warning before",
)
SPOILED: Final = 4
"""Items that one break may spoil: cut out, run together with the next, or their letters flipped."""


def broken(kind: str, form: str, language: str, seed: int) -> tuple[Paper, bytes]:
    random = Random(seed)
    said_by = paper(random, language, 12)
    charset = random.choice(["utf-8", *CHARSETS[language]])
    text = said_by.text(form, charset)
    text = OF_TEXT[kind](random, text) if kind in OF_TEXT else text
    raw = encoded(text, charset)
    return said_by, OF_BYTES[kind](random, raw) if kind in OF_BYTES else raw


LOST: Final = frozenset({"truncated", "a DOCTYPE", "scraps"})
"""What these do may hide any number of titles, or adds to them."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMATS[:3])
def test_broken_feeds_give_no_fewer_items_and_the_right_letters(kind: str, form: str) -> None:
    """Feeds 18 and 19: at least the items that feedparser alone finds; the titles of the whole one, but where it is broken."""
    for seed, language in enumerate(WORDS):
        said_by, raw = broken(kind, form, language, seed)
        items = parse_feed(raw, url=URL, language=language, now=NOW).items
        found = {entry.get("id") or entry.get("link") for entry in alone(raw) if entry.get("title") or entry.get("summary")}
        assert len(items) >= len(found - {None}), (language, seed)
        titles = {item.title for item in items}
        spoiled = [story for story in said_by.stories if story.title not in titles]
        assert kind in LOST or len(spoiled) <= SPOILED, (language, seed)
