"""Records and rows as Kafka stores them: lane and instant in headers, rows as values of a compacted topic.

Kafka's own timestamp is the instant of writing, which retention goes by; it is never earlier than `at` (by at most half an
hour it may lie ahead), so that reading since an instant may start from the index of timestamps.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from daemon.bus.base import MAX_BYTES, Record, Row
from daemon.bus.codec import encode_row
from daemon.bus.topics import lane_bytes, lane_text, partition_of
from daemon.errors import TooLarge

MARGIN: Final = 64 * 1024
"""What key, lane and envelope may take beside the value."""
MESSAGE_BYTES: Final = MAX_BYTES + MARGIN
"""The largest message the topics have to take (`max.message.bytes`)."""
AHEAD: Final = 1800.0
"""Brokers refuse timestamps more than an hour ahead of their clock; half of it leaves room for clocks that differ."""

_AT: Final = struct.Struct(">d")
_ENVELOPE: Final = 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One message to be written: `topic` by its full name, `timestamp` in milliseconds (None: the present)."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    timestamp: int | None = None
    headers: Sequence[tuple[str, bytes]] = ()


def entry_of(record: Record, topic: str, partitions: int, now: float) -> Entry:
    """Raises `TooLarge`. `topic` is the full name, `partitions` how many it has."""
    lane = lane_bytes(record.lane)
    _check(len(record.value or b""), len(record.key) + len(lane), repr(record.key))
    timestamp = round(min(max(record.at, now), now + AHEAD) * 1000)
    headers = (("lane", lane), ("at", _AT.pack(record.at)))
    return Entry(topic, partition_of(record.lane, partitions), record.key, record.value, timestamp, headers)


def entry_of_row(row: Row, topic: str, partition: int) -> Entry:
    """Raises `TooLarge`. A deleted row is a tombstone."""
    _check(len(row.value or b""), len(row.key) + len(lane_bytes(row.lane)), repr(row.key))
    return Entry(topic, partition, row.key, None if row.value is None else encode_row(row))


def _check(value: int, rest: int, subject: str) -> None:
    if value > MAX_BYTES:
        raise TooLarge(f"{value} bytes are more than the {MAX_BYTES} a record or row may have", subject=subject)
    if rest > MARGIN - _ENVELOPE:
        raise TooLarge(f"key and lane of {rest} bytes are more than the {MARGIN - _ENVELOPE} they may have", subject=subject)


def record_of(message: Any, topic: str) -> Record:
    """The record in a message of aiokafka's, never failing: what others wrote without our headers has to get past, too.

    It has no lane then, and the broker's instant.
    """
    headers = dict(message.headers)
    packed = headers.get("at") or b""
    at = _AT.unpack(packed)[0] if len(packed) == _AT.size else message.timestamp / 1000
    return Record(topic, _lane(headers.get("lane") or b""), message.key or b"", message.value, at, message.offset)


def _lane(stored: bytes) -> str:
    try:
        return lane_text(stored)
    except UnicodeDecodeError:
        return stored.decode("utf-8", "replace")
