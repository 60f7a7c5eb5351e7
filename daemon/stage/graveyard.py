"""Dead letters: written when a hop gives a record up, told apart by an id, opened, put back on their topic. Pure."""

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Final

from daemon.bus.base import MAX_BYTES, Record
from daemon.bus.topics import DEADLETTER
from daemon.errors import DecodeError
from daemon.messages.dead import DeadLetter
from daemon.messages.wire import decode, encode, make_id

_ID_LENGTH: Final = 12
_WHOLE: Final = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Grave:
    """Where a record stood and which hop gave it up."""

    partition: int
    hop: str


def dead_letter(record: Record, grave: Grave, reason: str, error: str, at: float) -> Record:
    """The record for `deadletter`. A value too large to travel whole is compressed, and cut when even that is too large."""
    value = record.value or b""
    encoding = "base64"
    if len(value) > _WHOLE:
        value, encoding = zlib.compress(value, 6), "zlib+base64"
    if len(value) > _WHOLE:
        value, error = value[:_WHOLE], f"{error} (the stored value is cut)"
    letter = DeadLetter(
        topic=record.topic,
        partition=grave.partition,
        offset=record.offset,
        hop=grave.hop,
        reason=reason,
        error=error[:2000],
        value=base64.b64encode(value).decode("ascii"),
        encoding=encoding,
        at=at,
    )
    return Record(DEADLETTER, record.lane, record.key, encode(letter), at)


@dataclass(frozen=True, slots=True)
class Buried:
    """A dead letter with the lane and key of the record it holds."""

    lane: str
    key: bytes
    letter: DeadLetter

    @property
    def id(self) -> str:
        """Of the record and the hop that gave it up: a letter written twice, after a crash, is one."""
        letter = self.letter
        return make_id(letter.topic, str(letter.partition), str(letter.offset), letter.hop)[:_ID_LENGTH]

    @property
    def record(self) -> str:
        """Of what is put back: equal in all letters of one that was put back and failed again, each time at a new offset."""
        letter = self.letter
        return make_id(letter.topic, letter.hop, self.lane, self.key.hex(), letter.encoding, letter.value)[:_ID_LENGTH]

    def value(self) -> bytes:
        """The record's bytes as they came. Raises `DecodeError` when the letter does not hold all of them."""
        try:
            value = base64.b64decode(self.letter.value, validate=True)
            if self.letter.encoding == "zlib+base64":
                opener = zlib.decompressobj()
                value = opener.decompress(value, MAX_BYTES + 1)
                if not opener.eof:
                    raise DecodeError("the stored value is cut; the whole is on the original topic", subject=self.id)
        except (binascii.Error, zlib.error) as error:
            raise DecodeError(f"the stored value is damaged: {error}", subject=self.id) from error
        return value

    def replayed(self, now: float) -> Record:
        """The record as its hop may take it again: same topic, lane, key and bytes. Raises `DecodeError`."""
        return Record(self.letter.topic, self.lane, self.key, self.value(), now)


def unearth(record: Record) -> Buried:
    """What a record on `deadletter` holds. Raises `DecodeError`."""
    letter = decode(record.value)
    if not isinstance(letter, DeadLetter):
        raise DecodeError("not a dead letter", subject=type(letter).__name__)
    return Buried(record.lane, record.key, letter)
