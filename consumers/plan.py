"""A rule's tree made ready to be judged: words, actors and lists by number, and many of them in OR as one look-up.

Made when a rule is first looked at: of a hundred thousand most never are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from consumers.syntax import (
    ActorTerm,
    And,
    AnyOf,
    Count,
    InZone,
    ListTerm,
    Near,
    Node,
    Not,
    Or,
    Same,
    Term,
)


@dataclass(frozen=True, slots=True)
class Planner:
    """Numbers of terms; places of a desk's actors, by id."""

    numbers: Mapping[Term, int]
    places: Mapping[str, int]

    def plan(self, node: Node) -> Node:  # noqa: C901, PLR0911 - one case a kind of node
        """The same tree. What the desk does not have stays as it is: to judge that raises."""
        match node:
            case Term():
                return AnyOf(frozenset({self.numbers[node]}), frozenset(), ())
            case ActorTerm(actor) if actor in self.places:
                return AnyOf(frozenset(), frozenset({self.places[actor]}), ())
            case ListTerm(file):
                return AnyOf(frozenset(), frozenset(), (file,))
            case Or(parts):
                return _united([self.plan(part) for part in parts])
            case And(parts):
                return And(tuple(map(self.plan, parts)))
            case Not(part):
                return Not(self.plan(part))
            case InZone(zone, part):
                return InZone(zone, self.plan(part))
            case Count(part, least):
                return Count(self.plan(part), least)
            case Same(left, right):
                return Same(self.plan(left), self.plan(right))
            case Near(left, right, words, ordered):
                return Near(self.plan(left), self.plan(right), words, ordered)
            case _:
                return node


def _united(parts: list[Node]) -> Node:
    leaves = [part for part in parts if isinstance(part, AnyOf)]
    others = [part for part in parts if not isinstance(part, AnyOf)]
    if not leaves:
        return Or(tuple(others))
    united = AnyOf(
        frozenset().union(*(part.terms for part in leaves)),
        frozenset().union(*(part.actors for part in leaves)),
        tuple(dict.fromkeys(file for part in leaves for file in part.lists)),
    )
    return Or((united, *others)) if others else united
