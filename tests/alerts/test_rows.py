"""Bytes of the alerter's and the sender's rows."""

from pathlib import Path
from typing import Any, Final

import pytest

from alerts.kind import Kind, kind_of
from alerts.outbox import ENTRY, QUEUE, SLOT, Entry, Queue, Slot
from alerts.rows import (
    BAND,
    GROUP,
    LINE,
    MEMBER,
    MISSES,
    STORY,
    SUMMARY,
    Band,
    Group,
    Head,
    Line,
    Member,
    Misses,
    Sentence,
    Story,
    Summary,
    Telling,
)
from daemon.bus.base import Row
from daemon.bus.held import HeldRows
from daemon.errors import DecodeError
from daemon.messages.alert import Delivery, FindingCard, Message, Outcome
from daemon.messages.article import Language, Moment, Source
from daemon.messages.match import Severity
from daemon.stage.table import StepTable
from tests.messages.samples import SAMPLES as MESSAGES

GOLDEN: Final = Path(__file__).parent.parent / "golden" / "rows"
HEAD: Final = Head(
    article="a1",
    headline="عنوان",
    url="https://ina.example/1",
    language=Language(tag="ar", confidence=0.75, source="text"),
    source=Source(name="INA", url="https://ina.example"),
    published=Moment(at=1691486700.0, raw="Tue, 08 Aug 2023 12:25:00 +0300", how="rfc822"),
    found=1691486760.0,
    time_zone="Asia/Baghdad",
)
CARD: Final = FindingCard(actor="thabet-al-abbasi", name="Thabet al-Abbasi", severity=Severity.HIGH)
SENTENCE: Final = Sentence(text="قال ثابت", marks=((4, 8),), findings=("actor/thabet-al-abbasi",), place=(2, 17))
TOLD: Final = Telling(at=1.5, cards=1, severity=Severity.HIGH, headline="عنوان", languages=("ar",), copies=2, updates=3)
HELD: Final = MESSAGES["outcome"]
QUEUED: Final = MESSAGES["message"]
assert isinstance(HELD, Outcome)
assert isinstance(QUEUED, Message)
SAMPLES: Final[dict[str, tuple[Kind[Any], Any]]] = {
    "alerter_story": (
        STORY,
        Story(
            id="s1",
            desk="iraq",
            started=1.5,
            last="m1",
            sketches=("c2tldGNo",),
            articles=("a1", "a2"),
            copies=2,
            languages=("ar", "en"),
            receivers=("screen",),
        ),
    ),
    "alerter_member": (MEMBER, Member(story="s1")),
    "alerter_band": (BAND, Band(stories=("s1", "s2"))),
    "alerter_group": (
        GROUP,
        Group(
            desk="iraq",
            receiver="screen",
            story="s1",
            head=HEAD,
            cards=(CARD,),
            evidence=(SENTENCE,),
            version=4,
            told=TOLD,
            due=99.5,
            grew_by="m1",
            carried=(HELD,),
        ),
    ),
    "alerter_summary": (
        SUMMARY,
        Summary(
            desk="iraq",
            receiver="screen",
            opened=1.5,
            time_zone="Asia/Baghdad",
            feeds=("INA",),
            stories=("s1",),
            more=2,
            last_refused="s9",
        ),
    ),
    "alerter_line": (LINE, Line(story="s1", head=HEAD, cards=(CARD,), evidence=(SENTENCE,), carried=(HELD,))),
    "alerter_misses": (MISSES, Misses(desk="iraq", actor="x", rule="", listed=60, beyond={"zone": 3})),
    "sender_entry": (
        ENTRY,
        Entry(receiver="screen", channel="slack", id="o1", version=2, message=QUEUED, since=1.5, outcome=Delivery.DEAD),
    ),
    "sender_slot": (SLOT, Slot(receiver="screen", channel="slack", number=7, id="o1")),
    "sender_queue": (
        QUEUE,
        Queue(receiver="screen", channel="slack", head=7, tail=9, failures=3, attempt=4, sending=2, doubtful=True),
    ),
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_released_bytes_decode(name: str) -> None:
    """The bytes of every released row version still say what they said."""
    kind, value = SAMPLES[name]
    paths = list(GOLDEN.glob(f"*/{name}.json"))
    assert paths
    for path in paths:
        assert kind.read(Row("iraq", b"key", path.read_bytes())) == value


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_what_is_written_is_read(name: str) -> None:
    """A row comes back equal from its own bytes, in the lane its key begins with, with its wake."""
    kind, value = SAMPLES[name]
    table, key = StepTable(HeldRows()), kind.key("iraq", "rest", "\ud800")
    kind.put(table, key, value, 5.0)
    row = table.get(key)
    assert row is not None
    assert (row.lane, row.wake, kind_of(row.key)) == ("iraq", 5.0, kind.prefix)
    assert kind.find(table, key) == value
    assert kind.find(table, kind.key("iraq", "other")) is None


@pytest.mark.parametrize("value", [b"", b"{}", b"1{}", b"1[]", b'1{"story":5}', b'1{"story":"\xff"}'])
def test_other_bytes_are_refused(value: bytes) -> None:
    """What is not a row is a typed error."""
    with pytest.raises(DecodeError):
        MEMBER.read(Row("iraq", b"member", value))


def test_unknown_fields_are_tolerated() -> None:
    """A newer minor release's optional fields do not disturb this one."""
    row = Row("iraq", b"member", b'1{"story":"s1","from_the_future":[1]}')
    assert MEMBER.read(row) == Member(story="s1")
