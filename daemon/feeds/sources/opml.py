"""Lists of feeds as other programs keep them: OPML 1 and 2, read leniently and written strictly. Pure.

    outline ─┬─ xmlUrl: a feed; the outlines around it and its categories are its tags
             └─ else: a folder

What OPML has no word for stands in attributes of our own, so that what was written is read again as it was. Secrets are
never among them. Not listparser, which the project knows: it forgets lines and attributes, and what it could not read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import urlsplit

from lxml import etree

from daemon.config.document import Document, KeyPath
from daemon.errors import ConfigError, Problem
from daemon.feeds.parse.repair import repaired
from daemon.feeds.parse.trees import read_tree
from daemon.net.charset import decode
from daemon.urls import without_credentials

NAMESPACE: Final = "urn:rasid:opml"
"""Of our own attributes, which are called as keys of a feed."""
OURS: Final = ("id", "country", "interval", "max_age", "first_fetch", "user_agent", "delta")
_HARMLESS: Final = frozenset({
    "control characters left out", "entities and ampersands repaired", "text after the feed was left out",
})  # fmt: skip
"""Repairs by which no outline can have been lost."""
_LONGEST_HOST: Final = 60
_MAX_FEEDS: Final = 100_000
_ROOT: Final = re.compile(r"<opml(?=[\s>])", re.IGNORECASE)
_UNSAID: Final = re.compile(r"[^A-Za-z0-9.-]+")
_FEED_SCHEME: Final = re.compile(r"^feed:(?://)?(?=https?://)|^feed:(?=//)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Outlines:
    """A list that was read: its feeds as a file of feeds has them, and what is odd about it.

    `broken`: where it stops being well-formed, if what was read may not be all of it.
    """

    document: Document
    warnings: tuple[Problem, ...] = ()
    broken: Problem | None = None


def read_opml(raw: bytes, file: str) -> Outlines:
    """The feeds of an OPML document. Raises `ConfigError` when it is none, or holds no feed.

    A feed that stands in it twice is one, with the tags of both places.
    """
    reading = _Reading(file)
    for outline, folders in _outlines(reading.root(raw)):
        reading.take(outline, folders)
    if not reading.feeds:
        raise ConfigError([Problem(file=file, line=1, reason="is no OPML with feeds in it (outlines with an xmlUrl)")])
    document = Document(file, list(reading.feeds.values()), reading.places)
    return Outlines(document, tuple(reading.warnings), reading.broken)


def write_opml(feeds: Iterable[Mapping[str, Any]], title: str) -> bytes:
    """An OPML 2.0 document of feeds, each as a file of feeds has it."""
    root = etree.Element("opml", {"version": "2.0"}, nsmap={"rasid": NAMESPACE})
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    for feed in feeds:
        said = {"text": feed.get("name") or feed["id"], "type": "rss", "xmlUrl": feed["url"], "title": feed.get("name")}
        said |= {"language": feed.get("language"), "category": ",".join(map(_escaped, feed.get("tags", ())))}
        said |= {f"{{{NAMESPACE}}}{name}": feed.get(name) for name in OURS}
        said[f"{{{NAMESPACE}}}delta"] = "true" if feed.get("delta") else None
        etree.SubElement(body, "outline", {name: value for name, value in said.items() if value})
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def made_id(url: str) -> str:
    """The id of a feed that has none: its host and a hash of its address, so that no other feed or title changes it."""
    plain = without_credentials(url)
    try:
        host = urlsplit(plain).hostname or ""
    except ValueError:
        host = ""
    name = _UNSAID.sub("-", host.removeprefix("www."))[:_LONGEST_HOST].strip("-.")
    digest = blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
    return f"{name or 'feed'}-{digest}"


class _Reading:
    """Collects feeds by address, in order, with their places."""

    def __init__(self, file: str) -> None:
        self.feeds: dict[str, dict[str, Any]] = {}
        self.places: dict[KeyPath, tuple[int, int]] = {}
        self.warnings: list[Problem] = []
        self.broken: Problem | None = None
        self._lines: dict[str, int] = {}
        self._file = file

    def root(self, raw: bytes) -> Any:
        """The root element: read strictly, else repaired, else as much of it as can be read."""
        text = decode(raw, content_type="", language="").text
        start = _ROOT.search(text)
        if start is None:
            return None
        lines = "\n" * text.count("\n", 0, start.start())
        document = lines + text[start.start() :]
        try:
            return read_tree(_encoded(document))
        except etree.XMLSyntaxError as error:
            self.warnings.append(self._said_of(error, "is not well-formed and was read as far as it could be"))
            broken = self._said_of(error, "is not well-formed, as if it had been cut")
        mended, notes = repaired(document, start[0][1:])
        try:
            root = read_tree(_encoded(mended))
        except etree.XMLSyntaxError as error:
            self.broken = self._said_of(error, "is not well-formed, as if it had been cut")
            return read_tree(_encoded(mended), recover=True)
        self.broken = None if _HARMLESS.issuperset(notes) else broken
        return root

    def _said_of(self, error: etree.XMLSyntaxError, what: str) -> Problem:
        line, column = error.position
        said = (error.msg or "").partition(", line")[0]
        return Problem(file=self._file, line=line, column=column, reason=f"{what}: {said}")

    def take(self, outline: Any, folders: Sequence[str]) -> None:
        """One outline that is no folder."""
        url = _FEED_SCHEME.sub(_http, (_said(outline, "xmlUrl") or "").strip())
        if not url:
            if _said(outline, "type").lower() in {"rss", "atom", "include"} and not len(outline):
                self._warn(outline, "is passed over: an outline without an xmlUrl is no feed; lists in lists are not followed")
            return
        tags = [*folders, *_categories(_said(outline, "category"))]
        if url in self.feeds:
            self.feeds[url]["tags"] = list(dict.fromkeys([*self.feeds[url]["tags"], *tags]))
            self._warn(outline, f"has the address of line {self._lines[url]}: one feed, with the tags of both")
        elif len(self.feeds) < _MAX_FEEDS:
            index, line = len(self.feeds), outline.sourceline or 0
            self._lines[url] = line
            self.places |= {(index,): (line, 0), (index, "url"): (line, 0), (index, "id"): (line, 0)}
            self.feeds[url] = _feed(outline, url, list(dict.fromkeys(tags)))
        else:
            self._warn(outline, f"is passed over: more than {_MAX_FEEDS} feeds")

    def _warn(self, outline: Any, reason: str) -> None:
        self.warnings.append(Problem(file=self._file, line=outline.sourceline or 0, key=_title(outline)[:80], reason=reason))


def _encoded(document: str) -> bytes:
    return document.encode("utf-8", "replace")


def _outlines(root: Any) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Each outline in the document's order, with the titles of the folders around it. Not recursive: depth is theirs."""
    waiting: list[tuple[Any, tuple[str, ...]]] = [(root, ())] if root is not None else []
    while waiting:
        element, folders = waiting.pop()
        inside: tuple[str, ...] = folders
        if _tag(element) == "outline":
            yield element, folders
            if not _said(element, "xmlUrl") and _title(element):
                inside = (*folders, _title(element))
        waiting.extend((child, inside) for child in reversed(element) if isinstance(child.tag, str))


def _feed(outline: Any, url: str, tags: list[str]) -> dict[str, Any]:
    ours = {name: outline.get(f"{{{NAMESPACE}}}{name}") for name in OURS}
    said = {"id": made_id(url), "url": url, "tags": tags, "name": _title(outline), "language": _said(outline, "language")}
    if ours["id"]:
        said["name"] = outline.get("title") or ""
    said |= {name: value for name, value in ours.items() if value}
    return said | {"delta": True} if said.pop("delta", "") == "true" else said


def _http(found: re.Match[str]) -> str:
    """`feed:` means http, unless https or http stands behind it."""
    return "http:" if found.string.startswith("//", found.end()) else ""


def _title(outline: Any) -> str:
    return " ".join((_said(outline, "text") or _said(outline, "title")).split())


def _said(element: Any, name: str) -> str:
    """An attribute, whatever the case of its name: programs differ in that."""
    exact = element.get(name)
    found = exact if exact is not None else next((v for k, v in element.attrib.items() if k.lower() == name.lower()), "")
    return str(found)


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _categories(text: str) -> list[str]:
    """A comma separates them, a slash their levels; a backslash before either takes that from it."""
    parts = re.findall(r"(?:\\.|[^\\,/])+", text, re.DOTALL)
    return [word for part in parts if (word := re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL).strip())]


def _escaped(tag: str) -> str:
    return re.sub(r"([\\,/])", r"\\\1", tag)
