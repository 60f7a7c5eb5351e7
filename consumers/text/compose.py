"""Decomposed text (a letter, then its accent) composed, with the way back to its characters. Only `fold` uses it."""

import unicodedata

import numpy as np
from numpy.typing import NDArray


def composed(text: str) -> tuple[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The text in NFC, and for each of its characters the first and last of `text` it is made of: a cluster shares its own."""
    parts: list[str] = []
    firsts: list[int] = []
    lasts: list[int] = []
    at = 0
    while at < len(text):
        stop = at + 1
        while stop < len(text) and joins(text[stop]):
            stop += 1
        part = text[at:stop]
        whole = part if stop == at + 1 and part.isascii() else unicodedata.normalize("NFC", part)
        same = whole == part
        parts.append(whole)
        firsts.extend(range(at, stop) if same else [at] * len(whole))
        lasts.extend(range(at, stop) if same else [stop - 1] * len(whole))
        at = stop
    return "".join(parts), (np.array(firsts, np.int64), np.array(lasts, np.int64))


def joins(character: str) -> bool:
    """Whether a character may compose with, or be reordered behind, the one before it."""
    if character < "\u0300":
        return False
    return (
        unicodedata.combining(character) != 0
        or unicodedata.category(character)[0] == "M"
        or "\u1160" <= character <= "\u11ff"  # Hangul vowels and finals
        or "\U00016d63" <= character <= "\U00016d6a"  # Kirat Rai vowels (Unicode 16)
    )
