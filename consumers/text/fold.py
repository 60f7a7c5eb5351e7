"""The only folding in Rasid: texts and names are brought to one search form, with the way back to the original's offsets.

    text ─ compose (NFC) ─▶ table look-up ─▶ expand, delete, one space a run ─▶ space between scripts ─▶ Folded

What folds to what: matching.md, “Folding”, and `table`. Nothing here knows names, words or languages.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from consumers.text.compose import composed
from consumers.text.table import ATTACHED, EXPANDED, SPACE, FoldingTable, folding_table

_Points: TypeAlias = NDArray[np.uint32]
_Map: TypeAlias = NDArray[np.int64]

_UNSPACED_FROM: Final = 0xE00
_FIRST_MARK: Final = "\u0300"
_PASSES: Final = 4
"""Folding can leave letters side by side that compose (halfwidth kana, deleted ZWNJ); twice was always enough in tests."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in search form. `text` may begin and end with one space; offsets are code points."""

    text: str
    original: str
    _starts: _Map | None = None
    _ends: _Map | None = None

    def start(self, index: int) -> int:
        """Where in the original the folded character at `index` begins."""
        if index >= len(self.text):
            return len(self.original)
        return index if self._starts is None else int(self._starts[index])

    def end(self, index: int) -> int:
        """Where in the original the folded text before `index` ends: just past its last character and that one's marks."""
        if index <= 0:
            return 0
        if self._ends is None:
            return index
        stop = int(self._ends[index - 1])
        while stop < len(self.original) and self.original[stop] >= _FIRST_MARK and _is_attached(self.original[stop]):
            stop += 1
        return stop


def fold(text: str) -> Folded:
    """The search form of `text`. Any string is allowed, lone surrogates included (they are spaces)."""
    table = folding_table()
    current, starts, ends = text, None, None
    for _ in range(_PASSES):
        if not unicodedata.is_normalized("NFC", current):
            current, begins, stops = composed(current)
            starts, ends = _through(begins, starts), _through(stops - 1, ends, 1)
        current, kept = _looked_up(current, table)
        if kept is not None:
            starts, ends = _through(kept, starts), _through(kept, ends, 1)
        if unicodedata.is_normalized("NFC", current):
            break
    return Folded(current, text, starts, ends)


def fold_key(text: str) -> str:
    """The search form of a name: without spaces around it; empty when nothing of it is a letter or digit."""
    return fold(text).text.strip()


def is_unspaced(points: _Points) -> NDArray[np.bool_]:
    """Which code points belong to scripts written without spaces: Han, kana, Thai, Lao, Burmese, Khmer."""
    thai_lao = (points >= 0xE00) & (points < 0xF00)
    burmese_khmer = ((points >= 0x1000) & (points < 0x10A0)) | ((points >= 0x1780) & (points < 0x1800))
    kana_han = (
        ((points >= 0x3005) & (points < 0x3008))
        | ((points >= 0x3040) & (points < 0x3100))
        | ((points >= 0x31F0) & (points < 0x3200))
    )
    return (
        thai_lao
        | burmese_khmer
        | kana_han
        | ((points >= 0x3400) & (points < 0xA000))
        | ((points >= 0x20000) & (points < 0x40000))
    )


def _is_attached(character: str) -> bool:
    return bool(folding_table().entries[ord(character)] == ATTACHED)


def points_of(text: str) -> _Points:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _text_of(points: _Points) -> str:
    return points.tobytes().decode("utf-32-le")


def _through(step: _Map, before: _Map | None, past: int = 0) -> _Map:
    """Offsets of this step's text seen through the step before; `past` is 1 where they are ends, exclusive."""
    return step + past if before is None else before.take(step)


def _looked_up(text: str, table: FoldingTable) -> tuple[str, _Map | None]:
    """One pass of the table over composed text, and where each character left stood; None when all stand where they stood."""
    points = table.entries.take(points_of(text))
    if not len(points):
        return "", None
    kept: _Map | None = None
    if int(points.max()) >= EXPANDED:
        points, kept = _expanded(points, table)
    points, kept = _collapsed(points, kept)
    if len(points) and int(points.max()) >= _UNSPACED_FROM:
        points, kept = _spaced(points, kept)
    return _text_of(points), kept


def _expanded(points: _Points, table: FoldingTable) -> tuple[_Points, _Map]:
    large = points >= EXPANDED
    lengths = np.ones(len(points), np.int64)
    lengths[large] = table.lengths[points[large] - EXPANDED]
    kept = np.repeat(np.arange(len(points)), lengths)
    firsts = np.cumsum(lengths) - lengths
    expanded = points[kept]
    for index in np.flatnonzero(large):
        expansion = table.expansions[points[index] - EXPANDED]
        expanded[firsts[index] : firsts[index] + len(expansion)] = expansion
    return expanded, kept


def _collapsed(points: _Points, kept: _Map | None) -> tuple[_Points, _Map | None]:
    """Without what is nothing, and with one space for each run of spaces."""
    stays = points > ATTACHED
    if not stays.all():
        points, kept = _taken(points, kept, np.flatnonzero(stays))
    spaces = points == SPACE
    again = np.flatnonzero(spaces[1:] & spaces[:-1])
    if len(again):
        stays = np.ones(len(points), np.bool_)
        stays[again + 1] = False
        points, kept = _taken(points, kept, np.flatnonzero(stays))
    return points, kept


def _taken(points: _Points, kept: _Map | None, indices: _Map) -> tuple[_Points, _Map]:
    return points.take(indices), indices if kept is None else kept.take(indices)


def _spaced(points: _Points, kept: _Map | None) -> tuple[_Points, _Map | None]:
    """With a space where an unspaced script meets a spaced one."""
    unspaced, word = is_unspaced(points), points != SPACE
    seams = np.flatnonzero((unspaced[1:] != unspaced[:-1]) & word[1:] & word[:-1]) + 1
    if not len(seams):
        return points, kept
    before = np.arange(len(points)) if kept is None else kept
    return np.insert(points, seams, np.uint32(SPACE)), np.insert(before, seams, before[seams])
