"""RSS, RDF and Atom: down the ladder from the strict parse to what can be recovered; feedparser gives the values.

strict ─ repaired ─ the whole document to feedparser ─ what libxml2 recovers ─▶ Parsed
"""

import re
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import orjson
from feedparser.api import SUPPORTED_VERSIONS

from daemon.feeds.parse.authority import ParserGaveUp, Verdict, ask, ask_each
from daemon.feeds.parse.entries import Context, read_entry, short_of, text_of, title_of
from daemon.feeds.parse.head import Head, read_head
from daemon.feeds.parse.links import absolute
from daemon.feeds.parse.parsed import Call, Parsed, Reason, emptiness, missing, remainder
from daemon.feeds.parse.repair import DECLARATION, MAX_REFERENCES, Opening, repaired, shortened
from daemon.feeds.parse.split import MAX_ITEMS, NotWellFormed, Split, split
from daemon.feeds.parse.texts import clean, one_line
from daemon.feeds.parse.trees import Element, local_name
from daemon.feeds.rows import MAX_WINDOW
from daemon.messages.article import Item

_WHOLE: Final = 500_000
"""Characters; what is larger and not well-formed is recovered instead: feedparser would need seconds."""

_LONG_TAG: Final = re.compile(r"<[^<>]{20000}")
_LANGUAGE: Final = 35
_RSS1: Final = "http://purl.org/rss/1.0/"
_ATOMS: Final = {"http://www.w3.org/2005/Atom": "Atom 1.0", "http://purl.org/atom/ns#": "Atom 0.3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """How the document came to be read."""

    well_formed: bool = False
    notes: tuple[str, ...] = ()


def read_xml(opened: Opening, call: Call) -> Parsed:
    """The feed that begins at `opened`."""
    opened = shortened(opened)
    try:
        return _taken(split(_document(opened.text), call.known), call, _State(well_formed=not opened.notes, notes=opened.notes))
    except NotWellFormed as error:
        if error.too_large:
            return _recovered(opened.text, call, (*opened.notes, "not well-formed: nested too deep, or a text over 10 MB"))
    text, repairs = repaired(opened.text, opened.root)
    notes = (*opened.notes, *repairs)
    try:
        return _taken(split(_document(text), call.known), call, _State(notes=notes))
    except NotWellFormed:
        whole = _whole(text, call, notes)
    return whole or _recovered(text, call, notes)


def _document(text: str) -> bytes:
    return (DECLARATION + text).encode("utf-8", "replace")


def _taken(parts: Split, call: Call, state: _State) -> Parsed:
    """The items of a document that was taken apart."""
    head = read_head(parts.root, url=call.url, now=call.now)
    if parts.hashes and not parts.unseen:
        name = _name(parts.root)
        return Parsed(
            format=name,
            well_formed=state.well_formed,
            hints=head.hints,
            archive=head.archive,
            deleted=head.deleted,
            hashes=parts.hashes,
            beyond=parts.beyond,
            notes=(*state.notes, *remainder(0, parts.beyond), *emptiness((), known=True)),
        )
    verdict = _asked(parts)
    context = _context(verdict, call, parts.repeated)
    items = [read_entry(entry, context) for entry in verdict.entries]
    answered = [digest for digest in parts.unseen if digest not in verdict.refused]
    names = answered if len(answered) == len(items) else [""] * len(items)
    given = [(name, item) for name, item in zip(names, items, strict=True) if item.id]
    kept = call.known.union(name for name, _ in given)
    notes = (
        *state.notes,
        *parts.notes,
        *remainder(parts.left, parts.beyond),
        *missing(len(verdict.refused), len(items) - len(given)),
    )
    return Parsed(
        format=SUPPORTED_VERSIONS.get(verdict.version) or _name(parts.root),
        well_formed=state.well_formed,
        title=title_of(verdict.feed),
        language=short_of(verdict.feed, "language")[:_LANGUAGE],
        hints=head.hints,
        archive=head.archive,
        deleted=head.deleted,
        items=tuple(item for _, item in given),
        hashes=tuple(digest for digest in parts.hashes if digest in kept),
        left=parts.left,
        beyond=parts.beyond,
        reason=Reason.UNREADABLE if verdict.refused and not given else Reason.NONE,
        notes=(*notes, *emptiness([*given, *verdict.refused], known=False)),
    )


def _asked(parts: Split) -> Verdict:
    try:
        return ask(parts.document())
    except ParserGaveUp:
        return ask_each(parts)


def _whole(text: str, call: Call, notes: tuple[str, ...]) -> Parsed | None:
    """What feedparser makes of a document that stays broken; None when it makes nothing of it or should not be asked."""
    if len(text) > _WHOLE or text.count("&") > MAX_REFERENCES or _LONG_TAG.search(text):
        return None
    try:
        verdict = ask(_document(text))
    except ParserGaveUp:
        return None
    counts = Counter(text_of(entry, "id") for entry in verdict.entries)
    context = _context(verdict, call, frozenset(guid for guid, count in counts.items() if guid and count > 1))
    items_read = (read_entry(entry, context) for entry in verdict.entries)
    hashed = {_hash(item): item for item in items_read if item.id}
    others = _recoverable(text)
    if len(hashed) < max(1, len(others.hashes) if others else 0):
        return None
    head = read_head(others.root, url=call.url, now=call.now) if others else Head()
    window = tuple(hashed)[:MAX_WINDOW]
    beyond = len(hashed) - len(window)
    unseen = [digest for digest in window if digest not in call.known]
    left = frozenset(unseen[MAX_ITEMS:])
    items = tuple(hashed[digest] for digest in unseen if digest not in left)
    return Parsed(
        format=SUPPORTED_VERSIONS.get(verdict.version) or "",
        items=items,
        hashes=tuple(digest for digest in window if digest not in left),
        left=len(left),
        beyond=beyond,
        notes=(*notes, "not well-formed: read as a whole", *remainder(len(left), beyond), *emptiness(items, known=True)),
        title=title_of(verdict.feed),
        language=short_of(verdict.feed, "language")[:_LANGUAGE],
        hints=head.hints,
        archive=head.archive,
        deleted=head.deleted,
    )


def _recoverable(text: str) -> Split | None:
    """What libxml2 finds in a broken document: its head, and items; feedparser, reading it as a whole, should find no fewer."""
    try:
        return split(_document(text), frozenset(), recover=True)
    except NotWellFormed:
        return None


def _recovered(text: str, call: Call, notes: tuple[str, ...]) -> Parsed:
    try:
        parts = split(_document(text), call.known, recover=True)
    except NotWellFormed:
        return Parsed(reason=Reason.UNREADABLE, notes=notes)
    if not parts.hashes:  # not an empty feed: what became of its items is not known
        return Parsed(reason=Reason.UNREADABLE, notes=(*notes, "not well-formed: nothing could be recovered"))
    notes = (*notes, "not well-formed: what could be recovered")
    return _taken(parts, call, _State(notes=notes))


def _context(verdict: Verdict, call: Call, repeated: frozenset[str]) -> Context:
    return call.context(
        link=absolute(short_of(verdict.feed, "link"), call.url),
        language=short_of(verdict.feed, "language"),
        is_atom=verdict.version.startswith("atom"),
        repeated=repeated,
    )


def _hash(item: Item) -> str:
    return blake2b(orjson.dumps(item), digest_size=12).hexdigest()


def _name(root: Element) -> str:
    """The format as the root element says it, for documents that feedparser need not see."""
    name = local_name(root)
    if name == "rss":
        return f"RSS {one_line(clean(root.get('version') or ''))[:8]}".strip()
    if name == "rdf":
        return "RSS 1.0" if _RSS1 in root.nsmap.values() else "RSS 0.90"
    space = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""
    return _ATOMS.get(space, "Atom") if name in {"feed", "entry"} else "RSS"
