"""Rows of names, as a file gives them one after the other, put to their actors: folded many at a time, checked, each once."""

from array import array
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from consumers.text.fold import fold_keys
from consumers.text.spelling import needs_check
from consumers.watchlist.columns import Column, Lookup
from consumers.watchlist.listing import KINDS, Listing
from consumers.watchlist.models import check_name
from consumers.watchlist.warnings import warn_of_names
from daemon.errors import ConfigError, Problem

_MOST_PROBLEMS: Final = 20
_AT_ONCE: Final = 10_000
_PLAIN: Final = 100
_DOUBTFUL: Final = frozenset("*،؛")
"""A name of more characters, or with one of these, is looked at by `check_name`; of a million nearly none."""


class Row(NamedTuple):
    line: int
    id: str
    kind: str
    name: str


Rows: TypeAlias = Iterable[Row | Problem]


def gather(rows: Rows, file: str) -> Listing:
    """Rows of one id form one actor. Raises `ConfigError` with what is wrong with rows, `file` naming it."""
    names = _Names(file)
    block: list[Row] = []
    for row in rows:
        if isinstance(row, Problem):
            names.problems.append(row)
        else:
            block.append(row)
        if len(block) == _AT_ONCE:
            names.take(block)
            block = []
        if len(names.problems) >= _MOST_PROBLEMS:
            break
    names.take(block)
    if names.problems:
        raise ConfigError(sorted(names.problems, key=lambda problem: problem.line)[:_MOST_PROBLEMS])
    return names.listing()


class _Names:
    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._places: dict[str, int] = {}
        self._ids: list[str] = []
        self._kinds = bytearray()
        self._lines = array("I")
        self._owners = array("I")
        self._names: list[str] = []
        self._keys: list[str] = []

    def take(self, block: Sequence[Row]) -> None:
        for row, key in zip(block, fold_keys([row.name for row in block]), strict=True):
            try:
                if not key or len(row.name) > _PLAIN or not _DOUBTFUL.isdisjoint(row.name):
                    check_name(row.name)
                place = self._place(row)
            except ValueError as error:
                self.problems.append(Problem(file=self._file, line=row.line, reason=str(error)))
                continue
            self._owners.append(place)
            self._names.append(row.name)
            self._keys.append(key)

    def _place(self, row: Row) -> int:
        """The row's actor, its kind that of the first row that says one."""
        kind = KINDS.index(row.kind) + 1 if row.kind else 0
        place = self._places.get(row.id) if row.id else None
        if place is None:
            place = len(self._ids)
            if row.id:
                self._places[row.id] = place
            self._ids.append(row.id)
            self._kinds.append(kind)
            self._lines.append(row.line)
        elif kind and kind != self._kinds[place]:
            if self._kinds[place]:
                known = KINDS[self._kinds[place] - 1]
                raise ValueError(f"{row.id} is a {known} on line {self._lines[place]}, here a {row.kind}")
            self._kinds[place] = kind
        return place

    def listing(self) -> Listing:
        owners = np.array(self._owners, np.uint32)
        order = self._order(owners)
        names, keys = [self._names[at] for at in order], [self._keys[at] for at in order]
        counts = np.bincount(owners[order], minlength=len(self._ids))
        ids = Column.of(self._ids)
        return Listing(
            ids=ids,
            kinds=bytes(self._kinds),
            lines=np.array(self._lines, np.uint32),
            firsts=np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
            names=Column.of(names),
            spelled=bytes(map(needs_check, keys)),
            lookup=Lookup.of(ids),
            warnings=tuple(warn_of_names(names, keys, owners[order], self._ids, self._lines)),
        )

    def _order(self, owners: NDArray[np.uint32]) -> list[int]:
        """Rows by actor; of an actor's names that fold alike and are asked the same, the first."""
        kept: list[int] = []
        known: set[tuple[str, str]] = set()
        last = -1
        order = np.argsort(owners, kind="stable")
        for at, owner in zip(order.tolist(), owners[order].tolist(), strict=True):
            if owner != last:
                known, last = set(), owner
            key = self._keys[at]
            same = (key, self._names[at] if needs_check(key) else "")
            if same not in known:
                known.add(same)
                kept.append(at)
        return kept
