"""Drives the sender as the runner does, in virtual time and without a bus: steps over committed rows, work, crashes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from alerts.channels.base import Answer
from alerts.sender import Sender
from alerts.sending import Job
from daemon.bus.held import HeldRows
from daemon.messages import wire
from daemon.messages.alert import Delivery, Message, Sent
from daemon.stage.hop import Effects, Fact
from daemon.stage.table import StepTable


class Bench:
    """`flying` is the work in flight by row key; `journal` and `facts` are what committed."""

    def __init__(self, channels: Mapping[str, Sequence[str]], now: float = 1000.0) -> None:
        self.hop = Sender(channels)
        self.rows = HeldRows()
        self.now = now
        self.flying: dict[bytes, Job] = {}
        self.journal: list[Sent] = []
        self.facts: list[Fact] = []

    def step(self, *messages: Message, results: Sequence[tuple[bytes, object]] = (), wakes: bool = True) -> None:
        """One step as the runner makes it: results, wakes, records; then what came of it commits and work starts."""
        table = StepTable(self.rows)
        effects = []
        for key, result in results:
            self.flying.pop(key, None)
            effects.append(self.hop.done(key, result, table, self.now))
        busy = set(self.flying)
        while wakes and (row := table.next_due(self.now, busy)) is not None:
            woken = self.hop.wake(row, table, self.now)
            after = table.get(row.key)
            started = {work.key for work in woken.work}
            assert after is None or after.wake is None or after.wake > (row.wake or 0) or row.key in started
            busy |= started
            effects.append(woken)
        effects += [self.hop.decide(message, table, self.now) for message in messages]
        self.rows.apply(table.changes())
        for effect in effects:
            self._commit(effect)

    def _commit(self, effects: Effects) -> None:
        for record in effects.out:
            told = wire.decode(record.value)
            assert isinstance(told, Sent)
            assert (record.lane, record.key) == (told.desk, told.message.encode())
            self.journal.append(told)
        for work in effects.work:
            assert work.key not in self.flying, "one in flight per channel"
            assert isinstance(work.job, Job)
            assert work.job.message.due <= self.now, "nothing leaves before it is due"
            self.flying[work.key] = work.job
        self.facts.extend(effects.facts)

    def publish(self, *messages: Message) -> None:
        """Take records and start what they ask for."""
        self.step(*messages)
        self.step()

    def answer(self, answer: Answer, key: bytes | None = None) -> Job:
        """End the work in flight (the only one, or that of `key`); the next one starts when it is due."""
        if key is None:
            (key,) = self.flying
        job = self.flying[key]
        self.step(results=[(key, answer)])
        return job

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.step()

    def reconcile(self) -> None:
        """As when a lease opens, or the clock was set back."""
        table = StepTable(self.rows)
        self._commit(self.hop.reconcile(0, 1, table, self.now))
        self.rows.apply(table.changes())

    def crash(self) -> None:
        """The process ends and another takes over: committed rows stay, work in flight is gone."""
        self.flying.clear()
        self.step()

    def wait(self) -> float:
        """Go on to the next wake; says how many seconds that took."""
        wake = self.rows.next_wake()
        assert wake is not None
        seconds = max(0.0, wake - self.now)
        self.advance(seconds)
        return seconds

    async def serve(self, worker: Callable[[object], Awaitable[object]], until: Callable[[], bool]) -> None:
        """Perform work for real, skipping over waits, until the condition holds."""
        async with asyncio.timeout(20):
            while not until():
                if not self.flying:
                    self.wait()
                    continue
                keys = list(self.flying)
                answers = await asyncio.gather(*(worker(self.flying[key]) for key in keys))
                self.step(results=list(zip(keys, answers, strict=True)))

    def count(self, metric: str) -> float:
        return sum(fact.amount for fact in self.facts if fact.metric == metric)

    def told(self, *outcomes: Delivery) -> list[tuple[str, int, str, str]]:
        """Message, version, channel and reason of journal entries with these outcomes, in order."""
        return [(sent.message, sent.version, sent.channel, sent.reason) for sent in self.journal if sent.outcome in outcomes]
