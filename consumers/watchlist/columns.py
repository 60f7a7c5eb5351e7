"""Many texts as two blocks of bytes: a million names must not be a million objects."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, overload
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint32]
_ANY: Final = "surrogatepass"


class Column(Sequence[str]):
    """Texts by place. `block` is their UTF-8, `ends` where each ends in it."""

    def __init__(self, block: bytes, ends: Numbers) -> None:
        self.block = block
        self.ends = ends

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Column":
        parts = [text.encode("utf-8", _ANY) for text in texts]
        return cls(b"".join(parts), np.cumsum(np.fromiter(map(len, parts), np.uint32, len(parts)), dtype=np.uint32))

    def __len__(self) -> int:
        return len(self.ends)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Column) and self.block == other.block and bool(np.array_equal(self.ends, other.ends))

    __hash__ = None  # type: ignore[assignment]  # as a list has none

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            start, stop, _ = at.indices(len(self))
            return [*self._some(start, stop)]
        if not 0 <= at < len(self.ends):
            raise IndexError(at)
        return self.block[int(self.ends[at - 1]) if at else 0 : int(self.ends[at])].decode("utf-8", _ANY)

    def __iter__(self) -> Iterator[str]:
        return self._some(0, len(self))

    def _some(self, start: int, stop: int) -> Iterator[str]:
        ends = self.ends[start:stop].tolist()
        bounds = [int(self.ends[start - 1]) if start else 0, *ends]
        return (self.block[low:high].decode("utf-8", _ANY) for low, high in pairwise(bounds))


class Lookup:
    """Where in a column a text stands, without a dictionary of all its texts."""

    def __init__(self, column: Column, order: Numbers, sums: Numbers) -> None:
        self.column = column
        self.order = order
        self.sums = sums

    @classmethod
    def of(cls, column: Column) -> "Lookup":
        sums = np.fromiter((crc32(text.encode("utf-8", _ANY)) for text in column), np.uint32, len(column))
        order = np.argsort(sums, kind="stable").astype(np.uint32)
        return cls(column, order, sums[order])

    def place(self, text: str) -> int | None:
        """The first place of the text."""
        wanted = np.uint32(crc32(text.encode("utf-8", _ANY)))
        start, stop = np.searchsorted(self.sums, wanted, "left"), np.searchsorted(self.sums, wanted, "right")
        return next((int(at) for at in self.order[start:stop] if self.column[int(at)] == text), None)


def shared(one: Lookup, other: Lookup) -> list[int]:
    """Places in the other's column of texts that the one's has, too; empty ones are none."""
    alike = other.order[np.isin(other.sums, one.sums)].tolist()
    return [place for place in sorted(alike) if (text := other.column[place]) and one.place(text) is not None]
