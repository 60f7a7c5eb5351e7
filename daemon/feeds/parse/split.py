"""The step before feedparser: a strict parse, a hash of each item, and a document of the head and the unseen items only.

    bytes ─ lxml, strict ─ hash each item ─ nothing unseen: stop ─ else head + unseen items ─▶ bytes for feedparser

No DTD, no entities, no network, libxml2's own limits on. Reads no values: feedparser alone does.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from lxml import etree

from daemon.feeds.parse.texts import FIELD_LIMIT, cut
from daemon.feeds.parse.trees import Element, read_tree
from daemon.feeds.rows import MAX_WINDOW

MAX_ITEMS: Final = 2_500
"""Unseen items taken from one document, about a second's work; the others are taken at the next polls."""

MAX_BYTES: Final = 2_000_000
"""The same in bytes of items: behind the one that goes beyond it the others are left."""

_MAX_ATTRIBUTES: Final = 100
_ABOUT: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_RESOURCE_LIMIT: Final = 114  # XML_ERR_RESOURCE_LIMIT


class NotWellFormed(ValueError):
    """The document breaks XML's rules, or libxml2's limits (`too_large`: of depth, of one text)."""

    def __init__(self, reason: str, *, too_large: bool) -> None:
        super().__init__(reason)
        self.too_large = too_large


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A document taken apart. `hashes`: of its items in order, each once, without those beyond the limit.

    `unseen` are the elements that are not known, by hash; when there are any, `root` holds them and the head only.
    `left` counts those beyond the limit, for the next polls; `beyond` those that are too many for a document.
    `repeated`: guids that several items of the whole document carry.
    """

    root: Element
    hashes: tuple[str, ...]
    unseen: Mapping[str, Element]
    repeated: frozenset[str] = frozenset()
    left: int = 0
    beyond: int = 0
    notes: tuple[str, ...] = ()

    def document(self) -> bytes:
        """The head and the unseen items, as UTF-8."""
        return etree.tostring(self.root, encoding="utf-8", xml_declaration=True)

    def document_of(self, some: Collection[str]) -> bytes:
        """The head and some of the unseen items only, by their hashes."""
        others = [(item, item.getparent()) for digest, item in self.unseen.items() if digest not in some]
        for item, parent in others:
            if parent is not None:
                parent.remove(item)
        document = self.document()
        for item, parent in others:
            if parent is not None:
                parent.append(item)
        return document


def split(document: bytes, known: frozenset[str], *, recover: bool = False) -> Split:
    """Take a feed apart. Raises `NotWellFormed`, with `recover` only when nothing at all can be read."""
    root = _parsed(document, recover=recover)
    hashes: dict[str, None] = {}
    unseen: dict[str, Element] = {}
    others: list[Element] = []
    left: set[str] = set()
    items = list(_items(root))
    beyond, size = 0, 0
    for item in items:
        if len(hashes) + len(left) == MAX_WINDOW:
            beyond += 1
            others.append(item)
            continue
        written = etree.tostring(item, encoding="utf-8", with_tail=False)
        digest = blake2b(written, digest_size=12).hexdigest()
        is_new = digest not in known and digest not in hashes
        if is_new and (len(unseen) == MAX_ITEMS or size > MAX_BYTES):
            left.add(digest)
        else:
            hashes[digest] = None
        if is_new and digest in hashes:
            unseen[digest] = item
            size += len(written)
        else:
            others.append(item)
    if not unseen:
        return Split(root=root, hashes=tuple(hashes), unseen={}, beyond=beyond)
    repeated = _repeated(items)
    for item in others:
        _remove(item)
    return Split(
        root=root,
        hashes=tuple(hashes),
        unseen=unseen,
        repeated=repeated,
        left=len(left),
        beyond=beyond,
        notes=_bounded(root),
    )


def _parsed(document: bytes, *, recover: bool) -> Element:
    try:
        root = read_tree(document, recover=recover)
    except etree.XMLSyntaxError as error:
        raise NotWellFormed(str(error), too_large=getattr(error, "code", 0) == _RESOURCE_LIMIT) from error
    if root is None:
        raise NotWellFormed("no element could be read", too_large=False)
    return root


def _items(root: Element) -> Iterator[Element]:
    """Elements that may be items; none within another."""
    for element in root.iter("{*}item", "{*}entry"):
        if next(element.iterancestors("{*}item", "{*}entry"), None) is None:
            yield element


def _remove(item: Element) -> None:
    parent = item.getparent()
    if parent is not None:
        parent.remove(item)


def _repeated(items: Sequence[Element]) -> frozenset[str]:
    """Guids of more than one item, as they stand in the document."""
    counts = Counter(_guid(item) for item in items)
    return frozenset(guid for guid, count in counts.items() if guid and count > 1)


def _guid(item: Element) -> str:
    return (item.findtext("{*}guid") or item.findtext("{*}id") or item.get(_ABOUT) or "").strip()


def _bounded(root: Element) -> tuple[str, ...]:
    """Cut what takes feedparser quadratic time: thousands of attributes on one element, texts of megabytes."""
    notes: dict[str, None] = {}
    for element in root.iter():
        if len(element.attrib) > _MAX_ATTRIBUTES:
            for name in element.keys()[_MAX_ATTRIBUTES:]:
                del element.attrib[name]
            notes[f"attributes beyond {_MAX_ATTRIBUTES} left out"] = None
        if element.text and len(element.text) > FIELD_LIMIT // 4:
            shorter = cut(element.text, FIELD_LIMIT)
            if shorter != element.text:
                element.text = shorter
                notes["cut: a text over 1 MB"] = None
    return tuple(notes)
