"""Desks to what search and judging need: terms numbered once for all desks, actors and rules to be found by their terms."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from consumers.candidates import Traffic
from consumers.layers import Layered
from consumers.plan import Planner
from consumers.ruleindex import RuleIndex, make_rule_index
from consumers.search import Searcher, load_searcher, make_searcher
from consumers.stored import NotStored, Stored
from consumers.syntax import ActorTerm, Node, Term, walk
from consumers.terms import Terms
from consumers.watchlist.desk import Actor, Desk, Rule
from consumers.watchlist.listing import Listing
from consumers.watchlist.roll import Roll
from daemon.errors import DecodeError


@dataclass(frozen=True, slots=True)
class Guards:
    """An actor's guards, their terms by number."""

    near: tuple[int, ...]
    within: int
    not_in: tuple[int, ...]


class NamesFound(NamedTuple):
    """A file's names among the terms, from the number `first`; its actors among the desk's, from the place `actors`."""

    first: int
    actors: int
    listing: Listing

    def owner(self, term: int) -> int | None:
        """The actor whose name the term is."""
        name = term - self.first
        return self.actors + self.listing.owner(name) if 0 <= name < len(self.listing.names) else None


@dataclass(frozen=True, slots=True)
class CompiledDesk:
    """`owners`: actors by the terms that are their aliases; files of names have their own. Actors go by their place."""

    desk: Desk
    actors: Roll
    guards: Mapping[int, Guards]
    owners: Mapping[int, Sequence[int]]
    files: Sequence[NamesFound]
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

    searcher: Searcher | Layered
    numbers: Mapping[Term, int]
    desks: tuple[CompiledDesk, ...]
    rules: RuleIndex


def compile_desks(desks: Sequence[Desk], engine: str | None = None, stored: Stored | None = None) -> Compiled:
    """Build everything; from what is `stored` a million names in a second or two. `engine`: of `ENGINES`."""
    rolls = [Roll.of(desk.actors) for desk in desks]
    numbers: dict[Term, int] = {}
    for desk, roll in zip(desks, rolls, strict=True):
        for term in written_terms(desk, roll):
            numbers.setdefault(term, len(numbers))
    terms = Terms([tuple(numbers), *(file.listing for roll in rolls for _, file in roll.listed)])
    searcher = _searcher(terms, engine, stored or NotStored(), [desk.version.encode() for desk in desks])
    compiled = tuple(compiled_desk(desk, roll, numbers, terms) for desk, roll in zip(desks, rolls, strict=True))
    return Compiled(searcher, numbers, compiled, rule_index(compiled, numbers, len(terms)))


def _searcher(terms: Terms, engine: str | None, stored: Stored, versions: Sequence[bytes]) -> Searcher:
    """As it was built before, if it was."""
    of = [(engine or "").encode(), *versions]
    known = stored.get("automaton", of)
    if known is not None:
        with suppress(DecodeError):
            return load_searcher(terms, known)
    searcher = make_searcher(terms, engine)
    content = searcher.dump()
    if content is not None:
        stored.put("automaton", of, content)
    return searcher


def reanchored(compiled: Compiled) -> Compiled:
    """The same watchlists, their rules anchored by what was met so far."""
    rules = compiled.rules
    return replace(compiled, rules=rule_index(compiled.desks, compiled.numbers, len(rules.terms), rules.traffic))


def rule_index(
    desks: Sequence[CompiledDesk], numbers: Mapping[Term, int], terms: int, traffic: Traffic | None = None
) -> RuleIndex:
    return make_rule_index([(each.desk, each.planner.places) for each in desks], numbers, terms, traffic)


def written_terms(desk: Desk, roll: Roll) -> Iterator[Term]:
    """All but those of files of names."""
    for _, actor in roll.written:
        yield from actor.aliases
        yield from actor.not_in
        yield from actor.require_near.terms if actor.require_near else ()
    for rule in desk.rules:
        yield from (node for node in _nodes(rule) if isinstance(node, Term))


def _nodes(rule: Rule) -> Iterator[Node]:
    yield from walk(rule.where)
    if rule.unless is not None:
        yield from walk(rule.unless)


def compiled_desk(desk: Desk, roll: Roll, numbers: Mapping[Term, int], terms: Terms) -> CompiledDesk:
    owners: dict[int, list[int]] = {}
    places: dict[str, int] = {}
    guards: dict[int, Guards] = {}
    for place, each in roll.written:
        places[each.id] = place
        for alias in each.aliases:
            owners.setdefault(numbers[alias], []).append(place)
        if each.require_near is not None or each.not_in:
            guards[place] = _guards(each, numbers)
    for rule in desk.rules if roll.listed else ():
        for actor in [node.id for node in _nodes(rule) if isinstance(node, ActorTerm) and node.id not in places]:
            found = roll.place(actor)
            places |= {} if found is None else {actor: found}
    files = [NamesFound(terms.first(file.listing) or 0, first, file.listing) for first, file in roll.listed]
    return CompiledDesk(desk, roll, guards, owners, files, Planner(numbers, places))


def _guards(actor: Actor, numbers: Mapping[Term, int]) -> Guards:
    near = tuple(numbers[term] for term in actor.require_near.terms) if actor.require_near else ()
    within = actor.require_near.within if actor.require_near else 0
    return Guards(near, within, tuple(numbers[term] for term in actor.not_in))
