"""Messages as the alerter would hand them over, in sentences of our own."""

from dataclasses import replace
from typing import Any

from daemon.messages.alert import Evidence, FindingCard, Message, StoryLine
from daemon.messages.article import Language, Moment, Source
from daemon.messages.match import Severity

DRAWN = [
    "🔴 high · iraq",
    "\u2068وزير الدفاع يلتقي نظيره الأمريكي\u2069",
    "https://news.example.org/a?b=1&c=2",
    "❝ \u2068…التقى **ثابت العباسي** نظيره في واشنطن…\u2069 ❞",
    "Thabet al-Abbasi · rule iraq-us-defence",
    "INA · ar · published 12:25, found 12:26 Baghdad · 3 copies, 2 languages",
]
"""`message()` on plain text."""
LISTED = [
    "🔴 high · iraq · first-fetch summary",
    "9 stories stood in feeds seen for the first time: INA",
    f"🔴 {DRAWN[1]} · Thabet al-Abbasi, rule iraq-us-defence · INA · ar · https://news.example.org/a?b=1&c=2",
    "⚪ Minister arrives · \u2068ثابت العباسي\u2069 · news.example.org · en · https://news.example.org/2",
    "and 7 more",
    "found 12:26 Baghdad · 2 languages",
]
"""`summary()` on plain text."""
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


def story(number: int, **changes: Any) -> StoryLine:
    """One line of a summary."""
    told = message()
    drawn = StoryLine(
        story=f"s{number}",
        headline=told.headline,
        url=told.url,
        language=told.language,
        source=told.source,
        severity=told.severity,
        findings=told.findings,
    )
    return replace(drawn, **changes)


def summary(*stories: StoryLine, **changes: Any) -> Message:
    """A first fetch's message about several stories, two of them named unless told otherwise."""
    second = story(
        2,
        headline="Minister arrives",
        url="https://news.example.org/2",
        language=Language(tag="en"),
        source=Source(name=""),
        severity=Severity.LOW,
        findings=(FindingCard(actor="al-abbasi", name="ثابت العباسي", severity=Severity.LOW),),
    )
    drawn = message(
        headline="9 stories stood in feeds seen for the first time: INA",
        url="",
        language=Language(tag="en"),
        source=Source(name="Rasid"),
        published=Moment(),
        evidence=(),
        copies=1,
        stories=stories or (story(1), second),
        more_stories=7,
    )
    return replace(drawn, **changes)


def hostile_summary(text: str) -> Message:
    """A summary with `text` in every part a feed can write."""
    told = hostile(text)
    line = story(1, headline=text, url=told.url, language=told.language, source=told.source)
    return summary(line, replace(line, headline=f"so {text}"), headline=f"2 stories stood in feeds: {text}")
