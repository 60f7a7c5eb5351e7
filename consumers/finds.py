"""What a search found: hits in columns, zone by zone, and each a `Found` when somebody asks for more than which terms.

Most of what is found is asked for only by rules that do not hold for other reasons: they need to know that it is there.
"""

from bisect import bisect_left, bisect_right
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
    """One zone's hits, in the text's order: words as the terms are written in columns, `others` whole.

    `cut`: the text holds more than are looked at (`automaton.MOST_RAW`), and those behind are not among them.
    """

    zone: Zone
    terms: Numbers
    starts: Offsets
    ends: Offsets
    others: Sequence[Found] = ()
    cut: bool = False

    def __iter__(self) -> Iterator[Found]:
        for term, start, end in zip(self.terms.tolist(), self.starts.tolist(), self.ends.tolist(), strict=True):
            yield _found((term, self.zone, start, end, "", "", False))
        yield from self.others


class Finds(Mapping[int, Sequence[Found]]):
    """Hits by their term, in the order of zones and texts; at most `MOST` a term and zone."""

    def __init__(self, zones: Sequence[ZoneFinds]) -> None:
        self.zones = zones
        self._made: dict[int, Sequence[Found]] = {}

    @property
    def cut(self) -> bool:
        """Whether a text held more hits than are looked at."""
        return any(zone.cut for zone in self.zones)

    @cached_property
    def terms(self) -> set[int]:
        """All that was found."""
        terms = {found.term for zone in self.zones for found in zone.others}
        return terms.union(*(zone.terms.tolist() for zone in self.zones))

    def __getitem__(self, term: int) -> Sequence[Found]:
        if term not in self._made:
            self._made[term] = [hit for zone in self._sorted for hit in zone.of(term)]
        return self._made[term]

    @cached_property
    def _sorted(self) -> Sequence["_Sorted"]:
        return [_Sorted(zone) for zone in self.zones]

    def __contains__(self, term: object) -> bool:
        return term in self.terms

    def __iter__(self) -> Iterator[int]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)


class _Sorted:
    """One zone's hits, to be had by their term: only those that somebody asks for are made."""

    def __init__(self, zone: ZoneFinds) -> None:
        order = np.argsort(zone.terms, kind="stable")
        self._zone = zone
        self._order = order.tolist()
        self._terms = zone.terms[order].tolist()
        self._others: dict[int, list[Found]] = {}
        for hit in zone.others:
            self._others.setdefault(hit.term, []).append(hit)

    def of(self, term: int) -> Sequence[Found]:
        """At most `MOST`, in the text's order."""
        zone, others = self._zone, self._others.get(term, [])
        places = self._order[bisect_left(self._terms, term) : bisect_right(self._terms, term)]
        if not places and len(others) <= 1:
            return others
        hits = [_found((term, zone.zone, int(zone.starts[at]), int(zone.ends[at]), "", "", False)) for at in places]
        return sorted([*hits, *others], key=_place)[:MOST]


def _place(found: Found) -> tuple[int, int]:
    return found.start, found.end
