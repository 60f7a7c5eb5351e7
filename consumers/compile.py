"""Desks to what search and judging need: terms numbered once for all desks, actors and rules to be found by their terms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from consumers.candidates import Traffic
from consumers.plan import Planner
from consumers.ruleindex import RuleIndex, make_rule_index
from consumers.search import Searcher, make_searcher
from consumers.syntax import Node, Term, walk
from consumers.watchlist.desk import Actor, Desk


@dataclass(frozen=True, slots=True)
class Roster:
    """Where a desk's actors stand among its `actors`, by id and by the file they came from."""

    by_id: Mapping[str, int]
    by_list: Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Guards:
    """An actor's guards, their terms by number."""

    near: tuple[int, ...]
    within: int
    not_in: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CompiledDesk:
    """`owners`: actors (by place) by the terms that are their aliases."""

    desk: Desk
    roster: Roster
    guards: Sequence[Guards | None]
    owners: Mapping[int, Sequence[int]]
    planner: Planner
    _plans: dict[int, tuple[Node, Node | None]] = field(default_factory=dict)

    def plan(self, place: int) -> tuple[Node, Node | None]:
        """What the rule at this place asks for, and what keeps it silent."""
        plan = self._plans.get(place)
        if plan is None:
            rule = self.desk.rules[place]
            unless = None if rule.unless is None else self.planner.plan(rule.unless)
            plan = self._plans[place] = (self.planner.plan(rule.where), unless)
        return plan


@dataclass(frozen=True, slots=True)
class Compiled:
    """All desks' watchlists, ready to match."""

    searcher: Searcher
    numbers: Mapping[Term, int]
    desks: tuple[CompiledDesk, ...]
    rules: RuleIndex


def compile_desks(desks: Sequence[Desk], engine: str | None = None) -> Compiled:
    """Build everything; see `make_searcher` for the time it takes. `engine` is one of `automaton.ENGINES`."""
    numbers: dict[Term, int] = {}
    for desk in desks:
        for term in _terms(desk):
            numbers.setdefault(term, len(numbers))
    searcher = make_searcher([*numbers], engine)
    compiled = tuple(_compiled(desk, numbers) for desk in desks)
    return Compiled(searcher, numbers, compiled, _rule_index(compiled, numbers))


def reanchored(compiled: Compiled) -> Compiled:
    """The same watchlists, their rules anchored by what was met so far."""
    return replace(compiled, rules=_rule_index(compiled.desks, compiled.numbers, compiled.rules.traffic))


def _rule_index(desks: Sequence[CompiledDesk], numbers: Mapping[Term, int], traffic: Traffic | None = None) -> RuleIndex:
    return make_rule_index([(each.desk, each.roster.by_id) for each in desks], numbers, len(numbers), traffic)


def _terms(desk: Desk) -> Iterator[Term]:
    for actor in desk.actors:
        yield from actor.aliases
        yield from actor.not_in
        yield from actor.require_near.terms if actor.require_near else ()
    for rule in desk.rules:
        for tree in (rule.where, *([rule.unless] if rule.unless else [])):
            yield from (node for node in walk(tree) if isinstance(node, Term))


def _compiled(desk: Desk, numbers: Mapping[Term, int]) -> CompiledDesk:
    owners: dict[int, list[int]] = {}
    by_list: dict[str, list[int]] = {}
    for place, actor in enumerate(desk.actors):
        for alias in actor.aliases:
            owners.setdefault(numbers[alias], []).append(place)
        if actor.list:
            by_list.setdefault(actor.list, []).append(place)
    roster = Roster({actor.id: place for place, actor in enumerate(desk.actors)}, by_list)
    guards = [_guards(actor, numbers) for actor in desk.actors]
    return CompiledDesk(desk, roster, guards, owners, Planner(numbers, roster.by_id))


def _guards(actor: Actor, numbers: Mapping[Term, int]) -> Guards | None:
    if actor.require_near is None and not actor.not_in:
        return None
    near = tuple(numbers[term] for term in actor.require_near.terms) if actor.require_near else ()
    within = actor.require_near.within if actor.require_near else 0
    return Guards(near, within, tuple(numbers[term] for term in actor.not_in))
