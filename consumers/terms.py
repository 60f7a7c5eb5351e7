"""All terms by number: those that watchlists write out, and those of files of names, made when they are asked for."""

from bisect import bisect_right
from collections.abc import Container, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from consumers.syntax import Exactness, Term
from consumers.watchlist.listing import Listing

_REMEMBERED: Final = 1 << 14


class Terms(Sequence[Term]):
    """Runs of terms; a number is a place in all of them."""

    def __init__(self, runs: Sequence[Sequence[Term] | Listing]) -> None:
        self._runs = runs
        self._firsts = [0, *accumulate(len(run.names) if isinstance(run, Listing) else len(run) for run in runs)]
        self._one = lru_cache(_REMEMBERED)(self._term)

    def __len__(self) -> int:
        return self._firsts[-1]

    @overload
    def __getitem__(self, at: int) -> Term: ...
    @overload
    def __getitem__(self, at: slice) -> list[Term]: ...
    def __getitem__(self, at: int | slice) -> Term | list[Term]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        if not 0 <= at < len(self):
            raise IndexError(at)
        return self._one(at)

    def _term(self, at: int) -> Term:
        number = bisect_right(self._firsts, at) - 1
        run, place = self._runs[number], at - self._firsts[number]
        return next(run.terms(place, place + 1)) if isinstance(run, Listing) else run[place]

    def __iter__(self) -> Iterator[Term]:
        for run in self._runs:
            yield from run.terms(0, len(run.names)) if isinstance(run, Listing) else run

    def extended(self, more: Sequence[Term]) -> "Terms":
        """These and, numbered behind them, more."""
        return Terms([*self._runs, more])

    def first(self, listing: Listing) -> int | None:
        """The number of the listing's first name, if it is one of these."""
        runs = zip(self._firsts, self._runs, strict=False)
        return next((first for first, run in runs if run is listing or run == listing), None)

    def checked(self) -> "Flags":
        """The numbers of terms whose own letters count."""
        parts = [
            np.frombuffer(run.spelled, np.bool_)
            if isinstance(run, Listing)
            else np.fromiter((term.exactness is not Exactness.FOLDED for term in run), np.bool_, len(run))
            for run in self._runs
        ]
        return Flags(np.concatenate(parts) if parts else np.zeros(0, np.bool_))


class Flags(Container[int]):
    """A set of numbers, a byte each."""

    def __init__(self, flags: NDArray[np.bool_]) -> None:
        self._flags = flags.tobytes()

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self._flags[number] == 1
