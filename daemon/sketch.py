"""Sketches of texts, for finding near-duplicates: 64 slots that two copies of a story mostly share.

    folded text ─▶ shingles (4 words, or 6 characters of unspaced scripts) ─▶ 64-bit hashes ─▶ 64 slots ─▶ base64

One-permutation MinHash: each hash falls into the slot its top bits name, and a slot keeps its smallest. The share of
equal slots estimates the share of shingles two texts have in common (Li, Owen, Zhang 2012; empty slots borrow from the
next full one, Shrivastava and Li 2014). A sketch is stored, so what it is for a given text must never change.
It must not fold: callers pass text as `consumers.text.fold` gives it, words parted by one space.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from daemon.errors import DecodeError

Hashes: TypeAlias = NDArray[np.uint64]
Points: TypeAlias = NDArray[np.uint32]

SLOTS: Final = 64
BANDS: Final = 32
LONGEST: Final = 1 << 16
"""Code points that count; a longer text is sketched by its beginning."""
ALIKE: Final = 0.3
"""Share of equal slots from which two texts are copies of one story (matching.md)."""

_WORDS: Final = 4
_CHARACTERS: Final = 6
_SPACE: Final = 32
_EMPTY: Final = np.uint32(0xFFFFFFFF)
_BORROWED: Final = np.uint32(0x9E3779B9)
_BASE: Final = 0xD6E8FEB86659FD93
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = np.uint64(0xBF58476D1CE4E5B9)


def _powers(base: int) -> Hashes:
    powers = np.full(LONGEST + 1, base, np.uint64)
    powers[0] = 1
    return np.multiply.accumulate(powers)


_POWERS: Final = _powers(_BASE)
_INVERSES: Final = _powers(pow(_BASE, -1, 1 << 64))


def sketch(folded: str) -> str:
    """The sketch of a folded text: 64 little-endian uint32 as base64, 344 characters; empty for a text without words."""
    points = np.frombuffer(folded.strip(" ")[:LONGEST].encode("utf-32-le", "surrogatepass"), "<u4")
    if not len(points):
        return ""
    starts, ends = _word_shingles(points)
    if _is_unspaced(points):
        points = points[points != _SPACE]
        starts, ends = _character_shingles(len(points))
    return b64encode(_slots(_hashes(points, starts, ends)).astype("<u4").tobytes()).decode("ascii")


def similarity(one: str, other: str) -> float:
    """The share of equal slots of two sketches, 0 to 1; 0 when either is empty. Raises `DecodeError` for what is no sketch."""
    if not one or not other:
        return 0.0
    return float(np.count_nonzero(_read(one) == _read(other))) / SLOTS


def bands(text: str) -> tuple[bytes, ...]:
    """32 keys of 9 bytes: two texts with any key in common are worth comparing. None for an empty sketch."""
    if not text:
        return ()
    slots = _read(text).tobytes()
    width = len(slots) // BANDS
    return tuple(bytes((band,)) + slots[band * width : (band + 1) * width] for band in range(BANDS))


def _read(text: str) -> Points:
    try:
        stored = b64decode(text, validate=True)
    except (Base64Error, ValueError) as error:
        raise DecodeError(f"not a sketch: {error}") from error
    if len(stored) != SLOTS * 4:
        raise DecodeError(f"a sketch has {SLOTS * 4} bytes, not {len(stored)}")
    return np.frombuffer(stored, "<u4")


def _is_unspaced(points: Points) -> bool:
    """More than half in Thai, Lao, Tibetan, Burmese; Khmer; kana, Han: scripts whose words are not parted by spaces."""
    if points.max() < 0xE00:
        return False
    low = (points >= 0xE00) & (points < 0x10A0)
    khmer = (points >= 0x1780) & (points < 0x1800)
    east = (points >= 0x3040) & (points < 0xA000)
    rare = (points >= 0x20000) & (points < 0x32000)
    return bool(2 * np.count_nonzero(low | khmer | east | rare) > len(points))


def _word_shingles(points: Points) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    spaces = np.flatnonzero(points == _SPACE)
    starts = np.concatenate(([0], spaces + 1))
    ends = np.concatenate((spaces, [len(points)]))
    k = min(_WORDS, len(starts))
    return starts[: len(starts) - k + 1], ends[k - 1 :]


def _character_shingles(length: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    k = min(_CHARACTERS, length)
    starts = np.arange(length - k + 1)
    return starts, starts + k


def _hashes(points: Points, starts: NDArray[np.intp], ends: NDArray[np.intp]) -> Hashes:
    """Of each shingle, wherever it stands: prefix sums of a polynomial, divided by the power of its place."""
    terms = points.astype(np.uint64)
    terms += np.uint64(1)
    terms *= terms ^ _SPREAD
    terms *= _POWERS[: len(points)]
    sums = np.empty(len(points) + 1, np.uint64)
    sums[0] = 0
    np.cumsum(terms, out=sums[1:])
    hashes = (sums[ends] - sums[starts]) * _INVERSES[starts]
    hashes ^= hashes >> np.uint64(32)
    hashes *= _MIX
    hashes ^= hashes >> np.uint64(29)
    hashes *= _SPREAD
    hashes ^= hashes >> np.uint64(32)
    return hashes


def _slots(hashes: Hashes) -> Points:
    ordered = np.sort(hashes)
    slot = (ordered >> np.uint64(58)).astype(np.intp)
    first = np.flatnonzero(np.diff(slot, prepend=-1))
    slots = np.full(SLOTS, _EMPTY, np.uint32)
    slots[slot[first]] = (ordered[first] >> np.uint64(26)).astype(np.uint32)
    if len(first) < SLOTS:
        _fill(slots, slot[first])
    return slots


def _fill(slots: Points, full: NDArray[np.intp]) -> None:
    """Empty slots borrow from the next full one, round the end."""
    empty = np.setdiff1d(np.arange(SLOTS), full)
    lender = full[np.searchsorted(full, empty) % len(full)]
    slots[empty] = slots[lender] ^ _BORROWED
