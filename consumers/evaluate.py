"""Whether a rule's tree holds for an article, and by which hits. Only looks at hits and attributes, never at texts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeAlias

from consumers.actors import ActorHit
from consumers.compile import Roster
from consumers.search import ByTerm, Found, Texts
from consumers.spans import WordPlaces
from consumers.syntax import ActorTerm, And, Attribute, Count, InZone, ListTerm, Near, Node, Not, Or, Same, Term
from consumers.text.fold import fold_key
from daemon.messages.article import Zone

Attributes: TypeAlias = Mapping[str, Sequence[str]]
"""What an article is, by the names of the query language's fields (`source`, `lang` …)."""

Zones: TypeAlias = frozenset[Zone]


class Evidence(NamedTuple):
    """A hit by which a rule holds; `actor` is the place of the actor whose alias it is, or None for a rule's own term."""

    found: Found
    actor: int | None


Verdict: TypeAlias = list[Evidence] | None
"""None: does not hold. A list may be empty: a NOT holds by what is missing."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One article before one desk's rules."""

    numbers: Mapping[Term, int]
    roster: Roster
    found: ByTerm
    actors: Mapping[int, Sequence[ActorHit]]
    texts: Texts
    attributes: Attributes

    def holds(self, node: Node, zones: Zones) -> Verdict:  # noqa: C901, PLR0911 - one case a kind of node
        match node:
            case Term():
                return [Evidence(hit, None) for hit in self.found.get(self.numbers[node], ()) if hit.zone in zones] or None
            case ActorTerm() | ListTerm():
                return self._actors(self.roster.places(node), zones)
            case And(parts):
                return self._all(parts, zones)
            case Or(parts):
                return self._any(parts, zones)
            case Not(part):
                return [] if self.holds(part, zones) is None else None
            case Near(left, right, words, ordered):
                return self._near(self.holds(left, zones), self.holds(right, zones), words, ordered=ordered)
            case Same(left, right):
                return self._same(self.holds(left, zones), self.holds(right, zones))
            case Count(part, least):
                hits = self.holds(part, zones) or []
                return hits if len({(hit.found.zone, hit.found.start, hit.found.end) for hit in hits}) >= least else None
            case InZone(zone, part):
                return self.holds(part, frozenset({zone}))
            case Attribute(field, value):
                return [] if _is(field, value, self.attributes.get(field, ())) else None

    def _actors(self, places: Sequence[int], zones: Zones) -> Verdict:
        hits = ((place, hit) for place in places for hit in self.actors.get(place, ()))
        return [Evidence(hit.found, place) for place, hit in hits if hit.reason is None and hit.found.zone in zones] or None

    def _all(self, parts: Iterable[Node], zones: Zones) -> Verdict:
        evidence: list[Evidence] = []
        for part in parts:
            verdict = self.holds(part, zones)
            if verdict is None:
                return None
            evidence += verdict
        return evidence

    def _any(self, parts: Iterable[Node], zones: Zones) -> Verdict:
        verdicts = [verdict for part in parts if (verdict := self.holds(part, zones)) is not None]
        return [hit for verdict in verdicts for hit in verdict] if verdicts else None

    def _near(self, left: Verdict, right: Verdict, words: int, *, ordered: bool) -> Verdict:
        """Those of both sides that have one of the other side near."""
        if not left or not right:
            return None
        before, after = self._places(left), self._places(right)
        kept = []
        for hit in left:
            first, last = self.texts[hit.found.zone].words(hit.found)
            if after.follows(hit.found.zone, last, words) or (not ordered and after.precedes(hit.found.zone, first, words)):
                kept.append(hit)
        for hit in right:
            first, last = self.texts[hit.found.zone].words(hit.found)
            if before.precedes(hit.found.zone, first, words) or (not ordered and before.follows(hit.found.zone, last, words)):
                kept.append(hit)
        return kept or None

    def _places(self, evidence: Iterable[Evidence]) -> WordPlaces:
        return WordPlaces((hit.found for hit in evidence), self.texts)

    def _same(self, left: Verdict, right: Verdict) -> Verdict:
        if not left or not right:
            return None
        shared = {self._sentence(hit) for hit in left} & {self._sentence(hit) for hit in right}
        return [hit for hit in (*left, *right) if self._sentence(hit) in shared] or None

    def _sentence(self, hit: Evidence) -> tuple[Zone, int]:
        text = self.texts[hit.found.zone]
        return hit.found.zone, text.sentences.number(text.span(hit.found)[0])


def _is(field: str, value: str, values: Iterable[str]) -> bool:
    """Whether one of an article's values is the one asked for: globs for `source` and `url`, folded equality elsewhere."""
    if field in {"source", "url"}:
        return any(fnmatchcase(known.casefold(), value.casefold()) for known in values)
    return fold_key(value) in map(fold_key, values)
