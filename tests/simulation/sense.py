"""What understands articles in the made-up world. One rule has a fault, and raises wherever its `unless` stands."""

from dataclasses import replace

from consumers.compile import compile_desks
from consumers.enricher import Enricher
from consumers.syntax import ActorTerm, And
from consumers.text.language import Languages
from consumers.watchlist.desk import Desk, Rule
from consumers.watchlist.read import parse_watchlist
from consumers.zones.headings import load_headings
from consumers.zones.zoner import Zoner
from tests.simulation.press import BROKEN, WATCHLISTS
from tests.simulation.process import Sense


def make_sense() -> Sense:
    """The same in every life, and slow to build."""
    desks = [_with_fault(desk) for file, text in WATCHLISTS.items() for desk in parse_watchlist(text, file)]
    return Sense(Enricher(Zoner(load_headings()), Languages()), compile_desks(desks))


def _with_fault(desk: Desk) -> Desk:
    return replace(desk, rules=tuple(_broken(rule) if rule.id == BROKEN else rule for rule in desk.rules))


def _broken(rule: Rule) -> Rule:
    """One that raises where its `unless` stands: an actor is asked for whom the desk does not have."""
    if rule.unless is None:
        raise AssertionError(f"rule {rule.id} has no unless")
    return replace(rule, unless=And((rule.unless, ActorTerm("nobody"))))
