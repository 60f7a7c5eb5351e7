"""A desk's actors by place: those of its watchlists as they are, those of files of names made when they are asked for."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Final, overload

from consumers.watchlist.columns import Column, Lookup
from consumers.watchlist.desk import Actor, Desk
from consumers.watchlist.listing import Listing
from consumers.watchlist.names import readable
from daemon.messages.match import Severity

_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class Listed:
    """A file's actors as a desk has them: with ids, and what its watchlist says for all of them. `file`: as named there."""

    listing: Listing
    ids: Column
    lookup: Lookup = field(compare=False)
    severity: Severity
    notify: tuple[str, ...]
    file: str

    def actor(self, place: int) -> Actor:
        listing = self.listing
        start, stop = int(listing.firsts[place]), int(listing.firsts[place + 1])
        return Actor(
            id=self.ids[place],
            name=readable(listing.names[start:stop]),
            kind=listing.kind(place),
            aliases=tuple(listing.terms(start, stop)),
            severity=self.severity,
            notify=self.notify,
            list=self.file,
        )


class Roll(Sequence[Actor]):
    """Actors in the watchlists' order, in runs: of them as they are, or of a file's."""

    def __init__(self, runs: Sequence[Sequence[Actor] | Listed]) -> None:
        self._runs = [run if isinstance(run, Listed) else tuple(run) for run in runs]
        sizes = [len(run.ids) if isinstance(run, Listed) else len(run) for run in self._runs]
        self._firsts = [0, *accumulate(sizes)]
        self._listed = lru_cache(_REMEMBERED)(self._made)

    @classmethod
    def of(cls, actors: Sequence[Actor]) -> "Roll":
        return actors if isinstance(actors, Roll) else cls([actors])

    def __len__(self) -> int:
        return self._firsts[-1]

    @overload
    def __getitem__(self, at: int) -> Actor: ...
    @overload
    def __getitem__(self, at: slice) -> list[Actor]: ...
    def __getitem__(self, at: int | slice) -> Actor | list[Actor]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        at += len(self) if at < 0 else 0
        if not 0 <= at < len(self):
            raise IndexError(at)
        run, place = self._run(at)
        return self._listed(at) if isinstance(run, Listed) else run[place]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Roll) and (self.listed or other.listed):
            return self._runs == other._runs
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]  # as a list has none

    def file(self, at: int) -> str:
        """The file of names that the actor at this place came from; empty for the others."""
        run, place = self._run(at)
        return run.file if isinstance(run, Listed) else run[place].list

    @property
    def written(self) -> Iterator[tuple[int, Actor]]:
        """Those of the watchlists themselves, with their places."""
        for first, run in zip(self._firsts, self._runs, strict=False):
            if not isinstance(run, Listed):
                yield from enumerate(run, first)

    @property
    def listed(self) -> Sequence[tuple[int, Listed]]:
        """The files' actors, and where the first of them stands."""
        return [(first, run) for first, run in zip(self._firsts, self._runs, strict=False) if isinstance(run, Listed)]

    def place(self, actor: str) -> int | None:
        """Of the files' actors: where the one with this id stands."""
        for first, run in self.listed:
            place = run.lookup.place(actor)
            if place is not None:
                return first + place
        return None

    def _run(self, at: int) -> tuple[tuple[Actor, ...] | Listed, int]:
        run = bisect_right(self._firsts, at) - 1
        return self._runs[run], at - self._firsts[run]

    def _made(self, at: int) -> Actor:
        run, place = self._run(at)
        return run.actor(place) if isinstance(run, Listed) else run[place]


def alias_count(desk: Desk) -> int:
    """Names of a desk's actors."""
    roll = Roll.of(desk.actors)
    return sum(len(actor.aliases) for _, actor in roll.written) + sum(len(listed.listing.names) for _, listed in roll.listed)
