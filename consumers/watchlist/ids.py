"""Ids: as given, else made from names, each once in its desk; and rules that name an actor or a file the desk does not have."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar, cast

from consumers.syntax import ActorTerm, ListTerm, Node, walk
from consumers.watchlist.columns import Column, Lookup, shared
from consumers.watchlist.desk import Actor, Rule
from consumers.watchlist.listing import Listing
from consumers.watchlist.names import make_id
from consumers.watchlist.parts import NameFile, Written
from consumers.watchlist.roll import Listed, Roll
from daemon.errors import Problem

_MOST: Final = 20
Identified = TypeVar("Identified", Actor, Rule)


def with_ids(
    placed: Sequence[tuple[Identified, Problem]],
    names: Callable[[Identified], Sequence[str]],
    what: str,
    problems: list[Problem],
    files: Sequence[NameFile] = (),
) -> tuple[Identified, ...]:
    """Ids as given, then those made from names; one id twice, in a file too, is a problem naming both places."""
    first: dict[str, Problem] = {}
    for thing, place in placed:
        for file in files if thing.id else ():
            if (there := file.listing.lookup.place(thing.id)) is not None:
                reason = f"the {what} {thing.id!r} stands in this desk twice, also in {file.path}:{file.listing.lines[there]}"
                problems.append(replace(place, reason=reason))
        if thing.id and thing.id in first:
            reason = f"the {what} {thing.id!r} stands in this desk twice, also in {place_of(first[thing.id])}"
            problems.append(replace(place, reason=reason))
        elif thing.id:
            first[thing.id] = place
    taken = Taken(first, [file.listing for file in files])
    made: list[Identified] = []
    for thing, _ in placed:
        identified = thing if thing.id else replace(thing, id=make_id(names(thing), taken))
        taken.add(identified.id)
        made.append(identified)
    return tuple(made)


def enrolled(placed: Sequence[Written | NameFile], problems: list[Problem]) -> Roll:
    """All actors of a desk, with ids: given ones first, so that a made one is never in another's way."""
    files = [each for each in placed if isinstance(each, NameFile)]
    written = with_ids([each for each in placed if not isinstance(each, NameFile)], _actor_names, "actor", problems, files)
    taken = Taken({actor.id for actor in written}, [file.listing for file in files])
    _check_files(files, problems)
    waiting = iter(written)
    runs: list[list[Actor] | Listed] = [[]]
    for each in placed:
        if isinstance(each, NameFile):
            runs += [_listed(each, taken), []]
        else:
            cast("list[Actor]", runs[-1]).append(next(waiting))
    return Roll(runs)


class Taken:
    """Ids that are given away: those of the watchlists, and of files of names."""

    def __init__(self, ids: Iterable[str], listings: Sequence[Listing]) -> None:
        self._ids = set(ids)
        self._listings = listings

    def __contains__(self, actor: object) -> bool:
        return actor in self._ids or any(listing.lookup.place(str(actor)) is not None for listing in self._listings)

    def add(self, actor: str) -> None:
        self._ids.add(actor)


def _check_files(files: Sequence[NameFile], problems: list[Problem]) -> None:
    """One id in two files."""
    for number, file in enumerate(files):
        for other in files[:number]:
            for place in shared(other.listing.lookup, file.listing.lookup)[:_MOST]:
                actor, line = file.listing.ids[place], int(file.listing.lines[place])
                known = other.listing.lines[other.listing.lookup.place(actor) or 0]
                reason = f"the actor {actor!r} stands in this desk twice, also in {other.path}:{known}"
                problems.append(Problem(file=file.path, line=line, reason=reason))


def _listed(file: NameFile, taken: Taken) -> Listed:
    listing = file.listing
    ids, lookup = listing.ids, listing.lookup
    if "" in set(listing.ids):
        made = []
        for place, given in enumerate(listing.ids):
            made.append(given or make_id(listing.names_of(place), taken))
            taken.add(made[-1])
        ids = Column.of(made)
        lookup = Lookup.of(ids)
    return Listed(listing, ids, lookup, file.defaults.severity, file.defaults.notify, file.file)


def _actor_names(actor: Actor) -> list[str]:
    return [alias.text for alias in actor.aliases]


def dangling(rules: Iterable[tuple[Rule, Problem]], actors: Roll) -> Iterator[Problem]:
    """Actors and lists that rules name and the desk does not have."""
    ids = {actor.id for _, actor in actors.written}
    lists = {listed.file for _, listed in actors.listed}
    for rule, place in rules:
        for node in _nodes(rule):
            if isinstance(node, ActorTerm) and node.id not in ids and actors.place(node.id) is None:
                yield replace(place, reason=f"rule {rule.id}: actor:{node.id} is no actor of this desk{_hint(node.id, ids)}")
            if isinstance(node, ListTerm) and node.file not in lists:
                hint = _hint(node.file, lists)
                yield replace(place, reason=f"rule {rule.id}: list:{node.file} is no file of this desk's actors{hint}")


def _nodes(rule: Rule) -> Iterator[Node]:
    yield from walk(rule.where)
    if rule.unless is not None:
        yield from walk(rule.unless)


def _hint(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def place_of(place: Problem) -> str:
    return f"{place.file}:{place.line}"
