"""The one bound on what travels, checked before anything is written."""

from collections.abc import Iterable

from daemon.bus.base import MAX_BYTES, Record, Row
from daemon.errors import TooLarge


def refuse_large(out: Iterable[Record], rows: Iterable[Row] = ()) -> None:
    """Raises `TooLarge` when a value has more than `MAX_BYTES`."""
    things: Iterable[Record | Row] = (*out, *rows)
    for thing in things:
        if thing.value is not None and len(thing.value) > MAX_BYTES:
            raise TooLarge(f"{len(thing.value)} bytes are more than the {MAX_BYTES} that may travel", subject=repr(thing.key))
