"""The actors of one file of names, in columns: what `lists` reads, and what is kept of it between two starts (`stored`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, get_args

import msgspec
import numpy as np

from consumers.syntax import Exactness, Term
from consumers.text.endings import default_languages
from consumers.text.fold import fold_keys
from consumers.text.scripts import Clitics
from consumers.watchlist.columns import Column, Lookup, Numbers
from consumers.watchlist.desk import Warned
from consumers.watchlist.models import Kind
from daemon.errors import DecodeError

KINDS: Final = get_args(Kind)
_NO_KIND: Final = "other"
_AT_ONCE: Final = 10_000
MOST_INFLECTED: Final = 20_000
"""Names of a file that are looked for with endings; of a longer one they are not: each name has some twenty other forms."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """Actors by place. `ids` are empty where the file gives none; `firsts`: where each one's names begin, and where all end.

    `kinds` are numbered from 1; 0 where the file says none. `spelled` has a byte for each name: whether its own letters count.
    """

    ids: Column
    kinds: bytes
    lines: Numbers
    firsts: Numbers
    names: Column
    spelled: bytes
    lookup: Lookup
    warnings: tuple[Warned, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def __eq__(self, other: object) -> bool:
        """Whether all that is found by it is the same."""
        return self is other or (
            isinstance(other, Listing)
            and (self.ids, self.kinds, self.names, self.spelled) == (other.ids, other.kinds, other.names, other.spelled)
            and bool(np.array_equal(self.firsts, other.firsts))
        )

    __hash__ = None  # type: ignore[assignment]  # as a list has none

    def names_of(self, actor: int) -> list[str]:
        return self.names[int(self.firsts[actor]) : int(self.firsts[actor + 1])]

    def kind(self, actor: int) -> str:
        return KINDS[self.kinds[actor] - 1] if self.kinds[actor] else _NO_KIND

    def terms(self, start: int, stop: int) -> Iterator[Term]:
        """The names from `start` as what is searched for; folded many at a time."""
        for low in range(start, stop, _AT_ONCE):
            high = min(low + _AT_ONCE, stop)
            names = self.names[low:high]
            for name, key, spelled in zip(names, fold_keys(names), self.spelled[low:high], strict=True):
                exactness = Exactness.SPELLED if spelled else Exactness.FOLDED
                endings = default_languages(name) if len(self.names) <= MOST_INFLECTED else ()
                yield Term(name, key, Clitics.NAME, exactness, endings=endings)

    def owner(self, name: int) -> int:
        """The actor of the name at this place."""
        return int(np.searchsorted(self.firsts, name, "right")) - 1


class _Written(msgspec.Struct, frozen=True, array_like=True):
    """Numbers as this machine keeps them."""

    ids: bytes
    id_ends: bytes
    kinds: bytes
    lines: bytes
    firsts: bytes
    names: bytes
    name_ends: bytes
    spelled: bytes
    order: bytes
    sums: bytes
    warnings: tuple[Warned, ...]


def write_listing(listing: Listing) -> bytes:
    """What `read_listing` reads on such a machine."""
    return msgspec.msgpack.encode(
        _Written(
            listing.ids.block,
            listing.ids.ends.tobytes(),
            listing.kinds,
            listing.lines.tobytes(),
            listing.firsts.tobytes(),
            listing.names.block,
            listing.names.ends.tobytes(),
            listing.spelled,
            listing.lookup.order.tobytes(),
            listing.lookup.sums.tobytes(),
            listing.warnings,
        )
    )


def read_listing(stored: bytes) -> Listing:
    """Raises `DecodeError` for what `write_listing` did not write."""
    try:
        parts = msgspec.msgpack.decode(stored, type=_Written)
        ids = Column(parts.ids, _numbers(parts.id_ends))
        return Listing(
            ids,
            parts.kinds,
            _numbers(parts.lines),
            _numbers(parts.firsts),
            Column(parts.names, _numbers(parts.name_ends)),
            parts.spelled,
            Lookup(ids, _numbers(parts.order), _numbers(parts.sums)),
            parts.warnings,
        )
    except (msgspec.MsgspecError, ValueError) as error:
        raise DecodeError(f"not stored names: {error}") from error


def _numbers(stored: bytes) -> Numbers:
    return np.frombuffer(stored, np.uint32)
