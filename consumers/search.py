"""One pass over an article's texts: every term of every desk that stands in them, and where, in search form.

    zone's text ─ fold ─ automaton ─ boundary, clitic ─ own letters ─▶ Found by term

Knows no actors, desks or rules. Stateless: may run in several threads at once.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from consumers.automaton import MOST_RAW, Automaton
from consumers.finds import Finds, Found, Numbers, Offsets, ZoneFinds
from consumers.patterns import CHECKED, OPEN, SEVERAL, Use, Uses, checked_terms, make_patterns, read_patterns, write_patterns
from consumers.syntax import Exactness, Term
from consumers.text.fold import Folded, fold, is_unspaced
from consumers.text.scripts import fits
from consumers.text.sentences import Sentences, sentences
from consumers.text.spelling import capital_words, same_case, same_form, same_spelling
from daemon.messages.article import Zone

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
    def spaces(self) -> NDArray[np.bool_]:
        """Which characters of `padded` are spaces."""
        spaces = np.ones(len(self.folded.points) + 2, np.bool_)
        spaces[1:-1] = self.folded.points == ord(" ")
        return spaces

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

_CHECKS: Final[Mapping[Exactness, Callable[[str, str], bool]]] = {
    Exactness.SPELLED: same_spelling,
    Exactness.CASED: same_case,
    Exactness.EXACT: same_form,
}


@dataclass(frozen=True, slots=True)
class Searcher:
    """All terms in one automaton. A term's number is its place in `terms`; `checked` are those whose own letters count."""

    terms: Sequence[Term]
    checked: Container[int]
    _automaton: Automaton
    _uses: Uses

    def dump(self) -> bytes | None:
        """What `load_searcher` makes it of again, its terms left out; None where the automaton's library cannot."""
        return write_patterns(self._automaton, self._uses)

    def search(self, texts: Texts) -> Finds:
        """Every hit by its term."""
        zones = (self._search(zone, text) for zone, text in texts.items())
        return Finds([zone for zone in zones if zone is not None])

    def _search(self, zone: Zone, text: ZoneText) -> ZoneFinds | None:
        """Words that stand as their term is written are looked at together; all others one by one."""
        raw = self._automaton.find(text.folded)
        if not len(raw):
            return None
        begins, ends, patterns = raw.T
        cut = len(raw) > MOST_RAW
        kinds, terms = self._uses.kinds.take(patterns), self._uses.terms.take(patterns)
        starts, ends = begins - (kinds & OPEN), ends - 2
        if not kinds.any():
            return ZoneFinds(zone, terms, starts, ends, cut=cut)
        plain = (kinds < SEVERAL) & text.spaces.take(starts)
        counted = np.flatnonzero(plain & (kinds >= CHECKED))
        plain[counted] = [*self._as_written(text, terms[counted], starts[counted], ends[counted])]
        others = [
            hit
            for begin, end, pattern in raw[~plain].tolist()
            for use in self._uses.of(pattern)
            if (hit := self._hit(use, zone, text, begin, end)) is not None
        ]
        return ZoneFinds(zone, terms[plain], starts[plain], ends[plain], others, cut)

    def _as_written(self, text: ZoneText, terms: Numbers, starts: Offsets, ends: Offsets) -> Iterator[bool]:
        """Whether hits are letter for letter what their terms are, as nearly all are."""
        places = text.folded.starts(starts).tolist(), text.folded.ends(ends).tolist()
        for term, start, end in zip(terms.tolist(), *places, strict=True):
            yield text.text[start:end] == self.terms[term].text

    def _hit(self, use: Use, zone: Zone, text: ZoneText, begin: int, end: int) -> Found | None:
        """The hit of a term whose boundaries or letters are still to be looked at, if they are right."""
        term, shape = use[0], self._uses.shapes[use[1]]
        fit = fits(shape, text.padded, begin, end)
        if fit is None:
            return None
        hit = Found(term, zone, begin + shape.start - 1, fit[1] - 1, fit[0], shape.ending or "", misspelt=False)
        if shape.ending is not None:
            return hit if capital_words(self.terms[term].text, text.surface(hit)) else None
        return hit if term not in self.checked else self._checked(hit, text)

    def _checked(self, hit: Found, text: ZoneText) -> Found | None:
        """The hit, misspelt when only folding makes it equal to the term; None when that is no hit at all."""
        term = self.terms[hit.term]
        if _CHECKS[term.exactness](term.text, text.surface(hit)):
            return hit
        return hit._replace(misspelt=True) if term.exactness is Exactness.SPELLED else None


def make_searcher(terms: Sequence[Term], engine: str | None = None) -> Searcher:
    """Build the automaton of distinct terms: takes seconds for a million, so not on the event loop."""
    return Searcher(terms, checked_terms(terms), *make_patterns(terms, engine))


def load_searcher(terms: Sequence[Term], stored: bytes) -> Searcher:
    """The searcher of these very terms that was dumped. Raises `DecodeError` for any other bytes."""
    return Searcher(terms, checked_terms(terms), *read_patterns(stored))


def zone_texts(zones: Mapping[Zone, str]) -> dict[Zone, ZoneText]:
    return {zone: ZoneText(text) for zone, text in zones.items() if text}
