"""What a desk makes of the terms found in an article: actors and rules that hit, the evidence, and the near misses.

    Found by term ─▶ actors' hits (guards, spelling) ─▶ rules on hits ─▶ Judgement, its evidence cut to its limits

A rule that raises is left out of the article and named: it must not cost the article or the other rules.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from consumers.actors import ActorHit, actor_hits
from consumers.claims import Claim, Claims, fair, united
from consumers.compile import Compiled, CompiledDesk
from consumers.evaluate import Attributes, Evaluation, Evidence
from consumers.finds import Finds, Found
from consumers.hits import by_zone
from consumers.search import Texts
from consumers.syntax import Node, Term
from consumers.watchlist.desk import Actor, Desk, Rule
from daemon.messages.article import Zone
from daemon.messages.match import Hit, Miss, NearMiss

MAX_HITS: Final = 200
MAX_MISSES: Final = 20
MAX_FOUND: Final = 200
"""Actors of a match, and rules of it."""

_ALERTING: Final = frozenset({Zone.TITLE, Zone.LEAD, Zone.BODY})
_EVERYWHERE: Final = frozenset(Zone)


F = TypeVar("F", Actor, Rule)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one desk found. `failed` are rules that raised, with the error."""

    actors: tuple[Actor, ...] = ()
    rules: tuple[Rule, ...] = ()
    hits: tuple[Hit, ...] = ()
    near_misses: tuple[Miss, ...] = ()
    more_hits: int = 0
    more_misses: int = 0
    more_actors: int = 0
    more_rules: int = 0
    failed: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.hits or self.near_misses)


@dataclass(frozen=True, slots=True)
class Subject:
    """An article as rules see it, and the terms found in it."""

    texts: Texts
    attributes: Attributes
    found: Finds


def judge_all(compiled: Compiled, subject: Subject) -> Iterator[tuple[Desk, Judgement]]:
    """Judge one article for each desk, in their order."""
    hits = [actor_hits(desk, subject.found, subject.texts) for desk in compiled.desks]
    marks = compiled.rules.marks(subject.found, [_present(*each) for each in zip(compiled.desks, hits, strict=True)])
    for desk, actors, rules in zip(compiled.desks, hits, compiled.rules.rules(marks), strict=True):
        evaluation = Evaluation(desk.actors, subject.found, actors, subject.texts, subject.attributes)
        yield desk.desk, _judged(desk, evaluation, rules, _Shown(compiled.searcher.terms, subject.texts))


def _present(desk: CompiledDesk, hits: Mapping[int, Sequence[ActorHit]]) -> Iterator[tuple[int, str]]:
    """Actors found that nothing speaks against: place and list."""
    for place, found in hits.items():
        if any(hit.reason is None for hit in found):
            yield place, desk.actors.file(place)


def _judged(desk: CompiledDesk, evaluation: Evaluation, places: Iterable[int], shown: "_Shown") -> Judgement:
    actors, claims = _actors(desk, evaluation)
    rules: list[Rule] = []
    failed: dict[str, str] = {}
    for place in places:
        rule = desk.desk.rules[place]
        try:
            evidence, reason = _rule(rule, desk.plan(place), evaluation)
        except Exception as error:  # noqa: BLE001 - a rule is a boundary: one that raises must not cost the article
            failed[rule.id] = f"{type(error).__name__}: {error}"
            continue
        if evidence and reason is None:
            rules.append(rule)
        claims += _claims(desk, rule, evidence, reason)
    return _judgement(actors, rules, claims, failed, shown)


def _judgement(
    actors: Sequence[Actor], rules: Sequence[Rule], claims: Sequence[Claims], failed: Mapping[str, str], shown: "_Shown"
) -> Judgement:
    actors, more_actors = _severest(actors)
    rules, more_rules = _severest(rules)
    kept = {(actor.id, None) for actor in actors} | {(None, rule.id) for rule in rules}
    good = [each for each in claims if each.reason is None]
    said = [each for each in good if (None if each.rule else each.actor, each.rule) in kept]
    missed = [each for each in claims if each.reason is not None]
    hits, misses = fair(said, MAX_HITS), fair(missed, MAX_MISSES)
    return Judgement(
        actors=tuple(actors),
        rules=tuple(rules),
        hits=tuple(map(shown.hit, hits)),
        near_misses=tuple(map(shown.miss, misses)),
        more_hits=sum(map(len, good)) - len(hits),
        more_misses=sum(map(len, missed)) - len(misses),
        more_actors=more_actors,
        more_rules=more_rules,
        failed=failed,
    )


def _severest(found: Sequence[F]) -> tuple[Sequence[F], int]:
    """At most `MAX_FOUND` of them, the most severe, in their order; and how many are left out."""
    ranked = sorted(range(len(found)), key=lambda place: -found[place].severity.rank)[:MAX_FOUND]
    return [found[place] for place in sorted(ranked)], len(found) - len(ranked)


def _actors(desk: CompiledDesk, evaluation: Evaluation) -> tuple[list[Actor], list[Claims]]:
    """Actors that alert by themselves, and the claims of these and of those something kept silent."""
    alerting: list[Actor] = []
    claims: list[Claims] = []
    for place, hits in evaluation.actors.items():
        actor = desk.actors[place]
        if not actor.alert:
            continue
        good = [each for each in evaluation.actor(place) if each.hits.zone in _ALERTING]
        if good:
            alerting.append(actor)
            claims.append(Claims(good, actor.id, None))
        else:
            claims += _silenced(actor, place, hits, evaluation.texts)
    return alerting, claims


def _silenced(actor: Actor, place: int, hits: Iterable[ActorHit], texts: Texts) -> Iterator[Claims]:
    by_reason: dict[NearMiss, list[Found]] = {}
    for hit in hits:
        by_reason.setdefault(hit.reason or NearMiss.ZONE, []).append(hit.found)
    for reason, found in by_reason.items():
        yield Claims([Evidence(each, place) for each in by_zone(found, texts)], actor.id, None, reason)


def _rule(rule: Rule, plan: tuple[Node, Node | None], evaluation: Evaluation) -> tuple[list[Evidence], NearMiss | None]:
    """The rule's evidence, and what kept it silent if anything did; no evidence when it does not hold at all."""
    where, unless = plan
    evidence = evaluation.holds(where, rule.zones)
    if evidence is not None:
        silent = unless is not None and evaluation.holds(unless, rule.zones) is not None
        return evidence, NearMiss.UNLESS if silent else None
    if evaluation.texts.keys() <= rule.zones:
        return [], NearMiss.ZONE
    elsewhere = evaluation.holds(where, _EVERYWHERE) or []
    return [each for each in elsewhere if each.hits.zone not in rule.zones], NearMiss.ZONE


def _claims(desk: CompiledDesk, rule: Rule, evidence: Iterable[Evidence], reason: NearMiss | None) -> Iterator[Claims]:
    for place, by_actor in united(evidence).items():
        actor = None if place is None else desk.actors[place].id
        yield Claims(by_actor, actor, rule.id, reason)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Claims as evidence, with offsets and sentences of the article's own text."""

    terms: Sequence[Term]
    texts: Texts

    def hit(self, claim: Claim) -> Hit:
        text = self.texts[claim.found.zone]
        start, end = text.span(claim.found)
        snippet, offset = text.sentences.snippet(start, end)
        return Hit(
            zone=claim.found.zone,
            start=start,
            end=end,
            surface=text.text[start:end],
            alias=self.terms[claim.found.term].text,
            actor=claim.actor,
            rule=claim.rule,
            prefix=claim.found.clitic,
            suffix=claim.found.suffix,
            snippet=snippet,
            offset=offset,
        )

    def miss(self, claim: Claim) -> Miss:
        hit = self.hit(claim)
        return Miss(
            reason=claim.reason or NearMiss.ZONE,
            zone=hit.zone,
            start=hit.start,
            end=hit.end,
            surface=hit.surface,
            alias=hit.alias,
            actor=hit.actor,
            rule=hit.rule,
            snippet=hit.snippet,
        )
