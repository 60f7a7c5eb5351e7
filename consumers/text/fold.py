"""The only folding in Rasid: texts and names are brought to one search form, with the way back to the original's offsets.

    text ─ compose (NFC) ─▶ table look-up ─▶ expand, delete, one space a run ─▶ space between scripts ─▶ Folded

What folds to what: matching.md, “Folding”, and `table`. Nothing here knows names, words or languages.
All of it works on arrays of code points; text and offsets are made of them when somebody asks, which few texts see.
"""

import unicodedata
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from consumers.text.compose import composed
from consumers.text.table import ATTACHED, EXPANDED, SPACE, FoldingTable, folding_table

_Points: TypeAlias = NDArray[np.uint32]
_Map: TypeAlias = NDArray[np.int64]
_Step: TypeAlias = tuple[NDArray[Any], NDArray[Any]]
"""For each character after a step the first and the last one it was before; or twice a mask of those that stayed."""

_UNSPACED_FROM: Final = 0xE00
_JOINT: Final = "ҁ"
"""A letter no news is written with (archaic koppa). Folding keeps it, so it can part texts that are folded in one go."""
_PASSES: Final = 4
"""Folding can leave letters side by side that compose (halfwidth kana, deleted ZWNJ); twice was always enough in tests."""


class Folded:
    """A text in search form: `points` and `text`, which may begin and end with one space. Offsets are code points."""

    def __init__(self, points: _Points, original: str, steps: Sequence[_Step]) -> None:
        self.points = points
        self.original = original
        self._steps = steps

    @cached_property
    def text(self) -> str:
        return _text_of(self.points)

    def start(self, index: int) -> int:
        """Where in the original the folded character at `index` begins."""
        if index >= len(self.points):
            return len(self.original)
        return int(self._way[0][index]) if self._steps else index

    def end(self, index: int) -> int:
        """Where in the original the folded text before `index` ends: just past its last character and that one's marks."""
        if index <= 0 or not self._steps:
            return max(index, 0)
        end = int(self._way[1][index - 1]) + 1
        while folding_table().entries[self._points_and_end[end]] == ATTACHED:
            end += 1
        return end

    def starts(self, indices: _Map) -> _Map:
        """`start` of many characters, all within the text."""
        return self._way[0].take(indices) if self._steps else indices

    def ends(self, indices: _Map) -> _Map:
        """`end` of many, none of them 0."""
        if not self._steps:
            return indices
        ends = self._way[1].take(indices - 1) + 1
        marked = folding_table().entries.take(self._points_and_end.take(ends)) == ATTACHED
        if marked.any():
            ends[marked] = [self.end(index) for index in indices[marked].tolist()]
        return ends

    @cached_property
    def _way(self) -> _Step:
        """For each folded character the first and the last of the original's that it stands for."""
        firsts, lasts = map(_indices, self._steps[0])
        for step in self._steps[1:]:
            firsts, lasts = firsts.take(_indices(step[0])), lasts.take(_indices(step[1]))
        return firsts, lasts

    @cached_property
    def _points_and_end(self) -> _Points:
        """The original's code points, and one behind them that belongs to no letter."""
        return points_of(self.original + " ")


def fold(text: str) -> Folded:
    """The search form of `text`. Any string is allowed, lone surrogates included (they are spaces)."""
    table = folding_table()
    steps: list[_Step] = []
    current, points = text, None
    for _ in range(_PASSES):
        if not unicodedata.is_normalized("NFC", current):
            current, step = composed(current)
            steps.append(step)
        elif points is not None:
            break
        points = _looked_up(points_of(current), table, steps)
        if not len(points) or points.max() < table.settled_below:
            break
        current = _text_of(points)
    return Folded(points_of("") if points is None else points, text, steps)


def fold_key(text: str) -> str:
    """The search form of a name: without spaces around it; empty when nothing of it is a letter or digit."""
    return fold(text).text.strip()


def fold_keys(texts: Sequence[str]) -> list[str]:
    """The search forms of many short texts at the price of one long one."""
    joined = fold(_JOINT.join(texts)).text.split(_JOINT)
    if len(joined) != len(texts) or any(_JOINT in text for text in texts):
        return [fold_key(text) for text in texts]
    return [key.strip() for key in joined]


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


def points_of(text: str) -> _Points:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _text_of(points: _Points) -> str:
    return points.tobytes().decode("utf-32-le")


def _indices(step: NDArray[Any]) -> _Map:
    return np.flatnonzero(step) if step.dtype == np.bool_ else step


def _looked_up(points: _Points, table: FoldingTable, steps: list[_Step]) -> _Points:
    """One pass of the table over composed text; adds to `steps` what moved characters."""
    points = table.entries.take(points)
    if not len(points):
        return points
    if points.max() >= EXPANDED:
        points = _expanded(points, table, steps)
    if points.min() <= ATTACHED:
        points = _kept(points, points > ATTACHED, steps)
    word = points > SPACE
    stays = word.copy()
    stays[1:] |= word[:-1]
    stays[:1] = True
    if not stays.all():
        points = _kept(points, stays, steps)
    return _spaced(points, steps) if len(points) and points.max() >= _UNSPACED_FROM else points


def _expanded(points: _Points, table: FoldingTable, steps: list[_Step]) -> _Points:
    large = points >= EXPANDED
    lengths = np.ones(len(points), np.int64)
    lengths[large] = table.lengths[points[large] - EXPANDED]
    before = np.repeat(np.arange(len(points)), lengths)
    firsts = np.cumsum(lengths) - lengths
    expanded = points[before]
    for index in np.flatnonzero(large):
        expansion = table.expansions[points[index] - EXPANDED]
        expanded[firsts[index] : firsts[index] + len(expansion)] = expansion
    steps.append((before, before))
    return expanded


def _kept(points: _Points, stays: NDArray[np.bool_], steps: list[_Step]) -> _Points:
    steps.append((stays, stays))
    return points[stays]


def _spaced(points: _Points, steps: list[_Step]) -> _Points:
    """With a space where an unspaced script meets a spaced one."""
    unspaced, word = is_unspaced(points), points != SPACE
    seams = np.flatnonzero((unspaced[1:] != unspaced[:-1]) & word[1:] & word[:-1]) + 1
    if not len(seams):
        return points
    before = np.insert(np.arange(len(points)), seams, seams)
    steps.append((before, before))
    return np.insert(points, seams, np.uint32(SPACE))
