"""How rows are found, read and written: keys are `kind US lane US …`, values a version and JSON. Knows no kind by name."""

from typing import Final, Generic, TypeVar

import msgspec
import orjson

from daemon.bus.base import Row
from daemon.errors import DecodeError, NewerRow
from daemon.stage.hop import Table

T = TypeVar("T")

_US: Final = b"\x1f"
_VERSION: Final = b"1"
_LEAD: Final = _VERSION + b"{"


class Kind(Generic[T]):
    """How one kind of row is found, read and written. A row's lane is the first part of its key."""

    def __init__(self, prefix: bytes, shape: type[T]) -> None:
        self.prefix = prefix
        self._decoder = msgspec.json.Decoder(shape)

    def key(self, *parts: str) -> bytes:
        return b"%b\x1f%b" % (self.prefix, "\x1f".join(parts).encode("utf-8", "surrogatepass"))

    def read(self, row: Row) -> T:
        """Raises `NewerRow`, and `DecodeError` for what is no row."""
        value = row.value or b""
        if not value.startswith(_LEAD):
            raise _unreadable(row.key, value)
        try:
            return self._decoder.decode(value[len(_VERSION) :])
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise DecodeError(str(error), subject=repr(row.key)) from error

    def find(self, table: Table, key: bytes) -> T | None:
        row = table.get(key)
        return None if row is None else self.read(row)

    def put(self, table: Table, key: bytes, value: T, wake: float | None = None) -> None:
        lane = key.split(_US, 2)[1].decode("utf-8", "surrogatepass")
        table.put(key, Row(lane, key, _VERSION + orjson.dumps(value), wake))


def _unreadable(key: bytes, value: bytes) -> Exception:
    version = value.partition(b"{")[0]
    if version.isdigit():
        return NewerRow(f"the row {key!r}", int(version))
    return DecodeError("not a row", subject=repr(key))


def kind_of(key: bytes) -> bytes:
    """A row's kind, as its key begins."""
    return key.partition(_US)[0]
