"""A feed's text made ready for a strict parser: where the feed begins, and repairs where it is not well-formed (feeds 19).

    text ─ opening: prolog and DOCTYPE off, root found ─▶ Opening ─ (strict parse failed) repaired ─▶ text, notes

Never expands entities of a document's own, never raises.
"""

import re
from dataclasses import dataclass, replace
from html import entities
from itertools import islice
from typing import Final
from xml.sax.saxutils import escape

DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>\n'

_ROOTS: Final = frozenset({"rss", "rdf", "feed", "channel", "entry"})
_PAGES: Final = frozenset({"html", "head", "body", "!doctype"})
_PROLOG: Final = re.compile(
    r"(?:\s+|<\?(?:(?!\?>).)*\?>|<!--(?:(?!-->).)*-->|<!DOCTYPE[^>\[]*(?:\[(?:(?!\]\s*>).)*\]\s*)?>)*",
    re.DOTALL | re.IGNORECASE,
)
_ELEMENT: Final = re.compile(r"<(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)")
_LATER: Final = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?(?:rss|RDF|feed)(?=[\s>])")
_IN_PAGE: Final = re.compile(
    r"<(?:rss(?=[^<>]*\sversion=)|feed(?=[^<>]*\sxmlns=)|(?:\w+:)?RDF(?=[^<>]*=[\"']http://purl\.org/rss/1\.0/[\"']))"
)
"""A feed within HTML must say what it is: RDF of other kinds stands in the comments of many pages."""
_END_OF_FEED: Final = re.compile(r"</(?:\w+:)?(?:rss|RDF|feed|channel)\s*>")
_HEADLESS: Final = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?(channel|item|entry)(?=[\s>])")
_HTML: Final = re.compile(r"<(?:!doctype\s+)?html[\s>]", re.IGNORECASE)
_HTML_DOCTYPE: Final = re.compile(r"\s*<!doctype\s+html", re.IGNORECASE)

_ILLEGAL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCES: Final = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(?:#[xX]?[0-9a-fA-F]{0,20};?|[A-Za-z][A-Za-z0-9]{0,31};|)", re.DOTALL
)
_OF_XML: Final = frozenset({"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"})
_LAST_ITEM: Final = re.compile(r"</(?:[\w.-]+:)?(?:item|entry)\s*>", re.IGNORECASE)
_ANY_ITEM: Final = re.compile(r"</(?:item|entry)\s*>|<(?:item|entry)(?:\s[^<>]*)?/>")
_MANY_ITEMS: Final = 20_000
_HALF_ITEM: Final = re.compile(r"<((?:[\w.-]+:)?(?:item|entry))(?:\s[^<>]*)?>", re.IGNORECASE)
_PIECE: Final = re.compile(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<(/?)([A-Za-z_][\w.:-]*)[^<>]*?(/?)>", re.DOTALL)
MAX_REFERENCES: Final = 100_000
"""More would take seconds; libxml2 recovers such a document as well as it can."""
_PLANES: Final = 0x110000


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Where a document's feed begins. `root` is the first element's name as written; `is_feed` whether it is a feed's."""

    root: str = ""
    is_feed: bool = False
    is_html: bool = False
    text: str = ""
    notes: tuple[str, ...] = ()


def opening(text: str) -> Opening:
    """The document from its root element on, without XML declaration, DOCTYPE and whatever else stood before."""
    prolog = _PROLOG.match(text)
    start = prolog.end() if prolog else 0
    first = _ELEMENT.match(text, start)
    name = first[2].lower() if first else ""
    if first and name in _ROOTS:
        return Opening(root=first[0][1:], is_feed=True, text=text[start:])
    is_page = name in _PAGES or _HTML_DOCTYPE.match(text) is not None
    later = (_IN_PAGE if is_page else _LATER).search(text)
    if later:
        note = "text before the feed was left out"
        return Opening(root=later[0][1:], is_feed=True, text=text[later.start() :], notes=(note,))
    is_html = is_page or _HTML.search(text) is not None
    is_lost = not is_html and (not name or _END_OF_FEED.search(text) is not None)
    headless = _HEADLESS.search(text) if is_lost else None
    return _headed(text, headless) if headless else Opening(root=name, is_html=is_html)


def _headed(text: str, found: re.Match[str]) -> Opening:
    """A feed whose beginning is lost, with a root again."""
    root = '<feed xmlns="http://www.w3.org/2005/Atom">' if found[1] == "entry" else '<rss version="2.0">'
    channel = "<channel>" if found[1] == "item" else ""
    notes = ("the beginning is missing",)
    return Opening(root=root[1:5].strip(), is_feed=True, text=f"{root}{channel}{text[found.start() :]}", notes=notes)


def shortened(opened: Opening) -> Opening:
    """The feed without the items behind the first 20,000, closed: only 5,000 count, and a million would take seconds."""
    text = opened.text
    if len(text) < _MANY_ITEMS * len("<item/>") or text.count("<item") + text.count("<entry") <= _MANY_ITEMS:
        return opened
    last = next(islice(_ANY_ITEM.finditer(text), _MANY_ITEMS - 1, None), None)
    if last is None:
        return opened
    ended, _ = _ended(text[: last.end()], opened.root, last.end())
    return replace(opened, text=ended, notes=(*opened.notes, f"what follows {_MANY_ITEMS} items was left out"))


def repaired(text: str, root: str) -> tuple[str, tuple[str, ...]]:
    """The feed with what commonly breaks well-formedness put right, and a note on each kind of repair."""
    notes = []
    legal = _ILLEGAL.sub("", text)
    if legal != text:
        notes.append("control characters left out")
    referenced = _REFERENCES.sub(_reference, legal) if legal.count("&") < MAX_REFERENCES else legal
    if referenced != legal:
        notes.append("entities and ampersands repaired")
    shown = _shown(referenced)
    if shown != referenced:
        notes.append("a comment without end opened")
    ended, note = _ended(shown, root)
    return ended, (*notes, note) if note else tuple(notes)


def _shown(text: str) -> str:
    """Without the beginning of a comment that never ends, which would hide all that follows."""
    end = text.rfind("-->") + 1
    return text[:end] + text[end:].replace("<!--", "")


def _reference(found: re.Match[str]) -> str:
    """A reference that XML knows stays; HTML's become characters; what is none gets its ampersand escaped."""
    said = found[0]
    if said.startswith("<") or said in _OF_XML:
        return said
    if said.startswith("&#"):
        return _numbered(said)
    character = entities.html5.get(said[1:])
    return escape(character) if character else f"&amp;{said[1:]}"


def _numbered(said: str) -> str:
    digits = said[2:].rstrip(";")
    try:
        code = int(digits[1:], 16) if digits[:1] in {"x", "X"} else int(digits)
    except ValueError:
        return f"&amp;{said[1:]}"
    return "\ufffd" if code >= _PLANES or _ILLEGAL.match(chr(code)) else f"&#{code};"


def _ended(text: str, root: str, last: int = 0) -> tuple[str, str]:
    """The feed cut behind its root's end, or, where that is missing, behind the last thing that is whole, and closed."""
    closing = f"</{root}>"
    end = text.rfind(closing)
    if end >= 0:
        rest = text[end + len(closing) :].strip()
        return text[: end + len(closing)], "text after the feed was left out" if rest else ""
    last = last or max((found.end() for found in _LAST_ITEM.finditer(text)), default=0)
    half = _half(text, last)
    if not last and not half:
        return text, ""
    channel = "</channel>" if root.lower() == "rss" else ""
    note = "truncated: the last item is not whole" if half else "truncated: what follows the last whole item was left out"
    return f"{text[:last]}{half}{channel}{closing}", note


def _half(text: str, start: int) -> str:
    """What is whole of an item that was cut off, closed; empty when it has no title yet, and nothing to know it by."""
    opened = _HALF_ITEM.search(text, start)
    if opened is None:
        return ""
    end, depth, whole = 0, 0, {"link"} if "about=" in opened[0] else set()
    for piece in _PIECE.finditer(text, opened.end()):
        if piece[2] is None:
            continue
        depth += -1 if piece[1] else 0 if piece[3] else 1
        if depth == 0:
            end = piece.end()
            whole.add(piece[2].lower())
    known = "title" in whole and not whole.isdisjoint({"link", "guid", "id"})
    return f"{text[opened.start() : end]}</{opened[1]}>" if known else ""
