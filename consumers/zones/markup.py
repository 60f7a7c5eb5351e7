"""A feed's HTML as lines: what its block elements, lists and links say of the text. Not for whole pages."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
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
_HIDES: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_MAY_HIDE: Final = re.compile(rf"{_HIDES.pattern}|\shidden[\s=>/]", re.IGNORECASE)
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
    steps = _walk(body, hides=_MAY_HIDE.search(html) is not None)
    if _BREAKS.search(html):
        yield from _Reader().read(steps)
        return
    texts = [step for step in steps if step.tag == "-text"]
    yield from plain_lines("".join(step.node.text_content or "" for step in texts if not step.hidden))
    for line in plain_lines("".join(step.node.text_content or "" for step in texts if step.hidden)):
        yield replace(line, beside=BlockReason.MARKUP)


@dataclass(frozen=True, slots=True)
class _Step:
    """A node met on the way through a page. `hidden`: it, or one around it, is not to be seen."""

    node: LexborNode
    tag: str
    leaving: bool
    hidden: bool


def _walk(body: LexborNode, *, hides: bool) -> Iterator[_Step]:
    """Each node in the page's order, elements twice: the second time on leaving. No recursion: depth is theirs.

    Attributes, which are dear, are read only of a page that `hides` something.
    """
    stack: list[tuple[LexborNode, bool, bool]] = [(body, False, False)]
    while stack:
        node, leaving, hidden = stack.pop()
        tag = node.tag or ""
        if tag == "-text":
            yield _Step(node, tag, leaving=False, hidden=hidden)
        elif tag not in _SILENT and not tag.startswith(("-", "!")):
            hidden = hidden or (hides and _is_hidden(node))
            yield _Step(node, tag, leaving, hidden)
            if not leaving:
                stack.append((node, True, hidden))
                stack.extend((child, False, hidden) for child in _children(node))


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    return "hidden" in attributes or _HIDES.search(attributes.get("style") or "") is not None


class _Reader:
    """Gathers each line with its looks."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._hidden: list[str] = []
        self._in_links = 0
        self._gap = False
        self._links = self._entries = 0
        self._beside: list[BlockReason] = []
        self._lines: list[Line] = []

    def read(self, steps: Iterable[_Step]) -> list[Line]:
        for step in steps:
            tag = step.tag
            if tag == "-text":
                self._text(step)
                continue
            if tag == "br" or tag in _BLOCKS or tag in _BESIDE:
                self._break()
                self._gap = self._gap or (tag != "br" and tag not in _TIGHT)
            self._count(tag, -1 if step.leaving else 1)
        self._break()
        return self._lines

    def _text(self, step: _Step) -> None:
        text = step.node.text_content or ""
        if step.hidden:
            self._hidden.append(text)
            return
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
        """The end of a line. What is hidden within it must not part it, and stands behind it."""
        if self._parts:
            self._end_line()
        if self._hidden:
            text = " ".join("".join(self._hidden).split())
            self._hidden.clear()
            if text:
                self._lines.append(Line(text, gap=True, beside=BlockReason.MARKUP))

    def _end_line(self) -> None:
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
