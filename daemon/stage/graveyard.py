"""Dead letters as people handle them: told apart by an id, opened, and put back on the topic they came from. Pure."""

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Final

from daemon.bus.base import MAX_BYTES, Record
from daemon.errors import DecodeError
from daemon.messages.dead import DeadLetter
from daemon.messages.wire import decode, make_id

_ID_LENGTH: Final = 12


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
