"""Two searchers as one: the large one, built once, and a small one for the terms that came since."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from consumers.finds import Finds, ZoneFinds
from consumers.search import Searcher, Texts
from consumers.syntax import Term


@dataclass(frozen=True, slots=True)
class Layered:
    """The terms of `below` keep their numbers; those of `above` are numbered behind them."""

    terms: Sequence[Term]
    below: Searcher
    above: Searcher

    def search(self, texts: Texts) -> Finds:
        """As one searcher of all terms finds them."""
        first = len(self.below.terms)
        above = [_numbered(zone, first) for zone in self.above.search(texts).zones]
        return Finds([*self.below.search(texts).zones, *above])


def _numbered(zone: ZoneFinds, first: int) -> ZoneFinds:
    others = [hit._replace(term=first + hit.term) for hit in zone.others]
    return replace(zone, terms=zone.terms + np.int32(first), others=others)
