"""Messages as the alerter would hand them over, in sentences of our own."""

from dataclasses import replace
from typing import Any

from daemon.messages.alert import Evidence, FindingCard, Message
from daemon.messages.article import Language, Moment, Source
from daemon.messages.match import Severity

NOON = 1691486700.0
"""2023-08-08 12:25 in Baghdad."""

HOSTILE = (
    "<!channel> hello",
    "<@U123> & <https://evil.example|click>",
    "line\r\nBcc: victim@example.org\r\n\r\nbody",
    "\u202eevil\u202c \u2066hidden\u2069 \u200f",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\x1b]0;title\x07\x1b[31mred\x00\x9b2J",
    "*bold* _it_ `code` :tada: ~x~",
    "{{ 7*7 }}{% raw %}${x}",
    "=?utf-8?q?Subject=3A?=",
    "=?utf-8?q?a=0D=0ABcc:_victim@example.org?=",
    "a\u2028b\u2029c\u0085d",
)


def evidence(text: str, *hits: str) -> Evidence:
    """A sentence with the first occurrence of each hit marked."""
    return Evidence(text=text, marks=tuple(sorted((text.index(hit), text.index(hit) + len(hit)) for hit in hits)))


def message(id_: str = "m1", **changes: Any) -> Message:
    """The message delivery.md draws."""
    drawn = Message(
        id=id_,
        version=1,
        desk="iraq",
        receiver="desk",
        story="s1",
        severity=Severity.HIGH,
        headline="وزير الدفاع يلتقي نظيره الأمريكي",
        url="https://news.example.org/a?b=1&c=2",
        language=Language(tag="ar", confidence=0.9, source="text"),
        source=Source(name="INA", url="https://ina.example.org"),
        published=Moment(at=NOON, raw="", how="rfc822"),
        found=NOON + 60,
        time_zone="Asia/Baghdad",
        due=0.0,
        evidence=(evidence("التقى ثابت العباسي نظيره في واشنطن", "ثابت العباسي"),),
        findings=(
            FindingCard(actor="al-abbasi", name="Thabet al-Abbasi", severity=Severity.HIGH),
            FindingCard(rule="iraq-us-defence", name="iraq-us-defence", severity=Severity.NORMAL),
        ),
        copies=3,
        languages=("ar", "en"),
    )
    return replace(drawn, **changes)


def hostile(text: str) -> Message:
    """A message with `text` in every part a feed can write."""
    return message(
        headline=text,
        url=f"https://news.example.org/{text}",
        source=Source(name=text, url=text),
        language=Language(tag=text),
        evidence=(Evidence(text=f"before {text} after", marks=((7, 7 + len(text)),)),),
    )
