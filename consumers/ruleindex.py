"""From what was found in an article to the rules of all desks that are worth looking at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from consumers.candidates import Candidates, Traffic
from consumers.clauses import Clause, clauses
from consumers.syntax import ActorTerm, Leaf, ListTerm, Term
from consumers.watchlist.desk import Desk

_SHORT: Final = 8.0
_RARE: Final = 0.05
_LISTS: Final = 1.0

Key = TypeVar("Key", int, str)


class DeskMarks(NamedTuple):
    """One desk's actors (by place) and lists (by file) that rules ask for, and the number of its first rule."""

    actors: dict[int, int]
    lists: dict[str, int]
    first: int


@dataclass(frozen=True, slots=True)
class RuleIndex:
    """Rules of all desks, numbered through. `terms` gives each term's mark, -1 when no rule asks for it."""

    terms: NDArray[np.int64]
    desks: Sequence[DeskMarks]
    traffic: Traffic
    candidates: Candidates

    def marks(self, terms: Iterable[int], actors: Sequence[Iterable[tuple[int, str]]]) -> NDArray[np.int64]:
        """Of the terms found, and of each desk's actors found (place and list)."""
        marks = self.terms[np.fromiter(terms, np.int64)]
        marks = marks[marks >= 0]
        more = [
            mark
            for desk, places in zip(self.desks, actors, strict=True)
            for place, file in places
            for mark in (desk.actors.get(place), desk.lists.get(file))
            if mark is not None
        ]
        return np.concatenate([marks, np.array([*set(more)], np.int64)]) if more else marks

    def rules(self, marks: NDArray[np.int64]) -> list[list[int]]:
        """For each desk the places of its rules to look at."""
        self.traffic.count(marks)
        found = self.candidates.of(marks)
        firsts = [desk.first for desk in self.desks]
        bounds = [*np.searchsorted(found, firsts).tolist(), len(found)] if len(firsts) > 1 else [0, len(found)]
        return [
            [number - first for number in found[start:end]]
            for first, start, end in zip(firsts, bounds, bounds[1:], strict=False)
        ]


def make_rule_index(
    desks: Sequence[tuple[Desk, Mapping[str, int]]], numbers: Mapping[Term, int], terms: int, traffic: Traffic | None = None
) -> RuleIndex:
    """The rules of desks, each with its actors' places by id; anchored by the traffic of an index of the same rules."""
    marks = _Marks(numbers, terms, traffic.costs() if traffic else None)
    of_desks: list[DeskMarks] = []
    rules: list[Sequence[Clause]] = []
    for desk, places in desks:
        of_desk = DeskMarks({}, {}, len(rules))
        of_desks.append(of_desk)
        mark = partial(marks.of, of_desk, places)
        rules += [clauses(rule.where, mark, marks.cost) for rule in desk.rules]
    traffic = traffic or Traffic(marks.costs)
    return RuleIndex(marks.by_term, of_desks, traffic, Candidates(rules, len(marks.guesses), marks.costs))


def guess(leaf: Leaf) -> float:
    """How often something is met, before anything is: short words often, names seldom, lists of them less seldom."""
    if isinstance(leaf, Term):
        return _SHORT * 2.0 ** -len(leaf.key) + _RARE
    return _RARE if isinstance(leaf, ActorTerm) else _LISTS


class _Marks:
    """Gives marks as they are asked for: the same for the same rules."""

    def __init__(self, numbers: Mapping[Term, int], terms: int, costs: Sequence[float] | None) -> None:
        self._numbers = numbers
        self._known = costs
        self._of_terms: dict[int, int] = {}
        self.guesses: list[float] = []
        self.by_term: NDArray[np.int64] = np.full(terms, -1, np.int64)

    @property
    def costs(self) -> Sequence[float]:
        return self._known or self.guesses

    def cost(self, clause: Clause) -> float:
        costs = self.costs
        return sum([costs[mark] for mark in clause])

    def of(self, desk: DeskMarks, places: Mapping[str, int], leaf: Leaf) -> int:
        if isinstance(leaf, ActorTerm):
            return self._mark(desk.actors, places.get(leaf.id, -1), leaf)
        if isinstance(leaf, ListTerm):
            return self._mark(desk.lists, leaf.file, leaf)
        mark = self._mark(self._of_terms, number := self._numbers[leaf], leaf)
        self.by_term[number] = mark
        return mark

    def _mark(self, known: dict[Key, int], key: Key, leaf: Leaf) -> int:
        mark = known.get(key)
        if mark is None:
            mark = known[key] = len(self.guesses)
            self.guesses.append(guess(leaf))
        return mark
