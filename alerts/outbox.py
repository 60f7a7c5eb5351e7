"""The sender's rows: what stands durably about messages that wait, are being sent, or have left.

    entry  one per receiver, channel and message: the message while it may still have to be sent, and its version after
    slot   one per place in a queue: which message stands there
    queue  one per receiver and channel with something to send: its ends, and how the one in front is doing

Receiver and channel are the first parts of each key.
"""

from dataclasses import dataclass
from typing import Final

from alerts.kind import Kind
from daemon.messages.alert import Delivery, Message


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
class Queue:
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


ENTRY: Final = Kind(b"entry", Entry)
SLOT: Final = Kind(b"slot", Slot)
QUEUE: Final = Kind(b"queue", Queue)


def slot_number(number: int) -> str:
    """A slot's number as part of its key: keys sort as their numbers do."""
    return f"{number:016x}"
