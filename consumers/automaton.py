"""Many patterns in one pass: two libraries behind one small interface, chosen by what the machine has.

    patterns of up to 254 different characters, or of the 254 most frequent  ─▶ narrow: a character is a byte
    patterns with any other character (Han, Hangul …)                       ─▶ wide: texts without such skip it

A character a byte makes the automaton a quarter as large and its search twice as fast: long lists wait for memory.
`daachorse` is the faster one on long lists; `ahocorasick_rs` has wheels where the other has none (matching.md, “The pipe”).
Both let the GIL go while they search.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import accumulate, compress
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import ahocorasick_rs
import msgspec
import numpy as np
from numpy.typing import NDArray

from consumers.text.fold import Folded, points_of
from daemon.errors import DecodeError

if find_spec("daachorse"):  # not everywhere is there a wheel
    import daachorse

Raw: TypeAlias = tuple[int, int, int]
"""Start, end (code points of the text with a space before it) and index of a pattern found."""
Raws: TypeAlias = NDArray[np.int64]
"""Many of them, one a row."""
_Codes: TypeAlias = NDArray[np.uint8]

MOST_RAW: Final = 300_000
"""Occurrences in one text that are looked at; a text of half a megabyte that is nothing but names has 10⁵."""

_NOTHING: Final = np.zeros((0, 3), np.int64)
_WINDOW: Final = 4096
_SPACE: Final = " "
_WIDE: Final = 255
"""The byte of every character that only wide patterns have; characters of no pattern have 0."""
_EVERY: Final = 0x110000
_AT_ONCE: Final = 100_000


class Library(Protocol):
    """One of the two, made for bytes or for characters."""

    def find(self, text: Any) -> Sequence[Raw]:
        """Every occurrence of every pattern, by where it ends, longest first."""
        ...

    def dump(self) -> bytes | None:
        """What it is made of again in no time; None where the library cannot."""
        ...


class _Daachorse:
    def __init__(self, patterns: list[Any], stored: bytes | None = None) -> None:
        kind = daachorse.CharwiseDoubleArrayAhoCorasick if isinstance(patterns[0], str) else daachorse.DoubleArrayAhoCorasick
        self._automaton = kind(patterns) if stored is None else kind.deserialize(stored)
        self.find: Callable[[Any], Sequence[Raw]] = self._automaton.find_overlapping

    def dump(self) -> bytes | None:
        return bytes(self._automaton.serialize())


class _AhoCorasick:
    def __init__(self, patterns: list[Any], stored: bytes | None = None) -> None:  # noqa: ARG002 - it cannot be stored
        wide = isinstance(patterns[0], str)
        made: Any = ahocorasick_rs.AhoCorasick if wide else ahocorasick_rs.BytesAhoCorasick
        self._automaton = made(patterns, **({"store_patterns": False} if wide else {}))

    def find(self, text: Any) -> Sequence[Raw]:
        found = self._automaton.find_matches_as_indexes(text, overlapping=True)
        return [(start, end, pattern) for pattern, start, end in found]

    def dump(self) -> bytes | None:
        return None


class _Make(Protocol):
    def __call__(self, patterns: list[Any], stored: bytes | None = None) -> Library: ...


ENGINES: Final[Mapping[str, _Make]] = {
    **({"daachorse": _Daachorse} if find_spec("daachorse") else {}),
    "ahocorasick_rs": _AhoCorasick,
}
"""Those this machine has, the preferred one first."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """Patterns made ready. `codes`: the byte of each code point. Wide patterns are numbered behind the `narrows`."""

    engine: str
    codes: _Codes
    narrow: Library | None
    wide: Library | None
    narrows: int
    longest: int

    def find(self, folded: Folded) -> Raws:
        """Occurrences of patterns in the folded text with a space before and after it; all, if they are at most `MOST_RAW`."""
        codes = self.codes.take(folded.points)
        raws: list[Raws] = []
        if self.narrow is not None:
            space = bytes([int(self.codes[ord(_SPACE)])])
            raws = self._found(self.narrow, space + codes.tobytes() + space)
        if self.wide is not None and (codes == _WIDE).any():
            wide = self._found(self.wide, f" {folded.text} ")
            raws += [raw + np.array([0, 0, self.narrows]) for raw in wide]
        return raws[0] if len(raws) == 1 else np.concatenate([_NOTHING, *raws])

    def _found(self, library: Library, text: bytes | str) -> list[Raws]:
        """Window by window: a library's answer is a list, and of names within names a text of any length holds any number."""
        found: list[Raws] = []
        for at in range(0, len(text), _WINDOW):
            low = max(at - self.longest, 0)
            raw = np.array(library.find(text[low : at + _WINDOW]), np.int64).reshape(-1, 3)
            found.append(raw if not at else (raw + np.array([low, low, 0]))[raw[:, 1] > at - low])
            if sum(map(len, found)) > MOST_RAW:
                break
        return found

    def dump(self) -> bytes | None:
        """What `load` makes it of again in no time; None where the library cannot."""
        narrow, wide = (b"" if part is None else part.dump() for part in (self.narrow, self.wide))
        if narrow is None or wide is None:
            return None
        characters = np.flatnonzero(self.codes)
        codes = self.codes[characters].tobytes()
        return msgspec.msgpack.encode(
            _Stored(self.engine, characters.tolist(), codes, narrow, wide, self.narrows, self.longest)
        )


class _Stored(msgspec.Struct, frozen=True):
    engine: str
    characters: list[int]
    codes: bytes
    narrow: bytes
    wide: bytes
    narrows: int
    longest: int


class Encoded(NamedTuple):
    """Patterns as the libraries get them, narrow and wide ones; `order`: which pattern each number of theirs stands for."""

    codes: _Codes
    narrow: list[bytes]
    wide: list[str]
    order: NDArray[np.int64]


def encode(patterns: Sequence[str]) -> Encoded:
    """Distinct, non-empty patterns, none at all being allowed. They need not be kept until the automaton is built."""
    codes = _codes(patterns)
    encoded, is_wide = _encoded(patterns, codes)
    narrow = [*compress(encoded, (~is_wide).tolist())]
    return Encoded(codes, narrow, [*compress(patterns, is_wide.tolist())], np.argsort(is_wide, kind="stable"))


def build(patterns: Encoded, engine: str | None = None) -> Automaton:
    """The automaton of these patterns. Of a million it takes seconds, and for that time a kilobyte a pattern."""
    engine = engine or next(iter(ENGINES))
    longest = max((len(pattern) for pattern in (*patterns.narrow, *patterns.wide)), default=0)
    narrow, wide = (ENGINES[engine](each) if each else None for each in (patterns.narrow, patterns.wide))
    return Automaton(engine, patterns.codes, narrow, wide, len(patterns.narrow), longest)


def load(stored: bytes) -> Automaton:
    """The automaton `dump` wrote. Raises `DecodeError` for anything else, and where its library is missing."""
    try:
        parts = msgspec.msgpack.decode(stored, type=_Stored)
        make = ENGINES[parts.engine]
        codes = np.zeros(_EVERY, np.uint8)
        codes[parts.characters] = np.frombuffer(parts.codes, np.uint8)
        narrow = make([b""], parts.narrow) if parts.narrow else None
        wide = make([""], parts.wide) if parts.wide else None
    except (msgspec.MsgspecError, KeyError, ValueError, IndexError) as error:
        raise DecodeError(f"not an automaton that can be read here: {error}") from error
    return Automaton(parts.engine, codes, narrow, wide, parts.narrows, parts.longest)


def _codes(patterns: Sequence[str]) -> _Codes:
    """A byte for each of the most frequent characters, the space always among them."""
    counts = np.zeros(_EVERY, np.int32)
    for at in range(0, len(patterns), _AT_ONCE):
        some = np.bincount(points_of("".join(patterns[at : at + _AT_ONCE])))
        counts[: len(some)] += some.astype(np.int32)
    counts[ord(_SPACE)] = np.iinfo(np.int32).max
    used = np.flatnonzero(counts)
    ranked = used[np.argsort(-counts[used], kind="stable")]
    codes = np.zeros(_EVERY, np.uint8)
    codes[ranked] = np.minimum(np.arange(1, len(ranked) + 1), _WIDE)
    return codes


def _encoded(patterns: Sequence[str], codes: _Codes) -> tuple[list[bytes], NDArray[np.bool_]]:
    """Each pattern in bytes, and whether that says too little of it."""
    encoded: list[bytes] = []
    for at in range(0, len(patterns), _AT_ONCE):
        some = patterns[at : at + _AT_ONCE]
        joined = codes.take(points_of("".join(some))).tobytes()
        ends = accumulate(map(len, some))
        encoded += [joined[end - len(pattern) : end] for pattern, end in zip(some, ends, strict=True)]
    return encoded, np.fromiter((_WIDE in pattern for pattern in encoded), np.bool_, len(encoded))
