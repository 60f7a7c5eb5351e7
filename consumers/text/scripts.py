"""Where words begin and end, by script: which letters may stand before a folded name inside its word, and what may follow.

    spaced scripts       the name between spaces
    Arabic, Hebrew       letters of the name's word before it must be a known clitic (matching.md, “Boundaries by script”)
    Han, kana, Thai …    no boundary, but katakana must not go on and a letter keeps its marks

Works on the search form of `fold` only; knows no actors and no rules.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from consumers.text.fold import is_unspaced, points_of


class Clitics(Enum):
    """What may be written together with a term, before it."""

    NONE = "none"
    NAME = "name"
    """An actor's name: conjunctions and prepositions."""
    WORD = "word"
    """A query's term: those, and the Arabic article with its fusions."""


_CONJUNCTIONS: Final = ("", "و", "ف")
_ARABIC_NAME: Final = frozenset(a + b for a in _CONJUNCTIONS for b in ("", "ب", "ك", "ل"))
_WITH_ARTICLE: Final = frozenset(a + b for a in _CONJUNCTIONS for b in ("ال", "بال", "كال", "لل"))
_HEBREW: Final = frozenset(
    a + b
    for a in ("", "ו")
    for b in ("", "ה", "ב", "ל", "מ", "ש", "כ", "של", "שב", "שה", "שמ", "שכ", "מה", "כש", "כשה", "בה", "לה")
)
_ALLOWED: Final = {
    Clitics.NONE: frozenset({""}),
    Clitics.NAME: _ARABIC_NAME,
    Clitics.WORD: _ARABIC_NAME | _WITH_ARTICLE,
}
_SHORT: Final = {
    Clitics.NONE: frozenset({""}),
    Clitics.NAME: frozenset({"", "و"}),
    Clitics.WORD: frozenset({"", "و"}) | _WITH_ARTICLE,
}
_LONG_ENOUGH: Final = 4
_LONGEST_CLITIC: Final = 5


@dataclass(frozen=True, slots=True)
class Shape:
    """How a term stands in a pattern, which is folded text padded with spaces: `pattern[start:len(pattern) - after]` is it.

    `fused` are its letters before `start` that belong to the word; `clitics`, when not None, are the strings one of which
    must stand between the word's beginning and the pattern. `runs_on`: the term's word may go on after it.
    `ending`: None where the term stands as it is written, else what its last word has for its own ending.
    """

    start: int = 1
    after: int = 1
    fused: str = ""
    clitics: frozenset[str] | None = None
    runs_on: bool = False
    ending: str | None = None


WHOLE_WORD: Final = Shape()
"""Between spaces, as it is."""
OPEN_WORD: Final = Shape(start=0, clitics=_ALLOWED[Clitics.NAME])
"""An Arabic name: as it is before a space, and perhaps with clitics."""


def forms(key: str, clitics: Clitics, *, runs_on: bool = False) -> Iterator[tuple[str, Shape]]:
    """All patterns of the folded, stripped, non-empty `key`."""
    open_end = runs_on or unspaced(key[-1])
    tail, after = ("", 0) if open_end else (" ", 1)
    short = len(key.replace(" ", "")) < _LONG_ENOUGH
    if unspaced(key[0]):
        yield key + tail, Shape(0, after, runs_on=runs_on)
    elif is_arabic(key[0]) and short:
        for clitic in sorted(_SHORT[clitics]):
            yield f" {clitic}{key}{tail}", Shape(1 + len(clitic), after, clitic, runs_on=runs_on)
    elif is_arabic(key[0]) and clitics is not Clitics.NONE:
        named = clitics is Clitics.NAME and not open_end
        yield key + tail, OPEN_WORD if named else Shape(0, after, "", _ALLOWED[clitics], runs_on)
        yield from _fusions(key, tail, after, runs_on=runs_on)
    elif _is_hebrew(key[0]) and not short and clitics is not Clitics.NONE:
        yield key + tail, Shape(0, after, "", _HEBREW, runs_on)
    else:
        yield f" {key}{tail}", Shape(1, after, runs_on=runs_on) if open_end else WHOLE_WORD


def _fusions(key: str, tail: str, after: int, *, runs_on: bool) -> Iterator[tuple[str, Shape]]:
    """لل for ل + ال: the alef goes, and of three lams one. What is left of the name begins at its lam."""
    if key.startswith("ال") and len(key) > _LONG_ENOUGH:
        rest = key[3:] if key.startswith("الل") else key[2:]
        yield f"لل{rest}{tail}", Shape(1, after, "ل", frozenset(_CONJUNCTIONS), runs_on)


def fits(shape: Shape, text: str, begin: int, end: int) -> tuple[str, int] | None:
    """Whether a pattern of this shape, found at `text[begin:end]`, stands as a word of its own.

    Returns the clitic before the term and where the term ends (later than the pattern when its word goes on), or None.
    `text` has a space before and after it.
    """
    clitic = shape.fused
    if shape.clitics is not None:
        if text[begin - 1] != " ":
            low = max(begin - _LONGEST_CLITIC - 1, 0)
            before = text[text.rfind(" ", low, begin) + 1 : begin]
            if before not in shape.clitics:
                return None
            clitic = before + clitic
    elif shape.start == 0 and _goes_on(text[begin - 1], text[begin]):
        return None
    stop = end - shape.after
    if shape.after:
        return clitic, stop
    if shape.runs_on and not unspaced(text[stop - 1]):
        return clitic, text.index(" ", stop)
    return None if _goes_on(text[stop - 1], text[stop]) else (clitic, stop)


def _goes_on(left: str, right: str) -> bool:
    """Whether two neighbouring characters of an unspaced script belong to one word or one syllable for certain."""
    return unicodedata.category(right)[0] == "M" or (_is_katakana(left) and _is_katakana(right))


def unspaced(character: str) -> bool:
    return character >= "\u0e00" and bool(is_unspaced(points_of(character))[0])


def is_arabic(character: str) -> bool:
    return "\u0600" <= character < "\u0780" or "\u0870" <= character < "\u0900"


def _is_hebrew(character: str) -> bool:
    return "\u0590" <= character < "\u0600"


def _is_katakana(character: str) -> bool:
    return ("\u30a1" <= character <= "\u30fe" and character != "\u30fb") or "\u31f0" <= character <= "\u31ff"
