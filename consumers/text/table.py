"""The folding table, made from Python's Unicode data: one entry a code point. Only `fold` uses it.

    entry 0            nothing: the character disappears (bidi marks, zero-width characters, ZWNJ)
    entry 1            nothing, but part of the letter before it (tashkeel, accents, tatweel)
    entry 32           a space: everything that is no letter, digit or kept mark
    entry >= EXPANDED  several characters: `expansions[entry - EXPANDED]`
    any other          the code point it folds to

Characters are worked on all at once, as lines of one long text: the table must be ready within the service's start.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from consumers.text.compose import joins

GONE: Final = 0
ATTACHED: Final = 1
SPACE: Final = 32
EXPANDED: Final = 0x200000

_SIZE: Final = 0x110000
_UNCHANGED: Final = (
    (0x3400, 0x4DC0),
    (0x4E00, 0xA000),
    (0xAC00, 0xD7A4),
    (0x20000, 0x2A6E0),
    (0x2A700, 0x2EBE1),
    (0x30000, 0x323B0),
)
"""Han and Hangul: large, and every one of them stays as it is."""
_OTHERS: Final = ((0, 0x3400), (0xA000, 0xAC00), (0xD7B0, 0xD800), (0xF900, 0x20000), (0x2F800, 0x2FA20), (0xE0000, 0xE0200))
_MARKS: Final = (
    "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"  # accents
    "\u0483-\u0489\ua66f-\ua67d\u2de0-\u2dff"  # Cyrillic
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew points
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"  # tashkeel
    "\u0898-\u089f\u08ca-\u08e1\u08e3-\u08ff"  # more tashkeel
    "\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180d\u17b4\u17b5"  # variation selectors, Khmer inherent vowels
    "\u0640"  # tatweel
)
_STRIPPED: Final = re.compile(f"[{_MARKS}]")
_VISIBLE_FORMATS: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u08e2")
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0")
_APOSTROPHES: Final = frozenset(map(chr, range(0x2B9, 0x2C0)))
"""Letters to Unicode, but written where others write an apostrophe (Ukrainian, transliterated Arabic)."""
_OWN_LETTERS: Final = "йїўѓќ"
"""Cyrillic letters that are no accented variants of another."""
_HIDE: Final = {ord(letter): 0xE000 + index for index, letter in enumerate(_OWN_LETTERS)}
_SHOW: Final = {hidden: letter for letter, hidden in _HIDE.items()}
_SAME: Final = str.maketrans({
    **dict.fromkeys("أإآٱٲٳ", "ا"), **dict.fromkeys("ىیےېئ", "ي"), "ؤ": "و", **dict.fromkeys("کڪ", "ك"),
    **dict.fromkeys("ةہھەۀۂۃ", "ه"),
    "ø": "o", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i",
    "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ə": "e", "ŋ": "n", "ŀ": "l",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoldingTable:
    """`entries`: one a code point. `expansions`: what one character becomes when that is several, as code points.

    Search forms of characters below `settled_below` only are in NFC whatever stands beside what.
    """

    entries: NDArray[np.uint32]
    expansions: tuple[NDArray[np.uint32], ...]
    lengths: NDArray[np.int64]
    settled_below: int


@cache
def folding_table() -> FoldingTable:
    """The table of this process; made at the first call."""
    entries = np.full(_SIZE, SPACE, np.uint32)
    for start, stop in _UNCHANGED:
        entries[start:stop] = np.arange(start, stop)
    points = [
        point for point in chain.from_iterable(range(*span) for span in _OTHERS) if unicodedata.category(chr(point)) != "Cn"
    ]
    expansions: dict[str, int] = {}
    for point, folded in zip(points, _folded(points), strict=True):
        if len(folded) == 1:
            entries[point] = ord(folded)
        else:
            entries[point] = EXPANDED + expansions.setdefault(folded, len(expansions))
    arrays = tuple(np.array([*map(ord, text)], np.uint32) for text in expansions)
    outcomes = np.unique(np.concatenate([entries[entries < EXPANDED], *arrays]))
    settled_below = next(point for point in outcomes.tolist() if joins(chr(point)))
    return FoldingTable(entries, arrays, np.array([len(array) for array in arrays], np.int64), settled_below)


def _folded(points: Sequence[int]) -> Iterable[str]:
    """What each code point becomes; chr(0) and chr(1) stand for the two ways of becoming nothing."""
    characters = [*map(chr, points)]
    lines = "\n".join("" if character == "\n" else character for character in characters)
    cased = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", lines).casefold())
    bare = _STRIPPED.sub("", unicodedata.normalize("NFKD", cased.translate(_HIDE)))
    letters = unicodedata.normalize("NFC", bare).translate(_SHOW).translate(_SAME)
    return map(_settled, characters, letters.split("\n"))


def _settled(character: str, folded: str) -> str:
    if len(folded) == 1 and folded == character and folded.isalpha() and folded not in _APOSTROPHES and folded not in _FILLERS:
        return folded
    if not folded or character in _FILLERS:
        return chr(ATTACHED) if _STRIPPED.match(character) else chr(GONE if character in _FILLERS else SPACE)
    if unicodedata.category(character) == "Cf" and character not in _VISIBLE_FORMATS:
        return chr(GONE)
    if "\ufc5e" <= character <= "\ufe7f" and folded.isspace():
        return chr(ATTACHED)  # tashkeel as presentation forms: a space carries the mark
    return " ".join("".join(map(_word_part, folded)).split()) or " "


def _word_part(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    is_word = unicodedata.category(character)[0] in "LNM" and character not in _APOSTROPHES
    return character if is_word else " "
