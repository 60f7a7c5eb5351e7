"""One decision of the sender in the making: reads and puts its rows, collects what is to be told, started and counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from alerts.channels.base import Answer, SendReason, retry
from alerts.outbox import Entry, Kinds, Line, Slot, slot_number
from alerts.pace import FIRST_PAUSE, GIVE_UP, KEPT, pause
from alerts.sending import Job
from daemon.bus.base import Record
from daemon.bus.topics import ALERTS
from daemon.messages import wire
from daemon.messages.alert import Delivery, Message, Sent
from daemon.stage.hop import Effects, Fact, Table, Work

SWEEP: Final = 100
"""Messages for channels that are gone, buried in one wake."""


def idempotency_key(message: Message) -> str:
    """Equal for all repeats of one version of one message."""
    return f"{message.id}.{message.version}"


@dataclass(slots=True)
class Turn:
    """See `Sender`. Messages come in by `take`; `ripen` and `proceed` are wakes, `settle` is an answer."""

    channels: Mapping[str, Sequence[str]]
    kinds: Kinds
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
        known = self.kinds.entry.find(self.table, self._entry_key(new))
        if known is None:
            self._arrive(new)
        elif known.version < new.version:
            self._succeed(known, new)

    def ripen(self, key: bytes, entry: Entry) -> None:
        """An entry's time has come: it is due, or was remembered long enough."""
        if entry.outcome is None:
            self._queue(entry)
        else:
            self.table.put(key, None)

    def proceed(self, line: Line) -> None:
        """A line's time has come: its next attempt, after setting down one that a crash cut off."""
        if line.sending is not None:
            line = self._failed(line, line.sending, retry(SendReason.INTERRUPTED, doubtful=True))
        self._begin(line)

    def settle(self, line: Line, version: int, answer: Answer) -> None:
        """What an attempt with `version` of the message in front came to."""
        if answer.outcome is Delivery.RETRY:
            line = self._failed(replace(line, failures=line.failures + 1), version, answer)
            seed = self.kinds.line.key(line.receiver, line.channel)
            self._put_line(line, self.now + pause(line.failures, seed, answer.after))
            return
        entry = self._front(line)
        if entry is None:
            raise AssertionError("a line that is sending has a message in front")
        self.tell(replace(entry, version=version), answer.outcome, answer.reason, answer.detail, line)
        if answer.outcome is Delivery.DELIVERED:
            self._measure(entry)
        self._leave(replace(line, failures=0), entry, answer.outcome, version)

    def tell(self, entry: Entry, outcome: Delivery, reason: SendReason, detail: str = "", line: Line | None = None) -> None:
        """Journal and count what became of an entry; `line` when attempts at it were made."""
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
            attempt=line.attempt if line else 0,
            doubtful=line.doubtful if line else False,
            headline=message.headline if message else "",
            at=self.now,
        )
        self.out.append(Record(ALERTS, desk, entry.id.encode(), wire.encode(sent), self.now))
        self._count("rasid_messages_total", entry.channel, outcome=outcome.value)

    def _arrive(self, entry: Entry) -> None:
        """Wait until it is due, or join the queue."""
        due = entry.message.due if entry.message else self.now
        if due > self.now:
            self._put(replace(entry, since=None), due)
        else:
            self._queue(entry)

    def _succeed(self, known: Entry, new: Entry) -> None:
        """A newer version replaces one that waits, in its place; one in flight is let end first."""
        if known.outcome is not None:
            self._arrive(new)
            return
        if known.since is None:
            self.tell(known, Delivery.REPLACED, SendReason.NEWER_VERSION)
            self._arrive(new)
            return
        line = self._line(known)
        front = self._front(line)
        in_front = front is not None and front.id == known.id
        if not (in_front and line.sending == known.version):
            self.tell(known, Delivery.REPLACED, SendReason.NEWER_VERSION, line=line if in_front else None)
        if in_front and line.sending is None:
            self._put_line(replace(line, attempt=0, doubtful=False), self._wake_of(line))
        self._put(replace(new, since=known.since), None)

    def _queue(self, entry: Entry) -> None:
        """Join the end of the channel's queue; an idle one wakes at once, a waiting one when it would have."""
        line = self._line(entry)
        wake = self._wake_of(line)
        slot = Slot(receiver=entry.receiver, channel=entry.channel, number=line.tail, id=entry.id)
        self.kinds.slot.put(self.table, self._slot_key(line, line.tail), slot, None)
        self._put(replace(entry, since=self.now), None)
        self._put_line(replace(line, tail=line.tail + 1), wake)

    def _begin(self, line: Line) -> None:
        """Put on record that an attempt at the message in front begins, and ask for it."""
        for _ in range(SWEEP):
            entry = self._front(line)
            if entry is None or entry.message is None:
                self._put_line(replace(line, failures=0), None)
                return
            if line.channel in self.channels.get(line.receiver, ()):
                self._start(replace(line, attempt=line.attempt + 1, sending=entry.version), entry.message)
                return
            self.tell(entry, Delivery.DEAD, SendReason.NO_RECEIVER, line=line)
            line = self._leave(line, entry, Delivery.DEAD, entry.version)
        self._put_line(line, self.now + FIRST_PAUSE)

    def _start(self, line: Line, message: Message) -> None:
        job = Job(message=message, channel=line.channel, key=idempotency_key(message), attempt=line.attempt)
        self.work.append(Work(self.kinds.line.key(line.receiver, line.channel), job))
        self._put_line(line, self.now)

    def _failed(self, line: Line, version: int, answer: Answer) -> Line:
        """An attempt failed: the message stays in front, unless it is too old or a newer version takes its place."""
        entry = self._front(line)
        if entry is None:
            raise AssertionError("a line that is sending has a message in front")
        if answer.doubtful:
            self._count("rasid_messages_doubtful_total", line.channel)
        line = replace(line, doubtful=line.doubtful or answer.doubtful)
        sent = replace(entry, version=version)
        if entry.version != version:
            self.tell(sent, Delivery.REPLACED, SendReason.NEWER_VERSION, answer.detail, line)
            return replace(line, sending=None, attempt=0, doubtful=False)
        if self._too_old(entry) and answer.reason is not SendReason.INTERRUPTED:
            self.tell(sent, Delivery.DEAD, SendReason.GAVE_UP, f"{answer.reason} {answer.detail}".strip(), line)
            return self._leave(line, entry, Delivery.DEAD, version)
        self.tell(sent, Delivery.RETRY, answer.reason, answer.detail, line)
        return replace(line, sending=None)

    def _leave(self, line: Line, entry: Entry, outcome: Delivery, version: int) -> Line:
        """Take the front message off its line and remember it; a newer version that came meanwhile starts afresh."""
        self.table.put(self._slot_key(line, line.head), None)
        line = replace(line, head=line.head + 1, attempt=0, sending=None, doubtful=False)
        self._put_line(line, self.now)
        if version != entry.version:
            self._arrive(entry)
            return self._line(entry)
        body = None if outcome is Delivery.DELIVERED else entry.message
        self._put(replace(entry, message=body, outcome=outcome), self.now + KEPT)
        return line

    def _too_old(self, entry: Entry) -> bool:
        return entry.since is not None and self.now - entry.since >= GIVE_UP

    def _measure(self, entry: Entry) -> None:
        if entry.message is not None and not entry.message.sample:
            delay = max(0.0, self.now - entry.message.found)
            self.facts.append(Fact("rasid_delivery_delay_seconds", {"channel": _kind(entry.channel)}, delay))

    def _count(self, metric: str, channel: str, **labels: str) -> None:
        self.facts.append(Fact(metric, {"channel": _kind(channel), **labels}))

    def _line(self, entry: Entry) -> Line:
        found = self.kinds.line.find(self.table, self.kinds.line.key(entry.receiver, entry.channel))
        return found or Line(receiver=entry.receiver, channel=entry.channel)

    def _front(self, line: Line) -> Entry | None:
        slot = self.kinds.slot.find(self.table, self._slot_key(line, line.head))
        if slot is None:
            return None
        return self.kinds.entry.find(self.table, self.kinds.entry.key(line.receiver, line.channel, slot.id))

    def _put(self, entry: Entry, wake: float | None) -> None:
        self.kinds.entry.put(self.table, self._entry_key(entry), entry, wake)

    def _put_line(self, line: Line, wake: float | None) -> None:
        """A line with nothing to send and no failure to remember goes; its next message starts a new one."""
        key = self.kinds.line.key(line.receiver, line.channel)
        if line.head == line.tail and line.failures == 0:
            self.table.put(key, None)
        else:
            self.kinds.line.put(self.table, key, line, wake)

    def _wake_of(self, line: Line) -> float | None:
        row = self.table.get(self.kinds.line.key(line.receiver, line.channel))
        return row.wake if row else self.now

    def _entry_key(self, entry: Entry) -> bytes:
        return self.kinds.entry.key(entry.receiver, entry.channel, entry.id)

    def _slot_key(self, line: Line, number: int) -> bytes:
        return self.kinds.slot.key(line.receiver, line.channel, slot_number(number))


def _kind(channel: str) -> str:
    return channel.partition(":")[0] or "none"
