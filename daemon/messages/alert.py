"""`outbox`: messages to be sent. `alerts`: the journal, what became of each finding and each message, always with a reason."""

from dataclasses import dataclass
from enum import StrEnum

from daemon.messages.article import Language, Moment, Source
from daemon.messages.match import Severity, Stage


class Told(StrEnum):
    """The one recorded outcome of a finding: told, joined or suppressed. `held` comes before it and is not final.

    A finding that waits is recorded as held, with `until`, and later exactly once as told, joined or suppressed.
    One that need not wait is never held. One entry stands for `Outcome.count` findings; counts add up to the findings.
    """

    TOLD = "told"
    """A message to at least one receiver carries it."""
    JOINED = "joined"
    """Its story had been told to all its receivers, and it adds nothing that matters."""
    HELD = "held"
    """It waits for its message, or for the next update of its story."""
    SUPPRESSED = "suppressed"
    """Nobody is told."""


class Reason(StrEnum):
    """Why a finding ended as it did: log field, journal entry and metric label in one."""

    NEW_STORY = "new_story"
    """Told: the first message about its story to this receiver."""
    STORY_GREW = "story_grew"
    """Told: an update, since its story grew in a way that matters."""
    SAME_STORY = "same_story"
    """Joined: a copy or revision that adds nothing that matters to a story already told."""
    GROUP_WAIT = "group_wait"
    """Held: the story's first message waits for copies, as long as `group_wait` says for its severity."""
    UPDATE_INTERVAL = "update_interval"
    """Held: the story was told and grew; its next update is not due yet."""
    ZONE = "zone"
    """Suppressed: it stands only where the rule does not look, mostly beside the article."""
    REQUIRE_NEAR = "require_near"
    """Suppressed: none of the words that an ambiguous name requires stood near it."""
    NOT_IN = "not_in"
    """Suppressed: it is part of a longer name that it is not."""
    SPELLING = "spelling"
    """Suppressed: only folding made it alike; its own letters spell another word."""
    UNLESS = "unless"
    """Suppressed: the rule's `unless` held."""
    SHADOW = "shadow"
    """Suppressed: its rule is on trial (`stage: shadow`)."""
    TOO_OLD = "too_old"
    """Suppressed: published longer before it was fetched than the feed's `max_age`."""
    FIRST_FETCH = "first_fetch"
    """It came with its feed's first fetch. Held for, then told in the desk's summary; suppressed under `first_fetch: quiet`,
    and when the summary names as many stories as it can."""
    NO_RECEIVER = "no_receiver"
    """Suppressed: none of the receivers it should go to is configured."""


class Delivery(StrEnum):
    """What became of a message."""

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
class StoryLine:
    """A story as a summary names it: one line of several."""

    story: str
    headline: str
    url: str
    language: Language
    source: Source
    severity: Severity
    findings: tuple[FindingCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`outbox`: one message for one receiver. A higher `version` of the same id replaces one that has not left.

    `update` marks a message about a story already told to this receiver; `story` is the same for both. An update says
    all, not only what is new, so that it can stand for the message it replaces. `stories` is filled in a summary of feeds
    seen for the first time, the most severe first, with `more_stories` behind those named: its headline says so and its
    `url` is empty, unless it is of one story.
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
    stories: tuple[StoryLine, ...] = ()
    more_stories: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`alerts`: what became of one finding of one match: of an actor or rule that hit, or nearly hit for one reason.

    `until` is set when held. `message` is set when a message carries it; with several receivers it is the one that leaves
    first. `count` is above 1 in an entry that sums up near misses beyond those listed one by one in an hour; `match`,
    `article`, `url` and `title` are empty there.
    """

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
    count: int = 1
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
