"""The whole pipeline in virtual time: real runner, real hops, the memory bus; only the outside is made up.

    press ─▶ outside ─▶ poller ▶ enricher ▶ matcher ▶ alerter ▶ sender ─▶ outside
                        └── in several processes, killed, frozen, stopped and started at instants drawn from the seed ┘

Every choice comes from one seed: a failing run is repeated by its number.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from daemon.bus.base import Record
from daemon.bus.memory import MemoryStore
from daemon.bus.topics import ALERTS, ARTICLES, DAY, FEEDS, MATCHES, OUTBOX, RAW, TOPICS
from daemon.errors import DecodeError
from daemon.messages import wire
from daemon.messages.alert import Delivery, Message, Outcome, Sent, Told
from daemon.messages.article import RawArticle
from tests.simulation.bus import Weather
from tests.simulation.loop import SeededLoop
from tests.simulation.outside import CHANNELS, SOURCES, Outside
from tests.simulation.press import Press
from tests.simulation.process import Process, Sense, Surroundings

START: Final = 1_700_000_000.0
JUMPS: Final = (-3600.0, DAY, 10 * 365 * DAY)
"""Seconds by which the wall clock is set: back, forward, far forward."""
_POISON: Final = (b"", b"{", b"\xff\xfe", b'{"kind":"article","v":9}', b'{"kind":"sent","v":1,"desk":"north"}')


@dataclass(frozen=True, slots=True)
class Kind:
    """What may happen in a world.

    In a `steady` one nothing is late by more than an alerter waits for (`SETTLING`), so no process is frozen. `outages` are
    seconds in which no process lives, drawn now and then.
    `deadly` is how likely an article is to be the one that kills whoever tries to understand it.
    """

    steady: bool
    jumps: tuple[float, ...] = ()
    outages: tuple[float, ...] = ()
    deadly: float = 0.0


def kind_of(seed: int) -> Kind:
    """Every second world is steady, some with long outages; in every fourth the clock jumps, in another an article kills."""
    return Kind(
        steady=seed % 2 == 0,
        jumps=JUMPS if seed % 4 == 1 else (),
        outages=(3600.0, DAY, 4 * DAY) if seed % 4 == 2 else (),
        deadly=0.15 if seed % 8 in (0, 3) else 0.0,
    )


class World:
    """What outlives every process: the store, the press, the receivers, the wall clock."""

    def __init__(self, seed: int | str, kind: Kind, sense: Sense, loop: SeededLoop) -> None:
        self.chance = random.Random(seed)
        self.kind = kind
        self.sense = sense
        self.loop = loop
        self.offset = START
        """Of the wall clock against the loop's time."""
        self.jumps: list[float] = []
        self.poisoned = 0
        self.zombies = 0
        self.store = MemoryStore(partitions=self.chance.choice((1, 2, 4)), clock=self)
        self.press = Press(self.chance, [source.id for source in SOURCES], kind.deadly)
        self.outside = Outside(self.chance, self.press, self._seen)
        self.weather = Weather()
        self.processes: list[Process] = []
        self._decoded: dict[bytes, wire.AnyMessage | None] = {}
        self._versions: dict[tuple[str, str], int] = {}
        self._read = Counter[int]()

    def now(self) -> float:
        """The wall clock: every process steadies it by its own means."""
        return self.loop.time() + self.offset

    def start(self) -> Process:
        around = Surroundings(self.loop, self.chance, self.store, self.outside, self.now, lambda: self.weather)
        process = Process(f"process{len(self.processes)}", self.sense, around)
        self.processes.append(process)
        return process

    def living(self) -> list[Process]:
        """Those that run or are frozen."""
        return [process for process in self.processes if not process.ended]

    def jump(self, seconds: float) -> None:
        self.jumps.append(seconds)
        self.offset += seconds

    def poison(self) -> None:
        """A record that no hop can handle, on one of the topics."""
        topic = self.chance.choice((FEEDS, RAW, ARTICLES, MATCHES, OUTBOX))
        lane = self.chance.choice(("a.example", "b.example", "north", "desk"))
        self.store.append([Record(topic, lane, b"poison", self.chance.choice(_POISON), self.now())])
        self.poisoned += 1

    def records(self, topic: str) -> Iterator[Record]:
        for log in self.store.logs(topic):
            yield from log.records

    def messages(self, topic: str) -> Iterator[wire.AnyMessage]:
        """What can be read."""
        for record in self.records(topic):
            message = self._decode(record)
            if message is not None:
                yield message

    def unfinished(self) -> list[str]:
        """What is still to come, in words; empty when all is done."""
        behind = [
            f"{topic.group} is behind in partition {partition}"
            for topic in TOPICS.values()
            if topic.group is not None
            for partition, (log, place) in enumerate(
                zip(self.store.logs(topic.name), self.store.places(topic.group), strict=True)
            )
            if place.position < log.end
        ]
        return behind or self.outside.unseen() or self._held() or self._unsent()

    def _held(self) -> list[str]:
        """The last entry says whether a finding waits: one may come again years later, when all is forgotten."""
        waiting: dict[tuple[str, str, str], bool] = {}
        for entry in self.messages(ALERTS):
            if isinstance(entry, Outcome) and entry.match:
                waiting[entry.match, entry.actor, entry.rule] = entry.outcome is Told.HELD
        return [f"finding {name} is held" for name, held in waiting.items() if held]

    def _unsent(self) -> list[str]:
        ended = {
            (entry.receiver, entry.channel, entry.message, entry.version)
            for entry in self.messages(ALERTS)
            if isinstance(entry, Sent) and entry.outcome is not Delivery.RETRY
        }
        wanted = {
            (told.receiver, channel, told.id, told.version)
            for told in self.messages(OUTBOX)
            if isinstance(told, Message)
            for channel in CHANNELS[told.receiver]
        }
        return [f"message {name} is not sent" for name in sorted(wanted - ended)]

    def _seen(self, name: tuple[str, str]) -> int:
        """The latest version of an item (feed, link) that its poller has put on the topic."""
        for partition, log in enumerate(self.store.logs(RAW)):
            for record in log.slice(self._read[partition], len(log.records)):
                message = self._decode(record)
                if isinstance(message, RawArticle):
                    self._versions[message.feed.id, message.item.link] = version_of(message)
                self._read[partition] = record.offset + 1
        return self._versions.get(name, 0)

    def _decode(self, record: Record) -> wire.AnyMessage | None:
        value = record.value or b""
        if value not in self._decoded:
            try:
                self._decoded[value] = wire.decode(value)
            except DecodeError:
                self._decoded[value] = None
        return self._decoded[value]


def version_of(raw: RawArticle) -> int:
    """The edit of the press that a feed's item is."""
    return int(raw.item.tags[0].removeprefix("v"))
