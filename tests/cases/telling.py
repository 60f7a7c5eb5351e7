"""Drives the alerter through a scenario of stories.jsonl, in virtual time, and gathers what it told and recorded.

match specs ─▶ Match records ─▶ Decisions over one table, wakes in between ─▶ messages and outcomes
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from alerts.alerter import Alerter
from consumers.text.fold import fold_key
from daemon.bus.base import Record
from daemon.bus.held import HeldRows
from daemon.config.models import Route
from daemon.messages.alert import Message, Outcome
from daemon.messages.article import FeedCard, FirstFetch, Language, Moment, Source, Zone
from daemon.messages.match import ActorFound, ArticleCard, Hit, Match, Miss, NearMiss, RuleFound, Severity, Stage
from daemon.messages.wire import decode, encode, match_id
from daemon.sketch import sketch
from daemon.stage.graveyard import Grave
from daemon.stage.step import Decisions
from daemon.stage.table import StepTable

Spec = Mapping[str, Any]
START: Final = 1_750_000_000.0
_DAY: Final = 86_400.0
_WAKES: Final = 10_000
_RECEIVERS: Final = frozenset({"screen", "slack", "mail"})


@dataclass(slots=True)
class Telling:
    """What came out. `matches` are those that went in, in their order."""

    matches: list[Match] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    dead: int = 0

    @property
    def first(self) -> list[Message]:
        """The first messages about their stories, each once, in the order they were put out."""
        return list({message.id: message for message in self.messages if not message.update}.values())

    @property
    def updates(self) -> list[Message]:
        return list({(message.id, message.version): message for message in self.messages if message.update}.values())

    def story_of(self, place: int) -> str:
        """The one story that a match's findings ended in."""
        stories = {outcome.story for outcome in self.outcomes if outcome.match == self.matches[place].id and outcome.story}
        assert len(stories) == 1, f"match {place} stands in the stories {stories}"
        return stories.pop()


def tell(specs: Sequence[Spec], *, patience: float = 6 * 3600.0) -> Telling:
    """Run the matches through an alerter and wait `patience` seconds after the last."""
    rows, told = HeldRows(), Telling()
    alerter = Alerter(Route(receiver="screen"), _RECEIVERS)
    for spec in specs:
        match, at = build_match(spec), START + spec["at"]
        told.matches.append(match)
        record = Record("matches", match.desk, match.id.encode(), encode(match), at)
        decisions = Decisions(alerter, Grave(0, "alerter"), table := StepTable(rows), set(), at)
        decisions.records(list(zip([record], alerter.prepare([match]), strict=True)), _WAKES)
        _keep(told, rows, decisions, table)
    end = START + (specs[-1]["at"] if specs else 0) + patience
    decisions = Decisions(alerter, Grave(0, "alerter"), table := StepTable(rows), set(), end)
    decisions.wakes(end, _WAKES)
    _keep(told, rows, decisions, table)
    return told


def _keep(told: Telling, rows: HeldRows, decisions: Decisions[Match, Match], table: StepTable) -> None:
    rows.apply(table.changes())
    told.dead += decisions.gathered.dead
    assert not [fact for fact in decisions.gathered.facts if fact.metric == "rasid_hop_failures_total"], "a wake raised"
    for record in decisions.gathered.out:
        if record.topic not in {"outbox", "alerts"}:
            continue
        message = decode(record.value)
        if isinstance(message, Message):
            told.messages.append(message)
        elif isinstance(message, Outcome):
            told.outcomes.append(message)


def build_match(spec: Spec) -> Match:
    """The match that hop 3 would have made of a spec."""
    desk, text = spec.get("desk", "iraq"), str(spec["text"])
    actors = [entry if isinstance(entry, dict) else {"id": entry} for entry in spec["actors"]]
    rules = [entry if isinstance(entry, dict) else {"id": entry} for entry in spec["rules"]]
    return Match(
        id=match_id(desk, spec["article"], spec["revision"]),
        desk=desk,
        time_zone="Asia/Baghdad",
        watchlist="sha256:cases",
        article=_card(spec),
        actors=tuple(_actor(entry, spec) for entry in actors),
        rules=tuple(_rule(entry, spec) for entry in rules),
        hits=tuple(_hit(text, actor=e["id"]) for e in actors) + tuple(_hit(text, rule=e["id"]) for e in rules),
        near_misses=tuple(_miss(actor) for actor in spec.get("misses", ())),
    )


def _card(spec: Spec) -> ArticleCard:
    at = START + spec["at"]
    published = spec.get("published", -60)
    return ArticleCard(
        id=spec["article"],
        revision=spec["revision"],
        url=f"https://{spec['feed']}.example.org/{spec['article']}",
        title=spec["title"],
        feed=FeedCard(
            id=spec["feed"],
            url=f"https://{spec['feed']}.example.org/feed",
            max_age=spec.get("max_age", _DAY),
            first_fetch=FirstFetch(spec.get("first_fetch", "summary")),
        ),
        language=Language(tag=spec["language"], confidence=1.0, source="text"),
        published=Moment() if published is None else Moment(at=at + published, how="rfc822"),
        fetched_at=at,
        source=Source(name=spec["feed"]),
        sketch=sketch(fold_key(str(spec["text"]))),
        changed=tuple(spec.get("changed", ())),
        backfill=spec.get("backfill", False),
    )


def _actor(entry: Spec, spec: Spec) -> ActorFound:
    severity = Severity(entry.get("severity", spec["severity"]))
    return ActorFound(id=entry["id"], name=entry["id"], severity=severity, notify=tuple(entry.get("notify", ())))


def _rule(entry: Spec, spec: Spec) -> RuleFound:
    severity, stage = Severity(entry.get("severity", spec["severity"])), Stage(entry.get("stage", "live"))
    return RuleFound(id=entry["id"], name=entry["id"], severity=severity, notify=tuple(entry.get("notify", ())), stage=stage)


def _hit(text: str, *, actor: str | None = None, rule: str | None = None) -> Hit:
    surface = text[:8]
    end = len(surface)
    return Hit(zone=Zone.BODY, start=0, end=end, surface=surface, alias=surface, actor=actor, rule=rule, snippet=text[:120])


def _miss(actor: str) -> Miss:
    return Miss(reason=NearMiss.ZONE, zone=Zone.REST, start=0, end=5, surface="Salam", actor=actor)
