"""What understands articles in the made-up world."""

from consumers.compile import compile_desks
from consumers.enricher import Enricher
from consumers.text.language import Languages
from consumers.watchlist.read import parse_watchlist
from consumers.zones.headings import load_headings
from consumers.zones.zoner import Zoner
from tests.simulation.press import WATCHLISTS
from tests.simulation.process import Sense


def make_sense() -> Sense:
    """The same in every life, and slow to build."""
    desks = [desk for file, text in WATCHLISTS.items() for desk in parse_watchlist(text, file)]
    return Sense(Enricher(Zoner(load_headings()), Languages()), compile_desks(desks))
