"""Texts of feeds as text: HTML to lines, what JSON cannot carry left out, lengths bounded. Says what was cut, keeps nothing."""

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

FIELD_LIMIT: Final = 1_000_000
"""Bytes of UTF-8 that one field of an item may have (feeds 20)."""

_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_MARKUP: Final = re.compile(r"<[A-Za-z/!?]|&#?\w{1,31};")
_SPACES: Final = re.compile(r"[^\S\n]+")
_ANY_SPACES: Final = re.compile(r"\s+")
_LINE_ENDS: Final = re.compile(r" ?\n\s*")
_PARAGRAPHS: Final = re.compile(r"\n{3,}")
_SILENT: Final = frozenset(
    [
        *("audio", "head", "iframe", "math", "noscript", "object", "script", "select", "style", "svg", "template", "textarea"),
        *("title", "video"),
    ]
)
_BLOCKS: Final = frozenset(
    [
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "br",
            "caption",
            "center",
            "dd",
            "details",
            "div",
            "dl",
            "dt",
            "fieldset",
        ),
        *("figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav"),
        *("ol", "p", "pre", "section", "summary", "table", "tr", "ul"),
    ]
)
_ALONE: Final = frozenset(
    {"br", "img", "p", "li", "hr", "td", "th", "tr", "dd", "dt", "option", "input", "wbr", "source", "meta", "link"}
)
"""Elements that need no end tag, or end when the next one begins."""
_TAG: Final = re.compile(r"<[^<>]*>")
_NAME: Final = re.compile(r"<(/?[a-z][a-z0-9]*)")
_SMALL: Final = 20_000
_DEEP: Final = 1_000
_CELLS: Final = frozenset({"td", "th"})


def clean(text: str) -> str:
    """Without NUL and other control characters, lone surrogates as U+FFFD, line ends as U+000A."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _FORBIDDEN.sub(lambda found: "\ufffd" if "\ud800" <= found[0] <= "\udfff" else "", text)


def is_markup(text: str) -> bool:
    """Whether a text that may be HTML has any."""
    return _MARKUP.search(text) is not None


def cut(text: str, limit: int) -> str:
    """The text's beginning of at most `limit` bytes in UTF-8."""
    if len(text) * 4 <= limit:
        return text
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= limit else encoded[:limit].decode("utf-8", "ignore")


def one_line(text: str) -> str:
    return _ANY_SPACES.sub(" ", text).strip()


def tidy(text: str) -> str:
    """Plain text with its own line breaks, runs of blanks and of empty lines shortened."""
    lines = "\n".join(_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return _PARAGRAPHS.sub("\n\n", lines).strip()


def plain(html: str) -> str:
    """HTML as text: entities as characters, each block element on lines of its own, scripts and styles left out."""
    if "<" not in html:
        return tidy(clean(unescape(html)))
    if _is_deep(html):
        return tidy(clean(unescape(_TAG.sub("\n", html))))
    body = LexborHTMLParser(html).body
    pieces = list(_pieces(body)) if body is not None else []
    return clean(_LINE_ENDS.sub("\n", _SPACES.sub(" ", "".join(pieces))).strip())


def _is_deep(html: str) -> bool:
    """Whether elements nest by thousands, closed or not: Lexbor's time grows with the square of the depth."""
    if len(html) < _SMALL:
        return False
    depth, opened = 0, Counter[str]()
    for found in _NAME.finditer(html.lower()):
        name = found[1]
        if not name.startswith("/") and name not in _ALONE:
            opened[name] += 1
            depth += 1
        elif opened[name[1:]]:
            opened[name[1:]] -= 1
            depth -= 1
        if depth > _DEEP:
            return True
    return False


def _pieces(root: LexborNode) -> Iterator[str]:
    """Texts and line breaks in the page's order; iterative, since pages nest as deep as they like."""
    end = root.mem_id  # comparing nodes would compare their HTML
    node: LexborNode | None = root
    while node is not None:
        tag = node.tag or ""
        yield _ANY_SPACES.sub(" ", node.text_content or "") if tag == "-text" else _break(tag)
        child = node.first_child if tag not in _SILENT else None
        while child is None and node is not None and node.mem_id != end:
            child, node = node.next, node.parent
            if child is None and node is not None:
                yield _break(node.tag or "")
        node = child


def _break(tag: str) -> str:
    return "\n" if tag in _BLOCKS else " " if tag in _CELLS else ""
