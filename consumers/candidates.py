"""Which rules an article can fulfil at all: few of many, without looking at the others.

    marks found ─▶ rules anchored there ─▶ those of whose second clause something was found, too ─▶ candidates

A rule is anchored at the clause that is met least often, by how often its marks were met so far. Its second-cheapest clause is
tested for all rules of an article at once, in flat arrays: in Python each would be looked up in memory of its own.
"""

from collections.abc import Iterable, Sequence
from threading import local
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from consumers.clauses import Clause

Numbers: TypeAlias = NDArray[np.int32]

_WIDEST: Final = 16
"""Marks of a second clause that is tested; a rule whose other clauses are wider is a candidate by its anchor alone."""


class Traffic:
    """How often each mark was met, and in how many articles in all. Counted by several threads without a lock: an estimate."""

    def __init__(self, guesses: Sequence[float]) -> None:
        self._guesses = np.asarray(guesses, np.float64)
        self._met: NDArray[np.int64] = np.zeros(len(guesses), np.int64)
        self.articles = 0

    def count(self, marks: NDArray[np.int64]) -> None:
        """One article's marks, each once."""
        self._met[marks] += 1
        self.articles += 1

    def costs(self) -> list[float]:
        """By mark: guesses, which the counts outweigh soon."""
        costs: list[float] = (self._met + self._guesses).tolist()
        return costs


class Candidates:
    """The index of the rules, by number, over marks from 0."""

    def __init__(self, rules: Sequence[Sequence[Clause]], marks: int, costs: Sequence[float]) -> None:
        self._always = marks
        anchored: list[list[int]] = [[] for _ in range(marks)]
        second: NDArray[np.int32] = np.full((len(rules), _widest(rules)), marks + 1, np.int32)
        for number, clauses in enumerate(rules):
            ranked = sorted(clauses, key=lambda clause: sum([costs[mark] for mark in clause]))
            for mark in ranked[0] if ranked else ():
                anchored[mark].append(number)
            tested = next((clause for clause in ranked[1:] if len(clause) <= _WIDEST), (self._always,))
            second[number, : len(tested)] = tested
        self._second = second
        lengths = np.fromiter(map(len, anchored), np.int64, marks)
        self._ends = lengths.cumsum()
        self._starts = self._ends - lengths
        self._rules = np.fromiter((number for numbers in anchored for number in numbers), np.int32, int(lengths.sum()))
        self._scratch = local()

    def of(self, marks: NDArray[np.int64]) -> list[int]:
        """The rules to look at, ascending, for the marks of an article, each once."""
        starts = self._starts[marks]
        lengths = self._ends[marks] - starts
        ends = lengths.cumsum()
        if not len(ends) or not ends[-1]:
            return []
        rules = self._rules[np.repeat(starts - ends + lengths, lengths) + np.arange(ends[-1])]
        found = self._found()
        found[marks] = True
        passed = found[self._second[rules]].any(axis=1)
        found[marks] = False
        return sorted(set(rules[passed].tolist()))

    def _found(self) -> NDArray[np.bool_]:
        """For each mark whether it was found: all False but the one that always holds. One for each thread, kept."""
        found: NDArray[np.bool_] | None = getattr(self._scratch, "found", None)
        if found is None:
            found = self._scratch.found = np.zeros(self._always + 2, np.bool_)
            found[self._always] = True
        return found


def _widest(rules: Iterable[Sequence[Clause]]) -> int:
    widths = [len(clause) for clauses in rules for clause in clauses if len(clauses) > 1]
    return max((width for width in widths if width <= _WIDEST), default=1)
