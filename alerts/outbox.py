"""The sender's rows: what stands durably about messages that wait, are being sent, or have left.

    entry  one per receiver, channel and message: the message while it may still have to be sent, and its version after
    slot   one per place in a channel's queue: which message stands there
    line   one per receiver and channel with something to send: its queue's ends, and how the one in front is doing

Keys are `kind US receiver US channel [US id]`; values are JSON with a version.
"""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec

from daemon.bus.base import Row
from daemon.errors import DecodeError
from daemon.messages.alert import Delivery, Message
from daemon.stage.hop import Table

T = TypeVar("T", bound="Entry | Slot | Line")

_US: Final = b"\x1f"
_VERSION: Final = b"1"
ENTRY: Final = b"entry"
SLOT: Final = b"slot"
LINE: Final = b"line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A message for one channel. `message` is gone once it was delivered; `outcome` is None while it waits.

    `since`: when it joined the queue, None before that (not due yet).
    """

    receiver: str
    channel: str
    id: str
    version: int
    message: Message | None
    since: float | None = None
    outcome: Delivery | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place in a queue, and the id of the message that stands there."""

    receiver: str
    channel: str
    number: int
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A channel's queue: slots `head` up to, not including, `tail`.

    `sending` is the version in flight of the message in front; when a row says so and nothing is in flight, the
    process died in between. `attempt` and `doubtful` are about the message in front, `failures` about the channel.
    """

    receiver: str
    channel: str
    head: int = 0
    tail: int = 0
    failures: int = 0
    attempt: int = 0
    sending: int | None = None
    doubtful: bool = False


class Kind(Generic[T]):
    """How one kind of row is found, read and written."""

    def __init__(self, prefix: bytes, shape: type[T]) -> None:
        self._prefix = prefix
        self._decoder = msgspec.json.Decoder(shape)

    def key(self, receiver: str, channel: str, *rest: str) -> bytes:
        return _US.join([self._prefix, *(part.encode("utf-8", "surrogatepass") for part in (receiver, channel, *rest))])

    def read(self, row: Row) -> T:
        """Raises `DecodeError` for a row of a later version."""
        value = row.value or b""
        if not value.startswith(_VERSION):
            raise DecodeError("a row this version of Rasid cannot read; run a newer one", subject=repr(row.key))
        try:
            return self._decoder.decode(value[1:])
        except msgspec.MsgspecError as error:
            raise DecodeError(str(error), subject=repr(row.key)) from error

    def find(self, table: Table, key: bytes) -> T | None:
        row = table.get(key)
        return None if row is None else self.read(row)

    def put(self, table: Table, key: bytes, value: T, wake: float | None) -> None:
        table.put(key, Row(value.receiver, key, _VERSION + msgspec.json.encode(value), wake))


@dataclass(frozen=True, slots=True)
class Kinds:
    """The three kinds together."""

    entry: Kind[Entry]
    slot: Kind[Slot]
    line: Kind[Line]


def kinds() -> Kinds:
    return Kinds(Kind(ENTRY, Entry), Kind(SLOT, Slot), Kind(LINE, Line))


def kind_of(key: bytes) -> bytes:
    """`ENTRY`, `SLOT` or `LINE`."""
    return key.partition(_US)[0]


def slot_number(number: int) -> str:
    """A slot's number as part of its key: keys sort as their numbers do."""
    return f"{number:016x}"
