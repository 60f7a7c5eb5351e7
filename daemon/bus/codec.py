"""Bytes of rows where an engine stores them as one value: in the changelog of the Kafka engine, and in `HeldRows`."""

import struct

from daemon.bus.base import Row
from daemon.bus.topics import lane_bytes, lane_text
from daemon.errors import DecodeError, NewerRow

_HEAD = struct.Struct(">BBdI")
_VERSION = 1
_HAS_WAKE = 1


def encode_row(row: Row) -> bytes:
    """Version, flags, wake (float64), length of the lane, lane, value. A deleted row has no bytes: store a tombstone."""
    if row.value is None:
        raise ValueError("a deleted row is a tombstone, not bytes")
    lane = lane_bytes(row.lane)
    flags = _HAS_WAKE if row.wake is not None else 0
    return _HEAD.pack(_VERSION, flags, row.wake or 0.0, len(lane)) + lane + row.value


def decode_row(key: bytes, stored: bytes) -> Row:
    """The row that `encode_row` made. Raises `NewerRow`, and `DecodeError` for a cut value."""
    wake, start = _head(key, stored)
    lane = lane_text(stored[_HEAD.size : start])
    return Row(lane, key, stored[start:], wake)


def wake_of(key: bytes, stored: bytes) -> float | None:
    """The wake alone, without unpacking the rest. Raises as `decode_row`."""
    return _head(key, stored)[0]


def _head(key: bytes, stored: bytes) -> tuple[float | None, int]:
    """The wake, and where the value starts."""
    if len(stored) < _HEAD.size:
        raise DecodeError(f"row of {len(stored)} bytes is cut short", subject=repr(key))
    version, flags, wake, length = _HEAD.unpack_from(stored)
    if version != _VERSION:
        raise NewerRow(f"the row {key!r}", version)
    start = _HEAD.size + length
    if len(stored) < start:
        raise DecodeError(f"row of {len(stored)} bytes is cut short", subject=repr(key))
    return (wake if flags & _HAS_WAKE else None), start
