"""`outbox`: messages to be sent. `alerts`: the journal, what became of each finding and each message, always with a reason."""

from dataclasses import dataclass
from enum import StrEnum

from daemon.messages.article import Language, Moment, Source
from daemon.messages.match import Severity, Stage


class Told(StrEnum):
    """The one recorded outcome of a finding."""

    TOLD = "told"
    JOINED = "joined"
    HELD = "held"
    SUPPRESSED = "suppressed"


class Reason(StrEnum):
    """Why a finding ended as it did: log field, journal entry and metric label in one."""

    NEW_STORY = "new_story"
    STORY_GREW = "story_grew"
    SAME_STORY = "same_story"
    GROUP_WAIT = "group_wait"
    UPDATE_INTERVAL = "update_interval"
    ZONE = "zone"
    REQUIRE_NEAR = "require_near"
    NOT_IN = "not_in"
    SPELLING = "spelling"
    UNLESS = "unless"
    SHADOW = "shadow"
    TOO_OLD = "too_old"
    FIRST_FETCH = "first_fetch"
    NO_RECEIVER = "no_receiver"


class Delivery(StrEnum):
    """What became of a message."""

    STARTED = "started"
    DELIVERED = "delivered"
    RETRY = "retry"
    DEAD = "dead"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A sentence with its hits; `marks` are (start, end) in code points of `text`, ascending, not overlapping."""

    text: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCard:
    """A finding as a message names it. Exactly one of `actor` and `rule` is an id, the other is empty."""

    actor: str = ""
    rule: str = ""
    name: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`outbox`: one message for one receiver. A higher `version` of the same id replaces one that has not left.

    `update` marks a message about a story already told to this receiver; `story` is the same for both.
    `due`: not before this instant. `published`, `found`: for the source line, shown in `time_zone`.
    """

    id: str
    version: int
    desk: str
    receiver: str
    story: str
    severity: Severity
    headline: str
    url: str
    language: Language
    source: Source
    published: Moment
    found: float
    time_zone: str
    due: float
    evidence: tuple[Evidence, ...]
    findings: tuple[FindingCard, ...]
    articles: tuple[str, ...] = ()
    copies: int = 1
    languages: tuple[str, ...] = ()
    update: bool = False
    sample: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`alerts`: what became of one finding of one match. `message` is set when a message carries it; `until` when held."""

    desk: str
    match: str
    article: str
    url: str
    title: str
    actor: str = ""
    rule: str = ""
    severity: Severity = Severity.NORMAL
    stage: Stage = Stage.LIVE
    outcome: Told
    reason: Reason
    until: float | None = None
    story: str = ""
    receivers: tuple[str, ...] = ()
    message: str = ""
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """`alerts`: what became of one attempt to send a message through one channel of its receiver.

    `doubtful`: an earlier attempt may have reached the receiver, too. `detail` never holds a secret.
    """

    desk: str
    message: str
    version: int
    receiver: str
    channel: str
    outcome: Delivery
    reason: str = ""
    detail: str = ""
    attempt: int = 1
    doubtful: bool = False
    headline: str = ""
    at: float
