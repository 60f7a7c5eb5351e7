"""Two searchers as one: the large one, built once, and a small one for the terms that came since."""

from collections.abc import Sequence
from dataclasses import dataclass

from consumers.search import Found, Searcher, Texts
from consumers.syntax import Term


@dataclass(frozen=True, slots=True)
class Layered:
    """The terms of `below` keep their numbers; those of `above` are numbered behind them."""

    terms: Sequence[Term]
    below: Searcher
    above: Searcher

    def search(self, texts: Texts) -> dict[int, list[Found]]:
        """As one searcher of all terms finds them."""
        found = self.below.search(texts)
        first = len(self.below.terms)
        for number, hits in self.above.search(texts).items():
            found[first + number] = [hit._replace(term=first + number) for hit in hits]
        return found
