"""Small edits of watchlists, taken over in milliseconds: what is new is searched beside what was built before."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from consumers.compile import Compiled, CompiledDesk, compiled_desk, rule_index, written_terms
from consumers.layers import Layered
from consumers.ruleindex import DeskMarks, RuleIndex
from consumers.search import make_searcher
from consumers.syntax import Term
from consumers.terms import Terms
from consumers.watchlist.desk import Desk
from consumers.watchlist.roll import Roll

MOST: Final = 1_000
"""New terms that are searched beside the others."""


def edited(before: Compiled, desks: Sequence[Desk]) -> Compiled | None:
    """The desks, compiled on what was compiled before; None when too much is new for that.

    Terms that are gone are still searched for, and belong to nobody.
    """
    numbers = dict(before.numbers)
    below = before.searcher.below if isinstance(before.searcher, Layered) else before.searcher
    above = [*before.searcher.above.terms] if isinstance(before.searcher, Layered) else []
    rolls = [Roll.of(desk.actors) for desk in desks]
    for desk, roll in zip(desks, rolls, strict=True):
        for term in written_terms(desk, roll):
            if term not in numbers:
                numbers[term] = len(below.terms) + len(above)
                above.append(term)
    base = below.terms if isinstance(below.terms, Terms) else Terms([below.terms])
    known = all(base.first(file.listing) is not None for roll in rolls for _, file in roll.listed)
    if len(above) > MOST or not known:
        return None
    terms = base.extended(above)
    compiled = tuple(_desk(before, desk, roll, numbers, terms) for desk, roll in zip(desks, rolls, strict=True))
    return Compiled(Layered(terms, below, make_searcher(above)), numbers, compiled, _rules(before, compiled, numbers, terms))


def _desk(before: Compiled, desk: Desk, roll: Roll, numbers: dict[Term, int], terms: Terms) -> CompiledDesk:
    """As it is, when nothing of it has changed."""
    same = (known for known in before.desks if (known.desk.name, known.desk.version) == (desk.name, desk.version))
    return next(same, None) or compiled_desk(desk, roll, numbers, terms)


def _rules(before: Compiled, desks: Sequence[CompiledDesk], numbers: dict[Term, int], terms: Terms) -> RuleIndex:
    """The index there is, when the rules are the same and the actors they name stand where they stood."""
    if len(desks) != len(before.desks) or not all(map(_ask_the_same, desks, before.desks, before.rules.desks)):
        return rule_index(desks, numbers, len(terms))
    more = np.full(len(terms) - len(before.rules.terms), -1, np.int64)
    return replace(before.rules, terms=np.concatenate([before.rules.terms, more]))


def _ask_the_same(one: CompiledDesk, other: CompiledDesk, marks: DeskMarks) -> bool:
    if one is other:
        return True
    places = [place for place in marks.actors if place >= 0]
    return (
        one.desk.rules == other.desk.rules
        and max(places, default=-1) < len(one.actors)
        and all(one.actors[place].id == other.actors[place].id for place in places)
    )
