"""What a search found: hits in columns, zone by zone, and each a `Found` when somebody asks for more than which terms.

Most of what is found is asked for only by rules that do not hold for other reasons: they need to know that it is there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from daemon.messages.article import Zone

Numbers: TypeAlias = NDArray[np.int32]
Offsets: TypeAlias = NDArray[np.int64]

MOST: Final = 1_000
"""Hits of one term in one zone that are looked at; the rest of a text that is nothing but hits says nothing new."""


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


_found: Final = partial(tuple.__new__, Found)
"""A `Found` of its fields in order, in half the time: a text may hold thousands."""


@dataclass(frozen=True, slots=True)
class ZoneFinds:
    """One zone's hits, in the text's order: words as the terms are written in columns, `others` whole."""

    zone: Zone
    terms: Numbers
    starts: Offsets
    ends: Offsets
    others: Sequence[Found] = ()

    def __iter__(self) -> Iterator[Found]:
        for term, start, end in zip(self.terms.tolist(), self.starts.tolist(), self.ends.tolist(), strict=True):
            yield _found((term, self.zone, start, end, "", "", False))
        yield from self.others


class Finds(Mapping[int, Sequence[Found]]):
    """Hits by their term, in the order of zones and texts; at most `MOST` a term and zone."""

    def __init__(self, zones: Sequence[ZoneFinds]) -> None:
        self.zones = zones

    @cached_property
    def terms(self) -> set[int]:
        """All that was found."""
        terms = {found.term for zone in self.zones for found in zone.others}
        return terms.union(*(zone.terms.tolist() for zone in self.zones))

    @cached_property
    def _by_term(self) -> dict[int, list[Found]]:
        by_term: dict[int, list[Found]] = {}
        for zone in self.zones:
            of_zone: dict[int, list[Found]] = {}
            for found in zone:
                of_zone.setdefault(found.term, []).append(found)
            for term, hits in of_zone.items():
                by_term.setdefault(term, []).extend(sorted(hits, key=_place)[:MOST])
        return by_term

    def __getitem__(self, term: int) -> Sequence[Found]:
        return self._by_term[term]

    def __contains__(self, term: object) -> bool:
        return term in self.terms

    def __iter__(self) -> Iterator[int]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)


def _place(found: Found) -> tuple[int, int]:
    return found.start, found.end
