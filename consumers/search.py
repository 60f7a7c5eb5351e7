"""One pass over an article's texts: every term of every desk that stands in them, and where, in search form.

    zone's text ─ fold ─ automaton ─ boundary, clitic ─ own letters ─▶ Found by term

Knows no actors, desks or rules. Stateless: may run in several threads at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from consumers.automaton import Automaton
from consumers.patterns import WHOLE_WORD, Use, Uses, checked_terms, make_patterns, read_patterns, write_patterns
from consumers.syntax import Exactness, Term
from consumers.text.fold import Folded, fold, is_unspaced
from consumers.text.scripts import fits
from consumers.text.sentences import Sentences, sentences
from consumers.text.spelling import same_case, same_form, same_spelling
from daemon.messages.article import Zone


class Found(NamedTuple):
    """A term in a zone. Offsets are in the folded text; `misspelt`: equal only because folding merges letters.

    `clitic` stands before the hit in its word, `suffix` within it, as the ending of its last word.
    """

    term: int
    zone: Zone
    start: int
    end: int
    clitic: str
    suffix: str
    misspelt: bool


ByTerm: TypeAlias = Mapping[int, Sequence[Found]]


class ZoneText:
    """One zone's text with what is worked out of it, each at first need."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded: Folded = fold(text)

    def span(self, found: Found) -> tuple[int, int]:
        """Where the hit stands in the zone's own text."""
        return self.folded.start(found.start), self.folded.end(found.end)

    def surface(self, found: Found) -> str:
        start, end = self.span(found)
        return self.text[start:end]

    def words(self, found: Found) -> tuple[int, int]:
        """The numbers of the hit's first and last word; a character of an unspaced script is a word."""
        return int(self.word_numbers[found.start]), int(self.word_numbers[found.end - 1])

    @cached_property
    def padded(self) -> str:
        """The folded text with a space before and after it, as it is searched."""
        return f" {self.folded.text} "

    @cached_property
    def sentences(self) -> Sentences:
        return sentences(self.text)

    @cached_property
    def word_numbers(self) -> NDArray[np.int64]:
        """For each folded character the number of its word."""
        points = self.folded.points
        word = points != 32
        begins = word & is_unspaced(points)
        begins[1:] |= word[1:] & ~word[:-1]
        begins[:1] |= word[:1]
        return np.cumsum(begins)


Texts: TypeAlias = Mapping[Zone, ZoneText]

MOST: Final = 1_000
"""Hits of one term in one zone that are looked at; the rest of a text that is nothing but hits says nothing new."""

_CHECKS: Final[Mapping[Exactness, Callable[[str, str], bool]]] = {
    Exactness.SPELLED: same_spelling,
    Exactness.CASED: same_case,
    Exactness.EXACT: same_form,
}


@dataclass(frozen=True, slots=True)
class Searcher:
    """All terms in one automaton. A term's number is its place in `terms`; `checked` are those whose own letters count."""

    terms: Sequence[Term]
    checked: frozenset[int]
    _automaton: Automaton
    _uses: Uses

    def dump(self) -> bytes | None:
        """What `load_searcher` makes it of again, its terms left out; None where the automaton's library cannot."""
        return write_patterns(self._automaton, self._uses)

    def search(self, texts: Texts) -> dict[int, list[Found]]:
        """Every hit by its term, in the order of zones and texts; at most `MOST` a term and zone."""
        found: dict[int, list[Found]] = {}
        for zone, text in texts.items():
            self._search(zone, text, found)
        return found

    def _search(self, zone: Zone, text: ZoneText, found: dict[int, list[Found]]) -> None:
        """Whole words are looked at no further: their boundaries were in the pattern."""
        kinds, terms = self._uses.kinds, self._uses.terms
        for begin, end, pattern in self._automaton.find(text.folded):
            if kinds[pattern] == WHOLE_WORD:
                term = terms[pattern]
                if (known := found.get(term)) is None:
                    found[term] = [Found(term, zone, begin, end - 2, "", "", misspelt=False)]
                else:
                    _add(known, Found(term, zone, begin, end - 2, "", "", misspelt=False))
                continue
            for use in self._uses.of(pattern):
                hit = self._hit(use, zone, text, begin, end)
                if hit is not None:
                    _add(found.setdefault(use.term, []), hit)

    def _hit(self, use: Use, zone: Zone, text: ZoneText, begin: int, end: int) -> Found | None:
        """The hit of a term whose boundaries or letters are still to be looked at, if they are right."""
        shape = self._uses.shapes[use.shape]
        clitic, stop = shape.fused, end - shape.after
        if not shape.closed:
            fit = fits(shape, text.padded, begin, end)
            if fit is None:
                return None
            clitic, stop = fit
        hit = Found(use.term, zone, begin + shape.start - 1, stop - 1, clitic, shape.ending, misspelt=False)
        return hit if use.term not in self.checked else self._checked(hit, text)

    def _checked(self, hit: Found, text: ZoneText) -> Found | None:
        """The hit, misspelt when only folding makes it equal to the term; None when that is no hit at all."""
        term = self.terms[hit.term]
        if _CHECKS[term.exactness](term.text, text.surface(hit)):
            return hit
        return hit._replace(misspelt=True) if term.exactness is Exactness.SPELLED else None


def _add(known: list[Found], hit: Found) -> None:
    if len(known) < MOST or known[-MOST].zone is not hit.zone:
        known.append(hit)


def make_searcher(terms: Sequence[Term], engine: str | None = None) -> Searcher:
    """Build the automaton of distinct terms: takes seconds for a million, so not on the event loop."""
    return Searcher(terms, checked_terms(terms), *make_patterns(terms, engine))


def load_searcher(terms: Sequence[Term], stored: bytes) -> Searcher:
    """The searcher of these very terms that was dumped. Raises `DecodeError` for any other bytes."""
    return Searcher(terms, checked_terms(terms), *read_patterns(stored))


def zone_texts(zones: Mapping[Zone, str]) -> dict[Zone, ZoneText]:
    return {zone: ZoneText(text) for zone, text in zones.items() if text}
