"""Decomposed text (a letter, then its accent) composed, with the way back to its characters. Only `fold` uses it."""

import unicodedata

import numpy as np
from numpy.typing import NDArray


def composed(text: str) -> tuple[str, NDArray[np.int64], NDArray[np.int64]]:
    """The text in NFC, and where in `text` each of its characters begins and ends: those of a cluster share the cluster's."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        stop = at + 1
        while stop < len(text) and _joins(text[stop]):
            stop += 1
        part = text[at:stop]
        composed = part if stop == at + 1 and part.isascii() else unicodedata.normalize("NFC", part)
        same = composed == part
        parts.append(composed)
        starts.extend(range(at, stop) if same else [at] * len(composed))
        ends.extend(range(at + 1, stop + 1) if same else [stop] * len(composed))
        at = stop
    return "".join(parts), np.array(starts, np.int64), np.array(ends, np.int64)


def _joins(character: str) -> bool:
    """Whether a character may compose with, or be reordered behind, the one before it."""
    if character < "\u0300":
        return False
    return (
        unicodedata.combining(character) != 0
        or unicodedata.category(character)[0] == "M"
        or "\u1160" <= character <= "\u11ff"  # Hangul vowels and finals
        or "\U00016d63" <= character <= "\U00016d6a"  # Kirat Rai vowels (Unicode 16)
    )
