"""What a run came to: articles published against what the topics, the journal and the sink know of them."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alerts.channels.base import SendReason
from daemon.bus.topics import ARTICLES, DEADLETTER, FEEDS, MATCHES, OUTBOX, RAW
from daemon.messages.dead import DeadLetter
from daemon.messages.wire import decode
from tests.e2e.service import json_lines
from tests.e2e.workplace import beside
from tests.faults.ledger import Ledger

_PIPELINE: Final = (RAW, ARTICLES, MATCHES, OUTBOX)
POISON: Final = b"poison-"
"""How the key of a record begins that no hop can handle."""
_DOUBTS: Final = frozenset({SendReason.ANSWER_LOST, SendReason.TIMED_OUT, SendReason.INTERRUPTED, SendReason.INTERNAL})
"""Why an attempt may have arrived all the same; those that follow stay doubtful, and say so, without being cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """`passed`: by topic, articles that left the hop before it, and how many records they made.

    `repeats`: posts the sink took beyond the first of each message. `doubtful`: attempts the journal counts as such.
    `ordered`: messages were first taken in the order of the outbox. By key, `poison` is what a fault put on the topics,
    and `buried` what is in `deadletter`.
    """

    published: Collection[str]
    told: Counter[str]
    delivered: Counter[str]
    taken: Counter[str]
    passed: dict[str, tuple[int, int]]
    repeats: int
    doubtful: int
    ordered: bool
    poison: Counter[bytes]
    buried: Counter[bytes]
    dead_letters: tuple[str, ...]

    @property
    def lost(self) -> int:
        """Articles that did not come out at the end, or are on record as told nowhere."""
        return len(set(self.published) - (self.taken.keys() & self.told.keys()))

    @property
    def doubled(self) -> int:
        """Records beyond one an article in any topic, findings told beyond one, deliveries on record beyond one."""
        records = sum(records - articles for articles, records in self.passed.values())
        return records + _beyond_one(self.told) + _beyond_one(self.delivered)

    def holds(self, in_flight: int) -> None:
        """Nothing lost, nothing doubled inside, repeats at the edge bounded and on record, poison buried, order kept."""
        links = set(self.published)
        assert self.buried == self.poison, self.dead_letters
        assert (self.lost, self.doubled) == (0, 0), f"{self}; {self.passed}"
        assert self.passed == dict.fromkeys(_PIPELINE, (len(links), len(links))), f"{self}; {self.passed}"
        assert self.told == Counter(links), f"{self}; told are {len(self.told)}"
        assert set(self.taken) == links, f"{self}; taken are {len(self.taken)}"
        assert len(self.delivered) == len(links), f"{self}; delivered are {len(self.delivered)}"
        assert self.ordered, f"{self}; not in the order of the outbox"
        assert self.repeats <= self.doubtful <= in_flight, f"{self}; cut off were at most {in_flight}"

    def __str__(self) -> str:
        counts = f"lost {self.lost}, doubled {self.doubled}, repeats {self.repeats}, doubtful {self.doubtful}"
        return f"{len(self.published)} published: {counts}, dead letters {len(self.dead_letters)}"


async def take_stock(ledger: Ledger, folder: Path) -> Balance:
    """From the sink, and from the journal and the topics of the folder's bus; the service has ended or is idle."""
    journal = await json_lines(folder, "alerts", "list", "--json", "--limit", str(10 * len(ledger.links)))
    findings = [entry for entry in journal if entry["kind"] == "finding"]
    deliveries = [entry for entry in journal if entry["kind"] == "delivery"]
    async with beside(folder) as bus:
        keys = {topic: [record.key async for record in bus.read(topic)] for topic in (FEEDS, *_PIPELINE)}
        letters = [(record.key, _told(decode(record.value))) async for record in bus.read(DEADLETTER)]
    passed = {topic: [key for key in keys[topic] if not key.startswith(POISON)] for topic in _PIPELINE}
    return Balance(
        published=ledger.links,
        told=Counter(entry["url"] for entry in findings if entry["outcome"] == "told"),
        delivered=Counter(entry["message"] for entry in deliveries if entry["outcome"] == "delivered"),
        taken=Counter(ledger.intake.links),
        passed={topic: (len(set(found)), len(found)) for topic, found in passed.items()},
        repeats=ledger.intake.repeats,
        doubtful=sum(entry["outcome"] == "retry" and entry["reason"] in _DOUBTS for entry in deliveries),
        ordered=[message.encode() for message in ledger.intake.arrived()] == passed[OUTBOX],
        poison=Counter(key for found in keys.values() for key in found if key.startswith(POISON)),
        buried=Counter(key for key, _ in letters),
        dead_letters=tuple(letter for _, letter in letters),
    )


def _told(letter: object) -> str:
    assert isinstance(letter, DeadLetter)
    return f"{letter.topic}/{letter.partition}/{letter.offset} {letter.hop} {letter.reason}: {letter.error}"


def _beyond_one(counts: Counter[str]) -> int:
    return counts.total() - len(counts)
