"""Terms to patterns: what is given to the automaton, and what each pattern that it finds stands for.

    Term ─ forms (`scripts`) ─▶ patterns, each once ─▶ Automaton
                                └▶ Uses: pattern ─▶ terms, each in a shape

Kept in flat numbers: of a million terms there must not be a million small objects.
"""

from array import array
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from consumers.automaton import Automaton, Encoded, build, encode, load
from consumers.syntax import Exactness, Term
from consumers.terms import Terms
from consumers.text.endings import inflected
from consumers.text.scripts import OPEN_WORD, WHOLE_WORD, Clitics, Shape, forms
from daemon.errors import DecodeError

OPEN: Final = 1
CHECKED: Final = 2
"""Added up: the kinds of patterns that stand for one term as it is written; 0 is a whole word whose letters do not count."""
SEVERAL: Final = 4
_SHAPED: Final = 5


Use: TypeAlias = tuple[int, int]
"""What a pattern stands for: a term, and in which of the shapes."""


@dataclass(frozen=True, slots=True)
class Uses:
    """What each pattern stands for, by its number; a million of them in a few megabytes.

    `kinds` says how to read `terms`. Below `SEVERAL`: a term between spaces, or (`OPEN`) one before a space that may have
    clitics before it, and whether (`CHECKED`) its own letters count. `SEVERAL`: the place in `several`. Above: a term in one
    of the `shapes`.
    """

    shapes: tuple[Shape, ...]
    kinds: NDArray[np.uint16]
    terms: NDArray[np.int32]
    several: Sequence[Sequence[Use]]

    def of(self, pattern: int) -> Sequence[Use]:
        kind, term = int(self.kinds[pattern]), int(self.terms[pattern])
        if kind == SEVERAL:
            return self.several[term]
        return ((term, kind - _SHAPED if kind >= _SHAPED else kind & OPEN),)


def make_patterns(terms: Sequence[Term], engine: str | None = None) -> tuple[Automaton, Uses]:
    """Of distinct terms; a million take seconds."""
    patterns, uses = _gathered(terms)
    return build(patterns, engine), uses


def _gathered(terms: Sequence[Term]) -> tuple[Encoded, Uses]:
    """Nothing else is left of the terms when the automaton is built, which takes memory enough."""
    shapes: dict[Shape, int] = {WHOLE_WORD: 0, OPEN_WORD: OPEN}
    uses: dict[str, Use | list[Use]] = {}
    for number, term in enumerate(terms):
        for pattern, shape in _patterns(term):
            use = (number, 0 if shape is WHOLE_WORD else shapes.setdefault(shape, len(shapes)))
            known = uses.setdefault(pattern, use)
            if known is not use:
                uses[pattern] = [*(known if isinstance(known, list) else [known]), use]
    encoded = encode([*uses])
    by_pattern = [*uses.values()]
    return encoded, _arranged((by_pattern[place] for place in encoded.order), [*shapes], checked_terms(terms))


def _patterns(term: Term) -> Iterator[tuple[str, Shape]]:
    clitics = Clitics.NONE if term.exactness is Exactness.EXACT else term.clitics
    yield from forms(term.key, clitics, runs_on=term.runs_on)
    if term.endings:
        for form, ending in inflected(term.key, term.endings).items():
            yield f" {form} ", Shape(ending=ending)


def checked_terms(terms: Sequence[Term]) -> Container[int]:
    """Those whose own letters count, by number."""
    if isinstance(terms, Terms):
        return terms.checked()
    return frozenset(number for number, term in enumerate(terms) if term.exactness is not Exactness.FOLDED)


def _arranged(uses: Iterable[Use | list[Use]], shapes: Sequence[Shape], checked: Container[int]) -> Uses:
    kinds, terms = array("H"), array("i")
    several: list[Sequence[Use]] = []
    for use in uses:
        if isinstance(use, list):
            kinds.append(SEVERAL)
            terms.append(len(several))
            several.append(use)
        else:
            term, shape = use
            kinds.append(_SHAPED + shape if shape > OPEN else shape + CHECKED if term in checked else shape)
            terms.append(term)
    return Uses(tuple(shapes), np.array(kinds), np.array(terms), several)


class _Stored(msgspec.Struct, frozen=True):
    """`kinds` and `terms` as this machine keeps numbers."""

    automaton: bytes
    shapes: list[Shape]
    kinds: bytes
    terms: bytes
    several: Sequence[Sequence[Use]]


def write_patterns(automaton: Automaton, uses: Uses) -> bytes | None:
    """What `read_patterns` reads on such a machine; None where the automaton's library cannot be stored."""
    stored = automaton.dump()
    if stored is None:
        return None
    kinds, terms = uses.kinds.tobytes(), uses.terms.tobytes()
    return msgspec.msgpack.encode(_Stored(stored, [*uses.shapes], kinds, terms, uses.several))


def read_patterns(stored: bytes) -> tuple[Automaton, Uses]:
    """Raises `DecodeError` for what `write_patterns` did not write."""
    try:
        parts = msgspec.msgpack.decode(stored, type=_Stored)
    except msgspec.MsgspecError as error:
        raise DecodeError(f"not stored patterns: {error}") from error
    kinds, terms = np.frombuffer(parts.kinds, np.uint16), np.frombuffer(parts.terms, np.int32)
    uses = Uses(tuple(parts.shapes), kinds, terms, parts.several)
    return load(parts.automaton), uses
