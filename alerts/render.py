"""What a message says, in parts that every channel lays out its own way (delivery.md, “What a message says”).

    dot severity · desk
    headline, link
    quotes: pieces of text, hits marked             in a summary of several stories instead, a line each:
    findings                                        dot headline, link · findings · source · language
    source · language · published, found · copies, languages

Pure. All texts are cleaned and bounded; no channel's markup is known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from alerts.quotes import Piece, cut_quote
from alerts.safe import clean, in_line, safe_link, shorten
from daemon.messages.alert import FindingCard, Message, StoryLine
from daemon.messages.article import Moment, Source
from daemon.messages.match import Severity

MAX_QUOTES: Final = 3
MAX_HEADLINE: Final = 300
MAX_FINDINGS: Final = 12
MAX_STORIES: Final = 50
MAX_STORY_HEADLINE: Final = 150
MAX_STORY_FINDINGS: Final = 4
MAX_NAME: Final = 80
_DOTS: Final = {Severity.HIGH: "🔴", Severity.NORMAL: "🟡", Severity.LOW: "⚪"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryPart:
    """One story of several. `about`: who or what hit, source, language, as far as they are known."""

    dot: str
    headline: str
    link: str
    about: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The parts. `link` is empty when the address is not safe to follow; `more_stories` stand behind `stories`."""

    badge: str
    headline: str
    link: str
    quotes: tuple[tuple[Piece, ...], ...]
    findings: tuple[str, ...]
    origin: tuple[str, ...]
    severity: Severity
    desk: str
    stories: tuple[StoryPart, ...] = ()
    more_stories: int = 0


def render(message: Message) -> Rendered:
    """The message in parts; see the module's drawing. Never raises, whatever the feed wrote."""
    several = len(message.stories) > 1 or bool(message.stories and message.more_stories)
    stories = tuple(render_story(line) for line in message.stories[:MAX_STORIES]) if several else ()
    return Rendered(
        badge=_badge(message),
        headline=_headline(message.headline, MAX_HEADLINE),
        link=safe_link(message.url),
        quotes=tuple(quote for quote in map(cut_quote, message.evidence[:MAX_QUOTES]) if quote),
        findings=() if several else _findings(message.findings, MAX_FINDINGS),
        origin=_origin(message, several=several),
        severity=message.severity,
        desk=_name(message.desk),
        stories=stories,
        more_stories=message.more_stories + len(message.stories) - len(stories) if several else 0,
    )


def render_story(line: StoryLine) -> StoryPart:
    """One story of a summary; bounded and clean as all parts are."""
    about = (", ".join(_findings(line.findings, MAX_STORY_FINDINGS)), _source(line.source, line.url), _name(line.language.tag))
    return StoryPart(
        dot=_DOTS[line.severity],
        headline=_headline(line.headline, MAX_STORY_HEADLINE),
        link=safe_link(line.url),
        about=tuple(part for part in about if part),
    )


def plain_line(story: StoryPart) -> str:
    """The story on one line of plain text, its address at the end: nothing else is a link there."""
    return f"{story.dot} {in_line([story.headline, *story.about, *[story.link] * bool(story.link)])}"


def and_more(count: int) -> str:
    """What stands for those not named; nothing when there are none."""
    return f"and {count} more" if count else ""


def _badge(message: Message) -> str:
    parts = [f"{_DOTS[message.severity]} {message.severity}", _name(message.desk)]
    parts += ["update"] * message.update + ["first-fetch summary"] * bool(message.stories) + ["sample"] * message.sample
    return " · ".join(parts)


def _name(text: str) -> str:
    return shorten(clean(text).strip(), MAX_NAME)


def _headline(text: str, most: int) -> str:
    return shorten(clean(text).strip(), most) or "(no headline)"


def _findings(findings: Sequence[FindingCard], most: int) -> tuple[str, ...]:
    shown = [_name(f"rule {card.name}" if card.rule else card.name) for card in findings[:most]]
    return tuple(name for name in (*shown, and_more(len(findings) - len(shown))) if name)


def _origin(message: Message, *, several: bool) -> tuple[str, ...]:
    """Source, language, times and spread; each of `several` stories has a source and a language of its own."""
    spread = [f"{message.copies} copies"] if message.copies > 1 else []
    spread += [f"{len(message.languages)} languages"] if len(message.languages) > 1 else []
    own = () if several else (_source(message.source, message.url), _name(message.language.tag))
    parts = (*own, _times(message.published, message.found, message.time_zone), ", ".join(spread))
    return tuple(part for part in parts if part)


def _source(source: Source, url: str) -> str:
    return _name(source.name) or _host(source.url) or _host(url)


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
