"""An article's text as lines with their looks: the one form in which plain text and HTML are divided into zones."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from consumers.zones.reasons import BlockReason

_BULLET: Final = re.compile(r"(?:[•·▪◦‣●○■□►▶▸*»›✔➤–—-]|\d{1,2}[.)])\s")
_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
_QUOTES: Final = "\"'”“»«’)]"
_ENDS: Final = tuple(".!?؟۔。！？।…")
_WITHIN: Final = (". ", "! ", "? ", "؟ ", "۔", "。", "।", '."', ".”")
_CLOSED: Final = tuple(".。۔।،,;؛:：")
_PROSE: Final = 60
_LONG: Final = 180
_HEADLINE: Final = range(12, 130)
_RIGHTS: Final = re.compile(r"(?:copyright\s+)?(?:©|\(c\)\s*(?=19|20))", re.IGNORECASE)
_RIGHTS_EXTENT: Final = 200
_HASH: Final = ("#", "＃")
_MOST: Final = 20_000
"""Lines of a text that count, so that its blocks can travel too."""
_UNSPACED_WORD: Final = 12
_DENSER: Final = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line, without white space around it; never empty.

    `gap`: a blank line or a paragraph's edge stands before it. `marked`: a list's entry. `linked`: it is all link.
    `beside`: the markup already says that it is not the article's text, and why.
    """

    text: str
    gap: bool = False
    marked: bool = False
    linked: bool = False
    beside: BlockReason | None = None

    @property
    def is_prose(self) -> bool:
        """Long enough to tell something, and made of sentences."""
        extent = _extent(self.text)
        return extent >= _LONG or (extent >= _PROSE and _has_sentences(self.text))

    @property
    def is_headline(self) -> bool:
        """Short, of several words, not closed as sentences are."""
        return (
            _extent(self.text) in _HEADLINE and not _is_closed(self.text) and (self.text.count(" ") > 2 or _is_dense(self.text))
        )

    @property
    def is_label(self) -> bool:
        """Of a few words, as a tag or a source is named."""
        return _extent(self.text) <= _PROSE and not _is_closed(self.text)

    @property
    def is_sentence(self) -> bool:
        """Closed as sentences are, and no list's entry."""
        return not self.marked and self.text.rstrip(_QUOTES).endswith(_ENDS)

    @property
    def is_rights(self) -> bool:
        """A short line that opens with the copyright sign."""
        return len(self.text) <= _RIGHTS_EXTENT and _RIGHTS.match(self.text) is not None

    @property
    def is_hashtags(self) -> bool:
        """Two hashtags or more, and nothing else."""
        if not self.text.startswith(_HASH):
            return False
        words = self.text.split()
        return len(words) > 1 and all(word.startswith(_HASH) for word in words)


def clean(text: str) -> str:
    """Without control characters and lone surrogates, which no later hop could carry or show."""
    return _CONTROL.sub("", text)


def is_marked(text: str) -> bool:
    """Whether a line begins with a bullet or a number, as a list's entries do."""
    return _BULLET.match(text) is not None


def plain_lines(text: str) -> Iterator[Line]:
    """Lines of plain text; bullets stay in the text."""
    gap = False
    for raw in clean(text).splitlines():
        line = raw.strip()
        if line:
            yield Line(line, gap=gap, marked=is_marked(line))
        gap = not line


def within(lines: Iterable[Line], limit: int) -> tuple[list[Line], int, bool]:
    """As many lines as `limit` bytes of UTF-8 hold, the last one cut where need be; the bytes left; whether any was cut."""
    kept: list[Line] = []
    for line in lines:
        if len(kept) == _MOST:
            return kept, limit, True
        size = len(line.text) if line.text.isascii() else len(line.text.encode())
        if size > limit:
            beginning = line.text.encode()[:limit].decode(errors="ignore").rstrip()
            if beginning:
                kept.append(replace(line, text=beginning))
            return kept, 0, True
        kept.append(line)
        limit -= size
    return kept, limit, False


def _has_sentences(text: str) -> bool:
    return text.rstrip(_QUOTES).endswith(_ENDS) or any(mark in text for mark in _WITHIN)


def _is_closed(text: str) -> bool:
    return text.rstrip(_QUOTES).endswith(_CLOSED)


def _is_dense(text: str) -> bool:
    """Written without spaces, or as good as: a character says as much as several letters elsewhere."""
    return text.count(" ") * _UNSPACED_WORD < len(text)


def _extent(text: str) -> int:
    return len(text) * _DENSER if _is_dense(text) else len(text)
