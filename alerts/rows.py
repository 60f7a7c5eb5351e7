"""The alerter's rows: what stands durably about stories, groups and counts. Formats only; who changes them is elsewhere.

    story    what a desk's near-duplicate articles have in common; wakes when it has not grown for its life
    member   which story an article belongs to          band    which stories have a sketch with this band
    group    one story for one receiver: what it was told, and what waits; wakes when a message is due
    summary  a first fetch's message for one receiver   line    one story of a summary, and the findings it carries
    misses   near misses of one actor or rule within the hour; wakes at its end

The desk is the first part of each key. Stories and groups carry their members' and receivers' names,
so that a story's end can remove all rows that hang on it: only stories expire by themselves.
"""

from dataclasses import dataclass
from typing import Final

from alerts.kind import Kind
from daemon.messages.alert import FindingCard, Outcome
from daemon.messages.article import Language, Moment, Source
from daemon.messages.match import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """`last` is the match that joined last; `copies` counts articles, `articles` names the first 200 of them."""

    id: str
    desk: str
    started: float
    last: str
    sketches: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    copies: int = 1
    languages: tuple[str, ...] = ()
    receivers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """The story of one article."""

    story: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Stories that have a sketch with this band, oldest first."""

    stories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence that may become evidence. `place`: zone's rank and offset; `findings`: keys of those whose hits it marks."""

    text: str
    marks: tuple[tuple[int, int], ...]
    findings: tuple[str, ...]
    place: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The article a message links to."""

    article: str
    headline: str
    url: str
    language: Language
    source: Source
    published: Moment
    found: float
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What the receiver knows of the story: the first `cards` of the group's findings, and how the story looked then."""

    at: float
    cards: int
    severity: Severity
    headline: str
    languages: tuple[str, ...]
    copies: int
    updates: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One story for one receiver. `version` is that of the last message; `told` None: nothing yet. `due` None: nothing waits.

    `cards` only grows. `carried` are the held findings whose outcome this group's next message decides; `grew_by` is
    the match that made the story grow last.
    """

    desk: str
    receiver: str
    story: str
    head: Head
    cards: tuple[FindingCard, ...] = ()
    evidence: tuple[Sentence, ...] = ()
    version: int = 0
    told: Telling | None = None
    due: float | None = None
    grew_by: str = ""
    carried: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A first fetch's message while it gathers. `feeds` are names; `more` counts stories beyond those it can name."""

    desk: str
    receiver: str
    opened: float
    time_zone: str
    feeds: tuple[str, ...] = ()
    stories: tuple[str, ...] = ()
    more: int = 0
    last_refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One story of a summary."""

    story: str
    head: Head
    cards: tuple[FindingCard, ...] = ()
    evidence: tuple[Sentence, ...] = ()
    carried: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Misses:
    """Near misses of one actor or rule within an hour: how many were listed one by one, and how many beyond, by reason."""

    desk: str
    actor: str
    rule: str
    listed: int = 0
    beyond: dict[str, int]


STORY: Final = Kind(b"story", Story)
MEMBER: Final = Kind(b"member", Member)
BAND: Final = Kind(b"band", Band)
GROUP: Final = Kind(b"group", Group)
SUMMARY: Final = Kind(b"summary", Summary)
LINE: Final = Kind(b"line", Line)
MISSES: Final = Kind(b"misses", Misses)
