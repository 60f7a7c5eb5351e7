"""Matches as the matcher would hand them over, built from what a test cares about."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from daemon.messages.article import FeedCard, FirstFetch, Language, Moment, Source, Zone
from daemon.messages.match import ActorFound, ArticleCard, Hit, Match, Miss, NearMiss, RuleFound, Severity, Stage
from daemon.messages.wire import match_id
from daemon.sketch import sketch

NOON = 1_700_000_000.0
FEED = FeedCard(id="ina", url="https://www.ina.example/rss", name="INA", language="ar", max_age=86400.0)
TEXT = (
    "the minister of defence said on monday that the two countries will work together on the security of their borders "
    "and that a joint committee meets in the capital next month to write down what was agreed between both delegations "
    "after long talks in which the fight against smuggling and the training of officers stood in the foreground"
)


def actor(id_: str, severity: Severity = Severity.HIGH, **changes: Any) -> ActorFound:
    return replace(ActorFound(id=id_, name=id_.title(), kind="person", severity=severity), **changes)


def rule(id_: str, severity: Severity = Severity.HIGH, *, stage: Stage = Stage.LIVE, **changes: Any) -> RuleFound:
    return replace(RuleFound(id=id_, name=id_, severity=severity, stage=stage), **changes)


def miss(actor_id: str, reason: NearMiss = NearMiss.ZONE) -> Miss:
    return Miss(reason=reason, zone=Zone.REST, start=0, end=1, surface="x", actor=actor_id)


def hit(sentence: str, surface: str, *, zone: Zone = Zone.BODY, at: int = 0, **who: str) -> Hit:
    """The first occurrence of `surface` in a sentence that begins at `at` in its zone."""
    offset = sentence.index(surface)
    start = at + offset
    return Hit(
        zone=zone,
        start=start,
        end=start + len(surface),
        surface=surface,
        alias=surface,
        snippet=sentence,
        offset=offset,
        **who,
    )


def match(  # the knobs of a match, each with its usual value
    article: str = "a1",
    *found: ActorFound | RuleFound,
    desk: str = "iraq",
    revision: int = 1,
    title: str = "Minister meets minister",
    text: str = TEXT,
    lang: str = "en",
    at: float = NOON,
    age: float | None = 60.0,
    feed: FeedCard = FEED,
    backfill: bool = False,
    hits: Sequence[Hit] = (),
    misses: Sequence[Miss] = (),
) -> Match:
    """One article, `age` seconds old when fetched at `at`; `text` is what its sketch is made of."""
    card = ArticleCard(
        id=article,
        revision=revision,
        url=f"https://news.example/{article}",
        title=title,
        feed=feed,
        language=Language(tag=lang, confidence=1.0, source="text"),
        published=Moment() if age is None else Moment(at=at - age, how="rfc822"),
        fetched_at=at,
        source=Source(name="INA", url="https://www.ina.example/"),
        sketch=sketch(text),
        backfill=backfill,
    )
    return Match(
        id=match_id(desk, article, revision),
        desk=desk,
        time_zone="Asia/Baghdad",
        watchlist="sha256:0",
        article=card,
        actors=tuple(one for one in found if isinstance(one, ActorFound)),
        rules=tuple(one for one in found if isinstance(one, RuleFound)),
        hits=tuple(hits),
        near_misses=tuple(misses),
    )


def first_fetch(policy: FirstFetch, name: str = "INA") -> FeedCard:
    return replace(FEED, id=name.lower(), name=name, first_fetch=policy)
