"""What a rule needs at the least: clauses, of each of which something must be found for the rule to hold.

    ("a" OR "b") AND actor:x AND NOT "c"      ─▶  {a, b}  {x}
    title:(a NEAR/3 b) OR (c AND d)           ─▶  {a or b, c or d}

Necessary, not sufficient: places, zones, NOT and what an article is are judged later (`evaluate`). A clause holds marks: the
numbers of terms, actors and lists that rules ask for.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from consumers.syntax import ActorTerm, Attribute, Leaf, ListTerm, Node, Not, Or, Term, children

Clause: TypeAlias = tuple[int, ...]
Mark: TypeAlias = Callable[[Leaf], int]
Cost: TypeAlias = Callable[[Clause], float]


def clauses(node: Node, mark: Mark, cost: Cost) -> list[Clause]:
    """None when the node can hold without anything being found. Of an OR's parts the cheapest clause of each is united."""
    match node:
        case Term() | ActorTerm() | ListTerm():
            return [(mark(node),)]
        case Not() | Attribute():
            return []
        case Or(parts):
            return _united([clauses(part, mark, cost) for part in parts], cost)
        case _:
            return [clause for part in children(node) for clause in clauses(part, mark, cost)]


def _united(parts: Iterable[list[Clause]], cost: Cost) -> list[Clause]:
    marks: dict[int, None] = {}
    for known in parts:
        if not known:
            return []
        marks.update(dict.fromkeys(_cheapest(known, cost)))
    return [tuple(marks)]


def _cheapest(known: list[Clause], cost: Cost) -> Clause:
    return known[0] if len(known) == 1 else min((cost(clause), place, clause) for place, clause in enumerate(known))[2]
