"""`matches`: one revision of one article that hit, or nearly hit, one desk's rules; with all that rendering needs."""

from dataclasses import dataclass
from enum import StrEnum

from daemon.messages.article import FeedCard, Language, Moment, Source, Zone


class Severity(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for low, 1 for normal, 2 for high: strings do not order."""
        return _RANK[self]


_RANK = {Severity.LOW: 0, Severity.NORMAL: 1, Severity.HIGH: 2}


class Stage(StrEnum):
    """`shadow` findings are recorded and told to nobody."""

    LIVE = "live"
    SHADOW = "shadow"


class NearMiss(StrEnum):
    """What kept a hit silent before it became a finding."""

    ZONE = "zone"
    REQUIRE_NEAR = "require_near"
    NOT_IN = "not_in"
    SPELLING = "spelling"
    UNLESS = "unless"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Evidence. `start` and `end` are code points in the zone's own text and cut out `surface`, clitic excluded.

    `offset` is where `surface` starts within `snippet`, the sentence around it. An actor's hit names `actor`; a hit of
    a rule's term names `rule`; the rest is None.
    """

    zone: Zone
    start: int
    end: int
    surface: str
    alias: str
    actor: str | None = None
    rule: str | None = None
    prefix: str = ""
    suffix: str = ""
    snippet: str = ""
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A near miss: the hit that was, and why it stayed silent."""

    reason: NearMiss
    zone: Zone
    start: int
    end: int
    surface: str
    alias: str = ""
    actor: str | None = None
    rule: str | None = None
    snippet: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorFound:
    """An actor that hit and may alert by itself (`alert: true`). `notify` replaces the route tree's receiver when not empty."""

    id: str
    name: str
    kind: str = "other"
    severity: Severity = Severity.NORMAL
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFound:
    """A rule that holds for the article. `name` is what people read; the id where the watchlist gives no other."""

    id: str
    name: str
    severity: Severity = Severity.NORMAL
    notify: tuple[str, ...] = ()
    stage: Stage = Stage.LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleCard:
    """What alerter and sender need of the article; never its body."""

    id: str
    revision: int
    url: str
    title: str
    feed: FeedCard
    language: Language
    published: Moment
    fetched_at: float
    source: Source = Source()
    sketch: str = ""
    changed: tuple[str, ...] = ()
    backfill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """At most 200 hits, 20 near misses, 200 actors and as many rules, the most severe; `more_…` count those beyond."""

    id: str
    desk: str
    time_zone: str
    watchlist: str
    article: ArticleCard
    actors: tuple[ActorFound, ...] = ()
    rules: tuple[RuleFound, ...] = ()
    hits: tuple[Hit, ...] = ()
    near_misses: tuple[Miss, ...] = ()
    more_hits: int = 0
    more_misses: int = 0
    more_actors: int = 0
    more_rules: int = 0
