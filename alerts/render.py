"""What a message says, in parts that every channel lays out its own way (delivery.md, “What a message says”).

    dot severity · desk
    headline, link
    quotes: pieces of text, hits marked
    findings
    source · language · published, found · copies, languages

Pure. All texts are cleaned and bounded; no channel's markup is known here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from alerts.safe import clean, safe_link, shorten
from daemon.messages.alert import Evidence, FindingCard, Message
from daemon.messages.article import Moment
from daemon.messages.match import Severity

MAX_QUOTES: Final = 3
MAX_QUOTE: Final = 400
MAX_HEADLINE: Final = 300
MAX_FINDINGS: Final = 12
MAX_NAME: Final = 80
_DOTS: Final = {Severity.HIGH: "🔴", Severity.NORMAL: "🟡", Severity.LOW: "⚪"}
_SENTENCE_ENDS: Final = (*'.!?…؟۔।。！？”»"',)
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD_END: Final = re.compile(
    rf"(?:(?![{_UNSPACED}_])[\w\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u200c\u200d])*"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a quote; `hit` runs are whole words."""

    text: str
    hit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The parts. `link` is empty when the address is not safe to follow."""

    badge: str
    headline: str
    link: str
    quotes: tuple[tuple[Piece, ...], ...]
    findings: tuple[str, ...]
    origin: tuple[str, ...]
    severity: Severity
    desk: str


def render(message: Message) -> Rendered:
    """The message in parts; see the module's drawing. Never raises, whatever the feed wrote."""
    return Rendered(
        badge=_badge(message),
        headline=shorten(clean(message.headline).strip(), MAX_HEADLINE) or "(no headline)",
        link=safe_link(message.url),
        quotes=tuple(quote for quote in (_quote(evidence) for evidence in message.evidence[:MAX_QUOTES]) if quote),
        findings=_findings(message.findings),
        origin=_origin(message),
        severity=message.severity,
        desk=_name(message.desk),
    )


def _badge(message: Message) -> str:
    parts = [f"{_DOTS[message.severity]} {message.severity}", _name(message.desk)]
    parts += ["update"] * message.update + ["sample"] * message.sample
    return " · ".join(parts)


def _name(text: str) -> str:
    return shorten(clean(text).strip(), MAX_NAME)


def _quote(evidence: Evidence) -> tuple[Piece, ...]:
    text = evidence.text
    marks = _widened(text, evidence.marks)
    start, end = _window(text, marks)
    pieces: list[Piece] = []
    position = start
    for first, last in marks:
        if first >= end:
            break
        pieces += [Piece(clean(text[position:first])), Piece(clean(text[first : min(last, end)]), hit=True)]
        position = min(last, end)
    pieces.append(Piece(clean(text[position:end])))
    return _led_in(pieces)


def _led_in(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """An ellipsis before, since a quote is always taken out of something, and after unless a sentence ends there."""
    said = "".join(piece.text for piece in pieces).rstrip()
    if not said.strip():
        return ()
    first = next(index for index, piece in enumerate(pieces) if piece.text.strip())
    led = [replace(pieces[first], text=pieces[first].text.lstrip()), *pieces[first + 1 :]]
    tail = Piece("" if said.endswith(_SENTENCE_ENDS) else "…")
    return (Piece("…"), *(piece for piece in [*led, tail] if piece.text))


def _widened(text: str, marks: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The marks that lie in the text, each grown to whole words, in order, overlapping ones united."""
    widened: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if not 0 <= start < end <= len(text):
            continue
        first, last = _word(text, start, end)
        if widened and first <= widened[-1][1]:
            widened[-1] = (widened[-1][0], max(last, widened[-1][1]))
        else:
            widened.append((first, last))
    return widened


def _word(text: str, start: int, end: int) -> tuple[int, int]:
    """`start` and `end` moved out to where the word ends; scripts written without spaces stay as they are."""
    before = _WORD_END.match(text[max(0, start - MAX_NAME) : start][::-1])
    after = _WORD_END.match(text, end, end + MAX_NAME)
    grown = start - (before.end() if before and _joins(text[start]) else 0)
    return grown, after.end() if after and _joins(text[end - 1]) else end


def _joins(char: str) -> bool:
    return bool(_WORD_END.fullmatch(char))


def _window(text: str, marks: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Where to cut a sentence longer than `MAX_QUOTE`: around its first hit, between words where there are any near."""
    if len(text) <= MAX_QUOTE:
        return 0, len(text)
    hit = marks[0][0] if marks else 0
    start = max(0, min(hit - MAX_QUOTE // 3, len(text) - MAX_QUOTE))
    end = start + MAX_QUOTE
    space = text.find(" ", start, min(start + 40, hit)) if start else -1
    last = text.rfind(" ", end - 40, end) if end < len(text) else -1
    return (space + 1 if space >= 0 else start), (last if last >= 0 else end)


def _findings(findings: Sequence[FindingCard]) -> tuple[str, ...]:
    shown = [_name(f"rule {card.name}" if card.rule else card.name) for card in findings[:MAX_FINDINGS]]
    more = len(findings) - len(shown)
    return tuple(name for name in shown if name) + ((f"and {more} more",) if more else ())


def _origin(message: Message) -> tuple[str, ...]:
    source = _name(message.source.name) or _host(message.source.url) or _host(message.url)
    spread = [f"{message.copies} copies"] if message.copies > 1 else []
    spread += [f"{len(message.languages)} languages"] if len(message.languages) > 1 else []
    parts = [source, _name(message.language.tag), _times(message.published, message.found, message.time_zone)]
    return tuple(part for part in (*parts, ", ".join(spread)) if part)


def _host(url: str) -> str:
    return _name((urlsplit(safe_link(url)).hostname or "").removeprefix("www."))


def _times(published: Moment, found: float, zone_name: str) -> str:
    """`published 12:25, found 12:26 Baghdad`; the day stands with a publication on another day than its find."""
    zone, place = _zone(zone_name)
    out, seen = _local(published.at, zone), _local(found, zone)
    said: list[str] = []
    if out and published.how != "first-seen":
        same_day = seen is not None and out.date() == seen.date()
        said.append(f"published {out:%H:%M}" if same_day else f"published {out:%Y-%m-%d %H:%M}")
    if seen:
        said.append(f"found {seen:%H:%M}")
    return f"{', '.join(said)} {place}" if said else ""


def _zone(name: str) -> tuple[tzinfo, str]:
    try:
        return ZoneInfo(name), name.rpartition("/")[2].replace("_", " ")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC"), "UTC"


def _local(at: float | None, zone: tzinfo) -> datetime | None:
    try:
        return None if at is None else datetime.fromtimestamp(at, zone)
    except (OverflowError, ValueError, OSError):
        return None
