"""A rule explained: how it was read, what must be found for it to be looked at, and what it costs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from consumers.clauses import clauses
from consumers.ruleindex import guess
from consumers.syntax import (
    ActorTerm,
    And,
    Attribute,
    Count,
    Exactness,
    InZone,
    Leaf,
    ListTerm,
    Near,
    Node,
    Not,
    Or,
    Same,
    Term,
    children,
    walk,
)
from consumers.watchlist.desk import Desk, Rule

_MARKS: Final = {Exactness.EXACT: "=", Exactness.CASED: "^"}
_PLACES: Final = Near | Same | Count


@dataclass(frozen=True, slots=True)
class Explanation:
    """`needs`: of each of these something must be found, or the rule is not looked at; the first is its anchor.

    Anchors move to what is met least once the service has seen articles: these are chosen by a guess. `terms` are searched for
    in every article, `places` are the operators that look at where hits stand, which only a rule that is looked at pays for.
    """

    desk: str
    rule: str
    zones: tuple[str, ...]
    where: tuple[str, ...]
    unless: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    terms: int
    places: int


def explain(desk: Desk, rule: Rule) -> Explanation:
    """The rule as it was read. Lines of `where` and `unless` are indented by what they belong to."""
    nodes = [*walk(rule.where), *(walk(rule.unless) if rule.unless else ())]
    return Explanation(
        desk=desk.name,
        rule=rule.id,
        zones=tuple(sorted(rule.zones)),
        where=tuple(_lines(rule.where)),
        unless=tuple(_lines(rule.unless)) if rule.unless else (),
        needs=_needs(rule.where),
        terms=len({node for node in nodes if isinstance(node, Term)}),
        places=sum(isinstance(node, _PLACES) for node in nodes),
    )


def _needs(node: Node) -> tuple[tuple[str, ...], ...]:
    leaves: list[Leaf] = []

    def mark(leaf: Leaf) -> int:
        leaves.append(leaf)
        return len(leaves) - 1

    def cost(clause: Sequence[int]) -> float:
        return sum(guess(leaves[mark]) for mark in clause)

    ranked = sorted(clauses(node, mark, cost), key=cost)
    return tuple(tuple(dict.fromkeys(_leaf(leaves[mark]) for mark in clause)) for clause in ranked)


def _lines(node: Node, depth: int = 0) -> Iterator[str]:
    yield "  " * depth + _head(node)
    for child in children(node):
        yield from _lines(child, depth + 1)


def _head(node: Node) -> str:  # noqa: PLR0911 - one case a kind of node
    match node:
        case And() | Or() | Not() | Same():
            return type(node).__name__.upper()
        case Near(_, _, words, ordered):
            return f"{'BEFORE' if ordered else 'NEAR'}/{words}"
        case Count(_, least):
            return f"COUNT >= {least}"
        case InZone(zone):
            return f"{zone}:"
        case Attribute(field, value):
            return f"{field}:{value}"
        case Term() | ActorTerm() | ListTerm():
            return _leaf(node)
        case _:
            return str(node)


def _leaf(leaf: Leaf) -> str:
    match leaf:
        case ActorTerm(actor):
            return f"actor:{actor}"
        case ListTerm(file):
            return f"list:{file}"
        case Term(text=text, exactness=exactness):
            return _MARKS.get(exactness, "") + (f'"{text}"' if " " in text else text)
