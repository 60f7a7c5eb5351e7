"""One pass over an article's texts: every term of every desk that stands in them, and where, in search form.

    zone's text ─ fold ─ automaton ─ boundary, clitic ─ own letters ─▶ Found by term

Knows no actors, desks or rules. Stateless: may run in several threads at once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from consumers.automaton import Automaton, build
from consumers.syntax import Exactness, Term
from consumers.text.fold import Folded, fold, is_unspaced, points_of
from consumers.text.scripts import Clitics, Form, fits, forms
from consumers.text.sentences import Sentences, sentences
from consumers.text.spelling import same_case, same_form, same_spelling
from daemon.messages.article import Zone


class Found(NamedTuple):
    """A term in a zone. Offsets are in the folded text; `misspelt`: equal only because folding merges letters."""

    term: int
    zone: Zone
    start: int
    end: int
    clitic: str
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
    def sentences(self) -> Sentences:
        return sentences(self.text)

    @cached_property
    def word_numbers(self) -> NDArray[np.int64]:
        """For each folded character the number of its word."""
        points = points_of(self.folded.text)
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


class Use(NamedTuple):
    """What a pattern stands for: a form of some terms. `closed`: its boundaries are in the pattern, none is left to check."""

    form: Form
    terms: tuple[int, ...]
    closed: bool


@dataclass(frozen=True, slots=True)
class Searcher:
    """All terms in one automaton. A term's number is its place in `terms`; `checked` are those whose own letters count."""

    terms: tuple[Term, ...]
    checked: frozenset[int]
    _automaton: Automaton
    _uses: Sequence[Sequence[Use]]

    def search(self, texts: Texts) -> dict[int, list[Found]]:
        """Every hit by its term, in the order of zones and texts; at most `MOST` a term and zone."""
        found: dict[int, list[Found]] = {}
        for zone, text in texts.items():
            for numbers, hit in self._hits(zone, f" {text.folded.text} "):
                for number in numbers:
                    known = found.setdefault(number, [])
                    if len(known) >= MOST and known[-MOST].zone is zone:
                        continue
                    if number not in self.checked:
                        known.append(hit if hit.term == number else hit._replace(term=number))
                    elif (misspelt := self._misspelt(number, text.surface(hit))) is not None:
                        known.append(hit._replace(term=number, misspelt=misspelt))
        return {number: hits for number, hits in found.items() if hits}

    def _hits(self, zone: Zone, padded: str) -> Iterator[tuple[Sequence[int], Found]]:
        """Hits of forms at word boundaries, one for all terms of a form; offsets without the padding."""
        for begin, end, pattern in self._automaton.find_overlapping(padded):
            for form, numbers, closed in self._uses[pattern]:
                if closed:
                    yield (
                        numbers,
                        Found(numbers[0], zone, begin + form.start - 1, end - form.after - 1, form.fused, misspelt=False),
                    )
                elif (fit := fits(form, padded, begin, end)) is not None:
                    yield numbers, Found(numbers[0], zone, begin + form.start - 1, fit[1] - 1, fit[0], misspelt=False)

    def _misspelt(self, number: int, surface: str) -> bool | None:
        """Whether only folding makes the surface equal to the term; None when it is no hit at all."""
        term = self.terms[number]
        if _CHECKS[term.exactness](term.text, surface):
            return False
        return True if term.exactness is Exactness.SPELLED else None


def make_searcher(terms: Sequence[Term], engine: str | None = None) -> Searcher:
    """Build the automaton of distinct terms: takes seconds for a million, so not on the event loop."""
    uses: dict[str, dict[Form, list[int]]] = {}
    for number, term in enumerate(terms):
        clitics = Clitics.NONE if term.exactness is Exactness.EXACT else term.clitics
        for form in forms(term.key, clitics, runs_on=term.runs_on):
            uses.setdefault(form.pattern, {}).setdefault(form, []).append(number)
    by_pattern = [tuple(Use(form, tuple(numbers), _closed(form)) for form, numbers in used.items()) for used in uses.values()]
    checked = frozenset(number for number, term in enumerate(terms) if term.exactness is not Exactness.FOLDED)
    return Searcher(tuple(terms), checked, build([*uses], engine), by_pattern)


def _closed(form: Form) -> bool:
    return form.start > 0 and form.after > 0 and form.clitics is None


def zone_texts(zones: Mapping[Zone, str]) -> dict[Zone, ZoneText]:
    return {zone: ZoneText(text) for zone, text in zones.items() if text}
