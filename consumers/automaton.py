"""Many patterns in one pass: two libraries behind one small interface, chosen by what the machine has.

`daachorse` is the faster one on large lists; `ahocorasick_rs` has wheels where the other has none and takes a quarter of
the memory (matching.md, “The pipe”). Both let the GIL go while they search.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final, Protocol, TypeAlias

import ahocorasick_rs

if find_spec("daachorse"):  # not everywhere is there a wheel
    import daachorse

Raw: TypeAlias = tuple[int, int, int]
"""Start, end (code points) and index of a pattern found."""


class Automaton(Protocol):
    """Patterns made ready."""

    def find_overlapping(self, text: str) -> Sequence[Raw]:
        """Every occurrence of every pattern, by where it ends, longest first."""
        ...


class _Nothing:
    def find_overlapping(self, text: str) -> Sequence[Raw]:  # noqa: ARG002 - the interface
        return ()


class _Daachorse:
    def __init__(self, patterns: Sequence[str]) -> None:
        self.find_overlapping: Callable[[str], Sequence[Raw]] = daachorse.CharwiseDoubleArrayAhoCorasick(
            list(patterns)
        ).find_overlapping


class _AhoCorasick:
    def __init__(self, patterns: Sequence[str]) -> None:
        self._automaton: Any = ahocorasick_rs.AhoCorasick(list(patterns), store_patterns=False)

    def find_overlapping(self, text: str) -> Sequence[Raw]:
        found = self._automaton.find_matches_as_indexes(text, overlapping=True)
        return [(start, end, pattern) for pattern, start, end in found]


ENGINES: Final[Mapping[str, Callable[[Sequence[str]], Automaton]]] = {
    **({"daachorse": _Daachorse} if find_spec("daachorse") else {}),
    "ahocorasick_rs": _AhoCorasick,
}
"""Those this machine has, the preferred one first."""


def build(patterns: Sequence[str], engine: str | None = None) -> Automaton:
    """An automaton of distinct, non-empty patterns; none at all is allowed."""
    if not patterns:
        return _Nothing()
    return ENGINES[engine or next(iter(ENGINES))](patterns)
