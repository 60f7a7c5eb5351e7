"""Quotes: a sentence of evidence in pieces, its hits grown to whole words. Pure; which sentences is `alerts.evidence`'s."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from alerts.safe import clean
from daemon.messages.alert import Evidence

MAX_QUOTE: Final = 400
_LONGEST_WORD: Final = 80
_SENTENCE_ENDS: Final = (*'.!?…؟۔।。！？”»"',)
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD_END: Final = re.compile(
    rf"(?:(?![{_UNSPACED}_])[\w\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u200c\u200d])*"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a quote; `hit` runs are whole words."""

    text: str
    hit: bool = False


def cut_quote(evidence: Evidence) -> tuple[Piece, ...]:
    """The sentence between ellipses, cut around its first hit when it is long; nothing when there is no text in it."""
    text = evidence.text
    marks = _widened(text, evidence.marks)
    start, end = _window(text, marks)
    pieces: list[Piece] = []
    position = start
    for first, last in marks:
        if first >= end:
            break
        pieces += [Piece(clean(text[position:first])), Piece(clean(text[first : min(last, end)]), hit=True)]
        position = min(last, end)
    pieces.append(Piece(clean(text[position:end])))
    return _led_in(pieces)


def _led_in(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """An ellipsis before, since a quote is always taken out of something, and after unless a sentence ends there."""
    said = "".join(piece.text for piece in pieces).rstrip()
    if not said.strip():
        return ()
    first = next(index for index, piece in enumerate(pieces) if piece.text.strip())
    led = [replace(pieces[first], text=pieces[first].text.lstrip()), *pieces[first + 1 :]]
    tail = Piece("" if said.endswith(_SENTENCE_ENDS) else "…")
    return (Piece("…"), *(piece for piece in [*led, tail] if piece.text))


def _widened(text: str, marks: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The marks that lie in the text, each grown to whole words, in order, overlapping ones united."""
    widened: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if not 0 <= start < end <= len(text):
            continue
        first, last = _word(text, start, end)
        if widened and first <= widened[-1][1]:
            widened[-1] = (widened[-1][0], max(last, widened[-1][1]))
        else:
            widened.append((first, last))
    return widened


def _word(text: str, start: int, end: int) -> tuple[int, int]:
    """`start` and `end` moved out to where the word ends; scripts written without spaces stay as they are."""
    before = _WORD_END.match(text[max(0, start - _LONGEST_WORD) : start][::-1])
    after = _WORD_END.match(text, end, end + _LONGEST_WORD)
    grown = start - (before.end() if before and _joins(text[start]) else 0)
    return grown, after.end() if after and _joins(text[end - 1]) else end


def _joins(char: str) -> bool:
    return bool(_WORD_END.fullmatch(char))


def _window(text: str, marks: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Where to cut a sentence longer than `MAX_QUOTE`: around its first hit, between words where there are any near."""
    if len(text) <= MAX_QUOTE:
        return 0, len(text)
    hit = marks[0][0] if marks else 0
    start = max(0, min(hit - MAX_QUOTE // 3, len(text) - MAX_QUOTE))
    end = start + MAX_QUOTE
    space = text.find(" ", start, min(start + 40, hit)) if start else -1
    last = text.rfind(" ", end - 40, end) if end < len(text) else -1
    return (space + 1 if space >= 0 else start), (last if last >= 0 else end)
