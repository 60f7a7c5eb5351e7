"""Terms to patterns: what is given to the automaton, and what each pattern that it finds stands for.

    Term ─ forms (`scripts`) ─▶ patterns, each once ─▶ Automaton
                                └▶ Uses: pattern ─▶ terms, each in a shape

Kept in flat numbers: of a million terms there must not be a million small objects.
"""

from array import array
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from consumers.automaton import Automaton, build, load
from consumers.syntax import Exactness, Term
from consumers.text.scripts import WHOLE, Clitics, Shape, forms
from daemon.errors import DecodeError

FORMAT: Final = 1
"""Of what `write_patterns` writes: counted up when that, or what patterns are made of a term, changes."""

WHOLE_WORD: Final = 0xFFFE
_SEVERAL: Final = 0xFFFF


class Use(NamedTuple):
    """What a pattern stands for: some term, in some shape (its place among the searcher's `shapes`)."""

    term: int
    shape: int


@dataclass(frozen=True, slots=True)
class Uses:
    """What each pattern stands for, by its number; a million of them in a few megabytes.

    `kinds` says how to read `terms`: `WHOLE_WORD`, a term between spaces whose own letters do not count, as most are;
    `_SEVERAL`, the place in `several`; any other, a term in the shape of that place.
    """

    shapes: tuple[Shape, ...]
    kinds: "array[int]"
    terms: "array[int]"
    several: Sequence[Sequence[Use]]

    def of(self, pattern: int) -> Sequence[Use]:
        kind, term = self.kinds[pattern], self.terms[pattern]
        return self.several[term] if kind == _SEVERAL else (Use(term, kind),)


def make_patterns(terms: Sequence[Term], engine: str | None = None) -> tuple[Automaton, Uses]:
    """Of distinct terms; a million take seconds."""
    shapes: dict[Shape, int] = {}
    uses: dict[str, Use | list[Use]] = {}
    for number, term in enumerate(terms):
        clitics = Clitics.NONE if term.exactness is Exactness.EXACT else term.clitics
        for pattern, shape in forms(term.key, clitics, runs_on=term.runs_on):
            use = Use(number, shapes.setdefault(shape, len(shapes)))
            known = uses.setdefault(pattern, use)
            if known is not use:
                uses[pattern] = [*(known if isinstance(known, list) else [known]), use]
    automaton, order = build([*uses], engine)
    by_pattern = [*uses.values()]
    return automaton, _arranged([by_pattern[place] for place in order], [*shapes], checked_terms(terms))


def checked_terms(terms: Sequence[Term]) -> frozenset[int]:
    """Those whose own letters count, by number."""
    return frozenset(number for number, term in enumerate(terms) if term.exactness is not Exactness.FOLDED)


def _arranged(uses: Sequence[Use | list[Use]], shapes: Sequence[Shape], checked: AbstractSet[int]) -> Uses:
    kinds, terms = array("H"), array("i")
    several: list[Sequence[Use]] = []
    for use in uses:
        if isinstance(use, list):
            kinds.append(_SEVERAL)
            terms.append(len(several))
            several.append(use)
        else:
            plain = shapes[use.shape] == WHOLE and use.term not in checked
            kinds.append(WHOLE_WORD if plain else use.shape)
            terms.append(use.term)
    return Uses(tuple(shapes), kinds, terms, several)


class _Stored(msgspec.Struct, frozen=True):
    """`kinds` and `terms` as this machine keeps numbers."""

    automaton: bytes
    shapes: list[Shape]
    kinds: bytes
    terms: bytes
    several: list[list[tuple[int, int]]]


def write_patterns(automaton: Automaton, uses: Uses) -> bytes | None:
    """What `read_patterns` reads on such a machine; None where the automaton's library cannot be stored."""
    stored = automaton.dump()
    if stored is None:
        return None
    several = [[(use.term, use.shape) for use in each] for each in uses.several]
    return msgspec.msgpack.encode(_Stored(stored, [*uses.shapes], uses.kinds.tobytes(), uses.terms.tobytes(), several))


def read_patterns(stored: bytes) -> tuple[Automaton, Uses]:
    """Raises `DecodeError` for what `write_patterns` did not write."""
    try:
        parts = msgspec.msgpack.decode(stored, type=_Stored)
    except msgspec.MsgspecError as error:
        raise DecodeError(f"not stored patterns: {error}") from error
    several = [[Use(*use) for use in each] for each in parts.several]
    uses = Uses(tuple(parts.shapes), array("H", parts.kinds), array("i", parts.terms), several)
    return load(parts.automaton), uses
