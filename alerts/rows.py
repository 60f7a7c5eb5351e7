"""The alerter's rows: what stands durably about stories, groups and counts. Formats only; who changes them is elsewhere.

    story    what a desk's near-duplicate articles have in common; wakes when it has not grown for its life
    member   which story an article belongs to          band    which stories have a sketch with this band
    group    one story for one receiver: what it was told, and what waits; wakes when a message is due
    summary  a first fetch's message for one receiver   line    one story of a summary, and the findings it carries
    misses   near misses of one actor or rule within the hour; wakes at its end

Keys are `kind US desk US …`; values are a version and JSON. Stories and groups carry their members' and receivers' names,
so that a story's end can remove all rows that hang on it: only stories expire by themselves.
"""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec
import orjson

from daemon.bus.base import Row
from daemon.errors import DecodeError
from daemon.messages.alert import FindingCard, Outcome
from daemon.messages.article import Language, Moment, Source
from daemon.messages.match import Severity
from daemon.stage.hop import Table

T = TypeVar("T")

_US: Final = b"\x1f"
_VERSION: Final = b"1"


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
    """Near misses of one actor or rule since `began`: how many were listed one by one, and how many beyond, by reason."""

    desk: str
    actor: str
    rule: str
    listed: int = 0
    beyond: dict[str, int]


class Kind(Generic[T]):
    """How one kind of row is found, read and written. A row's lane is its desk, the first part of its key."""

    def __init__(self, prefix: bytes, shape: type[T]) -> None:
        self.prefix = prefix
        self._decoder = msgspec.json.Decoder(shape)

    def key(self, *parts: str) -> bytes:
        return b"%b\x1f%b" % (self.prefix, "\x1f".join(parts).encode("utf-8", "surrogatepass"))

    def read(self, row: Row) -> T:
        """Raises `DecodeError` for a row of a later version."""
        value = row.value or b""
        if not value.startswith(_VERSION):
            raise DecodeError("a row this version of Rasid cannot read; run a newer one", subject=repr(row.key))
        try:
            return self._decoder.decode(value[len(_VERSION) :])
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise DecodeError(str(error), subject=repr(row.key)) from error

    def find(self, table: Table, key: bytes) -> T | None:
        row = table.get(key)
        return None if row is None else self.read(row)

    def put(self, table: Table, key: bytes, value: T, wake: float | None = None) -> None:
        lane = key.split(_US, 2)[1].decode("utf-8", "surrogatepass")
        table.put(key, Row(lane, key, _VERSION + orjson.dumps(value), wake))


STORY: Final = Kind(b"story", Story)
MEMBER: Final = Kind(b"member", Member)
BAND: Final = Kind(b"band", Band)
GROUP: Final = Kind(b"group", Group)
SUMMARY: Final = Kind(b"summary", Summary)
LINE: Final = Kind(b"line", Line)
MISSES: Final = Kind(b"misses", Misses)


def kind_of(key: bytes) -> bytes:
    """A row's kind, as its key begins."""
    return key.partition(_US)[0]
