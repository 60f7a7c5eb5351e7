"""A feed's HTML as lines: what its block elements, lists and links say of the text. Not for whole pages."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from consumers.zones.lines import Line, clean, is_marked, plain_lines
from consumers.zones.reasons import BlockReason

# fmt: off
_BLOCKS: Final = frozenset((
    "address", "article", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li",
    "main", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "ul",
))
# fmt: on
_BESIDE: Final = {
    "nav": BlockReason.MARKUP,
    "aside": BlockReason.MARKUP,
    "footer": BlockReason.MARKUP,
    "form": BlockReason.MARKUP,
    "button": BlockReason.MARKUP,
    "video": BlockReason.PLAYER,
    "audio": BlockReason.PLAYER,
    "object": BlockReason.PLAYER,
    "iframe": BlockReason.PLAYER,
}
_SILENT: Final = frozenset(("script", "style", "template", "noscript", "head", "select", "svg", "math"))
_TIGHT: Final = frozenset(("li", "tr", "dt", "dd"))
_BREAKS: Final = re.compile(rf"<(?:br|{'|'.join(sorted(_BLOCKS | _BESIDE.keys()))})\b", re.IGNORECASE)
_LINKED: Final = 0.8
_DEEPEST: Final = 5000
"""Elements left open, about; beyond it, the parser's time grows with the square of the depth."""
_TAG: Final = re.compile(r"<[^<>]*>?")
_OFTEN_OPEN: Final = ("</", "</", "<br", "<img", "<p", "<li", "<!")


def html_lines(html: str) -> Iterator[Line]:
    """Lines of a piece of HTML. Where no element breaks lines, its line breaks do, as in text: aggregators send such."""
    if html.count("<") - sum(map(html.count, _OFTEN_OPEN)) > _DEEPEST:
        yield from plain_lines(unescape(_TAG.sub("\n", html)))
        return
    body = LexborHTMLParser(clean(html)).body
    if body is None:
        return
    if _BREAKS.search(html):
        yield from _Reader().read(body)
    else:
        yield from plain_lines("".join(node.text_content or "" for node, tag, _ in _walk(body) if tag == "-text"))


def _walk(body: LexborNode) -> Iterator[tuple[LexborNode, str, bool]]:
    """Each node and its tag in the page's order, elements twice: the second time on leaving. No recursion: depth is theirs."""
    stack: list[tuple[LexborNode, bool]] = [(body, False)]
    while stack:
        node, leaving = stack.pop()
        tag = node.tag or ""
        if tag == "-text":
            yield node, tag, False
        elif tag not in _SILENT and not tag.startswith(("-", "!")):
            yield node, tag, leaving
            if not leaving:
                stack.append((node, True))
                stack.extend((child, False) for child in _children(node))


class _Reader:
    """Gathers each line with its looks."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._in_links = 0
        self._gap = False
        self._links = self._entries = 0
        self._beside: list[BlockReason] = []
        self._lines: list[Line] = []

    def read(self, body: LexborNode) -> list[Line]:
        for node, tag, leaving in _walk(body):
            if tag == "-text":
                self._text(node.text_content or "")
                continue
            if tag == "br" or tag in _BLOCKS or tag in _BESIDE:
                self._break()
                self._gap = self._gap or (tag != "br" and tag not in _TIGHT)
            self._count(tag, -1 if leaving else 1)
        self._break()
        return self._lines

    def _text(self, text: str) -> None:
        self._parts.append(text)
        if self._links:
            self._in_links += len("".join(text.split()))

    def _count(self, tag: str, step: int) -> None:
        if tag == "a":
            self._links += step
        elif tag == "li":
            self._entries += step
        elif tag in _BESIDE and step > 0:
            self._beside.append(_BESIDE[tag])
        elif tag in _BESIDE:
            self._beside.pop()

    def _break(self) -> None:
        if not self._parts:
            return
        text = " ".join("".join(self._parts).split())
        if text:
            line = Line(
                text,
                gap=self._gap,
                marked=self._entries > 0 or is_marked(text),
                linked=self._in_links > 0 and self._in_links >= _LINKED * (len(text) - text.count(" ")),
                beside=self._beside[-1] if self._beside else None,
            )
            self._lines.append(line)
            self._gap = False
        self._parts.clear()
        self._in_links = 0


def _children(node: LexborNode) -> Iterator[LexborNode]:
    """Last first, as a stack wants them."""
    child = node.last_child
    while child is not None:
        yield child
        child = child.prev
