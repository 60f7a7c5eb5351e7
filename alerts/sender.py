"""Hop 5: when each message is handed to which channel, and what becomes of it. Sends nothing itself.

    outbox ─ entry (waits until due) ─ queue of its channel ─ attempt n started ─ send ─┬─ delivered ─▶ journal
                                          ▲                                             ├─ dead ──────▶ journal
                                          └────────────── 1 s doubling to 2 min ────────┴─ retry ─────▶ journal

One message per channel is in flight, the oldest; a receiver that fails or asks for a pause holds up only its own queue.
A row that says an attempt had begun, and nothing in flight, is a crash in between: sent again under the same key, counted.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from alerts.channels.base import Answer, SendReason, retry
from alerts.kind import kind_of
from alerts.outbox import ENTRY, QUEUE, Entry
from alerts.turn import Turn
from daemon.bus.base import Row
from daemon.clock import JUMP
from daemon.errors import DecodeError
from daemon.messages.alert import Delivery, Message
from daemon.stage.hop import Effects, Hop, Table, Time


class Sender(Hop[Message, Message]):
    """The hop. `channels`: the names of each configured receiver's channels (see `channel_names`), looked up live."""

    name = "sender"
    time = Time.WALL

    def __init__(self, channels: Mapping[str, Sequence[str]]) -> None:
        self._channels = channels

    def prepare(self, batch: Sequence[Message]) -> Sequence[Message]:
        return batch

    def decide(self, item: Message, table: Table, now: float) -> Effects:
        """Queue the message for each channel of its receiver; attempts begin when the queue's row wakes, which is at once."""
        turn = self._turn(table, now)
        names = self._channels.get(item.receiver, ())
        if not names:
            entry = Entry(receiver=item.receiver, channel="", id=item.id, version=item.version, message=item)
            turn.tell(entry, Delivery.DEAD, SendReason.NO_RECEIVER)
        for name in names:
            turn.take(item, name)
        return turn.effects()

    def wake(self, row: Row, table: Table, now: float) -> Effects:
        """A queue's next attempt is due, a message's hour has come, or one has been remembered long enough."""
        turn = self._turn(table, now)
        if kind_of(row.key) == QUEUE.prefix:
            turn.proceed(QUEUE.read(row))
        else:
            turn.ripen(row.key, ENTRY.read(row))
        return turn.effects()

    def done(self, key: bytes, result: object, table: Table, now: float) -> Effects:
        """An attempt has ended. It starts no other: while a lease is left, none may be put on record."""
        turn = self._turn(table, now)
        queue = QUEUE.find(table, key)
        if queue is not None and queue.sending is not None:
            answer = result if isinstance(result, Answer) else retry(SendReason.INTERNAL, doubtful=True)
            turn.settle(queue, queue.sending, answer)
        return turn.effects()

    def reconcile(self, partition: int, partitions: int, table: Table, now: float) -> Effects:  # noqa: ARG002 - the hop's shape
        """Where the clock was set back, neither queues nor messages wait for it to be there again."""
        turn = self._turn(table, now)
        for row in list(table.scan(QUEUE.prefix)):
            turn.hasten_queue(row)
        for row in list(table.scan(ENTRY.prefix)):
            if row.wake is not None and row.wake > now + JUMP:
                with suppress(DecodeError):  # a damaged one is told when it wakes
                    turn.hasten_entry(ENTRY.read(row))
        return turn.effects()

    def _turn(self, table: Table, now: float) -> Turn:
        return Turn(self._channels, table, now)
