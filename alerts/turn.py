"""One decision of the sender in the making: reads and puts its rows, collects what is to be told, started and counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from alerts.channels.base import Answer, SendReason, retry
from alerts.outbox import ENTRY, QUEUE, SLOT, Entry, Queue, Slot, slot_number
from alerts.pace import FIRST_PAUSE, GIVE_UP, KEPT, LONGEST_WAIT, TRIED, pause
from alerts.sending import Job
from daemon.bus.base import Record, Row
from daemon.bus.topics import ALERTS
from daemon.clock import JUMP
from daemon.messages import wire
from daemon.messages.alert import Delivery, Message, Sent
from daemon.stage.hop import Effects, Fact, Table, Work

SWEEP: Final = 100
"""Messages passed over in one wake: for channels that are gone, or not due."""


def idempotency_key(message: Message) -> str:
    """Equal for all repeats of one version of one message."""
    return f"{message.id}.{message.version}"


@dataclass(slots=True)
class Turn:
    """See `Sender`. Messages come in by `take`; `ripen` and `proceed` are wakes, `settle` is an answer."""

    channels: Mapping[str, Sequence[str]]
    table: Table
    now: float
    out: list[Record] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def effects(self) -> Effects:
        return Effects(self.out, self.work, self.facts)

    def take(self, message: Message, channel: str) -> None:
        """A message for one channel: new, a newer version, or (ignored) one that was here already."""
        new = Entry(receiver=message.receiver, channel=channel, id=message.id, version=message.version, message=message)
        known = ENTRY.find(self.table, self._entry_key(new))
        if known is None:
            self._arrive(new)
        elif known.version < new.version:
            self._succeed(known, new)

    def ripen(self, key: bytes, entry: Entry) -> None:
        """An entry's time has come: it is due, or was remembered long enough."""
        if entry.outcome is None:
            self._join(entry)
        else:
            self.table.put(key, None)

    def proceed(self, queue: Queue) -> None:
        """A queue's time has come: its next attempt, after setting down one that a crash cut off."""
        if queue.sending is not None:
            queue = self._failed(queue, queue.sending, retry(SendReason.INTERRUPTED, doubtful=True))
        self._begin(queue)

    def hasten_queue(self, row: Row) -> None:
        """Wake at once a queue that only a clock since set back can have put off so long: all in it is due now.

        Its oldest message joined it in the future, or its pause is longer than any, or an attempt began in the future.
        """
        queue = QUEUE.read(row)
        longest = 0.0 if queue.sending is not None else LONGEST_WAIT
        if not self._is_ahead(self._front(queue)) and (row.wake is None or row.wake <= self.now + longest):
            return
        for head in range(queue.head, queue.tail):
            entry = self._front(replace(queue, head=head))
            if entry is not None and entry.message is not None and self._is_ahead(entry):
                self._put(replace(entry, since=self.now, message=replace(entry.message, due=self.now)), None)
        QUEUE.put(self.table, row.key, queue, self.now)

    def hasten_entry(self, entry: Entry) -> None:
        """Wake at once a message that waits until it is due, where that is of a clock since set back."""
        timely = self._timely(entry)
        if entry.outcome is None and entry.since is None and timely is not entry:
            self._put(timely, self.now)

    def settle(self, queue: Queue, version: int, answer: Answer) -> None:
        """What an attempt with `version` of the message in front came to."""
        if answer.outcome is Delivery.RETRY:
            queue = self._failed(replace(queue, failures=queue.failures + 1), version, answer)
            seed = QUEUE.key(queue.receiver, queue.channel)
            self._put_queue(queue, self.now + pause(queue.failures, seed, answer.after))
            return
        entry = self._front(queue)
        if entry is None:
            raise AssertionError("a queue that is sending has a message in front")
        self.tell(replace(entry, version=version), answer.outcome, answer.reason, answer.detail, queue)
        if answer.outcome is Delivery.DELIVERED:
            self._measure(entry)
        self._leave(replace(queue, failures=0), entry, answer.outcome, version)

    def tell(self, entry: Entry, outcome: Delivery, reason: SendReason, detail: str = "", queue: Queue | None = None) -> None:
        """Journal and count what became of an entry; `queue` when attempts at it were made."""
        message = entry.message
        desk = message.desk if message else ""
        sent = Sent(
            desk=desk,
            message=entry.id,
            version=entry.version,
            receiver=entry.receiver,
            channel=entry.channel,
            outcome=outcome,
            reason=reason.value,
            detail=detail,
            attempt=queue.attempt if queue else 0,
            doubtful=queue.doubtful if queue else False,
            headline=message.headline if message else "",
            at=self.now,
        )
        self.out.append(Record(ALERTS, desk, entry.id.encode(), wire.encode(sent), self.now))
        self._count("rasid_messages_total", entry.channel, outcome=outcome.value)

    def _arrive(self, entry: Entry) -> None:
        """Wait until it is due, or join the queue."""
        entry = self._timely(entry)
        due = entry.message.due if entry.message else self.now
        if due > self.now:
            self._put(replace(entry, since=None), due)
        else:
            self._join(entry)

    def _succeed(self, known: Entry, new: Entry) -> None:
        """A newer version replaces one that waits, in its place; one in flight is let end first."""
        if known.outcome is not None:
            self._arrive(new)
            return
        if known.since is None:
            self.tell(known, Delivery.REPLACED, SendReason.NEWER_VERSION)
            self._arrive(new)
            return
        queue = self._queue_of(known)
        front = self._front(queue)
        in_front = front is not None and front.id == known.id
        if not (in_front and queue.sending == known.version):
            self.tell(known, Delivery.REPLACED, SendReason.NEWER_VERSION, queue=queue if in_front else None)
        if in_front and queue.sending is None:
            self._put_queue(replace(queue, attempt=0, doubtful=False), self._wake_of(queue))
        self._put(replace(new, since=known.since), None)

    def _join(self, entry: Entry) -> None:
        """Join the end of the channel's queue; an idle one wakes at once, a waiting one when it would have."""
        queue = self._queue_of(entry)
        wake = self._wake_of(queue)
        slot = Slot(receiver=entry.receiver, channel=entry.channel, number=queue.tail, id=entry.id)
        SLOT.put(self.table, self._slot_key(queue, queue.tail), slot, None)
        self._put(replace(entry, since=self.now), None)
        self._put_queue(replace(queue, tail=queue.tail + 1), wake)

    def _begin(self, queue: Queue) -> None:
        """Put on record that an attempt at the message in front begins, and ask for it.

        A version that took another's place in the queue and is not due yet makes way, and comes with its own time.
        """
        for _ in range(SWEEP):
            entry = self._next(queue)
            if entry is None or entry.message is None:
                self._put_queue(replace(queue, failures=0), None)
                return
            if entry.message.due > self.now:
                queue = self._shift(queue)
                self._arrive(entry)
            elif queue.channel in self.channels.get(queue.receiver, ()):
                self._start(replace(queue, attempt=queue.attempt + 1, sending=entry.version), entry.message)
                return
            else:
                self.tell(entry, Delivery.DEAD, SendReason.NO_RECEIVER, queue=queue)
                queue = self._leave(queue, entry, Delivery.DEAD, entry.version)
        self._put_queue(queue, self.now + FIRST_PAUSE)

    def _start(self, queue: Queue, message: Message) -> None:
        job = Job(message=message, channel=queue.channel, key=idempotency_key(message), attempt=queue.attempt)
        self.work.append(Work(QUEUE.key(queue.receiver, queue.channel), job))
        self._put_queue(queue, self.now)

    def _failed(self, queue: Queue, version: int, answer: Answer) -> Queue:
        """An attempt failed: the message stays in front, unless it is too old or a newer version takes its place."""
        entry = self._front(queue)
        if entry is None:
            raise AssertionError("a queue that is sending has a message in front")
        if answer.doubtful:
            self._count("rasid_messages_doubtful_total", queue.channel)
        queue = replace(queue, doubtful=queue.doubtful or answer.doubtful)
        sent = replace(entry, version=version)
        if entry.version != version:
            self.tell(sent, Delivery.REPLACED, SendReason.NEWER_VERSION, answer.detail, queue)
            return replace(queue, sending=None, attempt=0, doubtful=False)
        if self._too_old(entry) and queue.failures >= TRIED and answer.reason is not SendReason.INTERRUPTED:
            self.tell(sent, Delivery.DEAD, SendReason.GAVE_UP, f"{answer.reason} {answer.detail}".strip(), queue)
            return self._leave(queue, entry, Delivery.DEAD, version)
        self.tell(sent, Delivery.RETRY, answer.reason, answer.detail, queue)
        return replace(queue, sending=None)

    def _leave(self, queue: Queue, entry: Entry, outcome: Delivery, version: int) -> Queue:
        """Take the front message off its queue and remember it; a newer version that came meanwhile starts afresh."""
        queue = self._shift(queue)
        if version != entry.version:
            self._arrive(entry)
            return self._queue_of(entry)
        body = None if outcome is Delivery.DELIVERED else entry.message
        self._put(replace(entry, message=body, outcome=outcome), self.now + KEPT)
        return queue

    def _shift(self, queue: Queue) -> Queue:
        """The queue without its front message."""
        self.table.put(self._slot_key(queue, queue.head), None)
        queue = replace(queue, head=queue.head + 1, attempt=0, sending=None, doubtful=False)
        self._put_queue(queue, self.now)
        return queue

    def _timely(self, entry: Entry) -> Entry:
        """The entry, due now if it is due so far ahead that a clock was wrong: the alerter tells what is due when it is."""
        message = entry.message
        if message is None or message.due <= self.now + JUMP:
            return entry
        return replace(entry, message=replace(message, due=self.now))

    def _is_ahead(self, entry: Entry | None) -> bool:
        """Whether it joined its queue in the future."""
        return entry is not None and entry.since is not None and entry.since > self.now

    def _too_old(self, entry: Entry) -> bool:
        return entry.since is not None and self.now - entry.since >= GIVE_UP

    def _measure(self, entry: Entry) -> None:
        if entry.message is not None and not entry.message.sample:
            delay = max(0.0, self.now - entry.message.found)
            self.facts.append(Fact("rasid_delivery_delay_seconds", {"channel": _kind(entry.channel)}, delay))

    def _count(self, metric: str, channel: str, **labels: str) -> None:
        self.facts.append(Fact(metric, {"channel": _kind(channel), **labels}))

    def _queue_of(self, entry: Entry) -> Queue:
        found = QUEUE.find(self.table, QUEUE.key(entry.receiver, entry.channel))
        return found or Queue(receiver=entry.receiver, channel=entry.channel)

    def _front(self, queue: Queue) -> Entry | None:
        slot = SLOT.find(self.table, self._slot_key(queue, queue.head))
        if slot is None:
            return None
        return ENTRY.find(self.table, ENTRY.key(queue.receiver, queue.channel, slot.id))

    def _next(self, queue: Queue) -> Entry | None:
        """The front, by the time that is now."""
        front = self._front(queue)
        if front is None:
            return None
        timely = self._timely(front)
        if timely is not front:
            self._put(timely, None)
        return timely

    def _put(self, entry: Entry, wake: float | None) -> None:
        ENTRY.put(self.table, self._entry_key(entry), entry, wake)

    def _put_queue(self, queue: Queue, wake: float | None) -> None:
        """A queue with nothing to send and no failure to remember goes; its next message starts a new one."""
        key = QUEUE.key(queue.receiver, queue.channel)
        if queue.head == queue.tail and queue.failures == 0:
            self.table.put(key, None)
        else:
            QUEUE.put(self.table, key, queue, wake)

    def _wake_of(self, queue: Queue) -> float | None:
        row = self.table.get(QUEUE.key(queue.receiver, queue.channel))
        return row.wake if row else self.now

    def _entry_key(self, entry: Entry) -> bytes:
        return ENTRY.key(entry.receiver, entry.channel, entry.id)

    def _slot_key(self, queue: Queue, number: int) -> bytes:
        return SLOT.key(queue.receiver, queue.channel, slot_number(number))


def _kind(channel: str) -> str:
    return channel.partition(":")[0] or "none"
