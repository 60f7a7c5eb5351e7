"""Desks to what search and judging need: terms numbered once for all desks, actors and rules to be found by their terms."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from consumers.search import Searcher, make_searcher
from consumers.syntax import ActorTerm, ListTerm, Term, anchors, walk
from consumers.watchlist.desk import Actor, Desk, Rule


@dataclass(frozen=True, slots=True)
class Roster:
    """Where a desk's actors stand among its `actors`, by id and by the file they came from."""

    by_id: Mapping[str, int]
    by_list: Mapping[str, Sequence[int]]

    def places(self, leaf: ActorTerm | ListTerm) -> Sequence[int]:
        return (self.by_id[leaf.id],) if isinstance(leaf, ActorTerm) else self.by_list[leaf.file]


@dataclass(frozen=True, slots=True)
class Guards:
    """An actor's guards, their terms by number."""

    near: tuple[int, ...]
    within: int
    not_in: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CompiledDesk:
    """`owners`: actors (by place) by the terms that are their aliases. `anchored`: rules by terms one of which they need."""

    desk: Desk
    roster: Roster
    guards: Sequence[Guards | None]
    owners: Mapping[int, Sequence[int]]
    anchored: Mapping[int, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Compiled:
    """All desks' watchlists, ready to match."""

    searcher: Searcher
    numbers: Mapping[Term, int]
    desks: tuple[CompiledDesk, ...]


def compile_desks(desks: Sequence[Desk], engine: str | None = None) -> Compiled:
    """Build everything; see `make_searcher` for the time it takes. `engine` is one of `automaton.ENGINES`."""
    numbers: dict[Term, int] = {}
    for desk in desks:
        for term in _terms(desk):
            numbers.setdefault(term, len(numbers))
    searcher = make_searcher([*numbers], engine)
    return Compiled(searcher, numbers, tuple(_compiled(desk, numbers) for desk in desks))


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
    anchored: dict[int, list[int]] = {}
    for place, rule in enumerate(desk.rules):
        for number in set(_anchor_terms(rule, desk, roster, numbers)):
            anchored.setdefault(number, []).append(place)
    return CompiledDesk(desk, roster, [_guards(actor, numbers) for actor in desk.actors], owners, anchored)


def _guards(actor: Actor, numbers: Mapping[Term, int]) -> Guards | None:
    if actor.require_near is None and not actor.not_in:
        return None
    near = tuple(numbers[term] for term in actor.require_near.terms) if actor.require_near else ()
    within = actor.require_near.within if actor.require_near else 0
    return Guards(near, within, tuple(numbers[term] for term in actor.not_in))


def _anchor_terms(rule: Rule, desk: Desk, roster: Roster, numbers: Mapping[Term, int]) -> Iterable[int]:
    for leaf in anchors(rule.where) or ():
        if isinstance(leaf, Term):
            yield numbers[leaf]
        else:
            for place in roster.places(leaf):
                yield from (numbers[alias] for alias in desk.actors[place].aliases)
