"""Whether a rule's tree holds for an article, and by which hits. Only looks at hits and attributes, never at texts.

A verdict points at the article's hits and copies none: what AND, OR and NOT cost does not grow with how often a word stands in
an article. Only what asks for places (NEAR, BEFORE, SAME, COUNT) looks at the single hits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeAlias

from consumers.actors import ActorHit
from consumers.finds import Finds
from consumers.hits import Hits, Kept, by_zone, company, shared_sentences
from consumers.search import Texts
from consumers.syntax import And, AnyOf, Attribute, Count, InZone, Near, Node, Not, Or, Same
from consumers.text.fold import fold_key
from consumers.watchlist.roll import Roll
from daemon.messages.article import Zone

Attributes: TypeAlias = Mapping[str, Sequence[str]]
"""What an article is, by the names of the query language's fields (`source`, `lang` …)."""

Zones: TypeAlias = frozenset[Zone]


class Evidence(NamedTuple):
    """Hits by which a rule holds: of a term of its own, or of the actor at this place. `kept` says which; None: all."""

    hits: Hits
    actor: int | None
    kept: Kept | None = None


Verdict: TypeAlias = list[Evidence] | None
"""None: does not hold. A list may be empty: a NOT holds by what is missing."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One article before one desk's rules. What is asked of a term or an actor is worked out once for all of them."""

    roll: Roll
    found: Finds
    actors: Mapping[int, Sequence[ActorHit]]
    texts: Texts
    attributes: Attributes
    _of_term: dict[int, list[Evidence]] = field(default_factory=dict)
    _of_actor: dict[int, list[Evidence]] = field(default_factory=dict)
    _of_list: dict[str, list[Evidence]] = field(default_factory=dict)

    def holds(self, node: Node, zones: Zones) -> Verdict:  # noqa: PLR0911 - one case a kind of node
        match node:
            case AnyOf():
                return self._any_of(node, zones)
            case And(parts):
                return self._all(parts, zones)
            case Or(parts):
                return self._any(parts, zones)
            case Not(part):
                return [] if self.holds(part, zones) is None else None
            case Near(left, right, words, ordered):
                return _near(self.holds(left, zones), self.holds(right, zones), words, ordered=ordered)
            case Same(left, right):
                return _same(self.holds(left, zones), self.holds(right, zones))
            case Count(part, least):
                verdict = self.holds(part, zones) or []
                return verdict if _reaches(verdict, least) else None
            case InZone(zone, part):
                return self.holds(part, frozenset({zone}))
            case Attribute(field, value):
                return [] if _is(field, value, self.attributes.get(field, ())) else None
            case _:
                raise LookupError(f"{node} is nothing that this desk has")

    def actor(self, place: int) -> Sequence[Evidence]:
        """The hits of an actor that nothing speaks against, in all zones."""
        if place not in self._of_actor:
            good = (hit.found for hit in self.actors.get(place, ()) if hit.reason is None)
            self._of_actor[place] = [Evidence(hits, place) for hits in by_zone(good, self.texts)]
        return self._of_actor[place]

    def _any_of(self, leaves: AnyOf, zones: Zones) -> Verdict:
        """Looks at what was found, not at all that is asked for."""
        evidence = [each for number in sorted(self.found.terms & leaves.terms) for each in self._term(number)]
        for place in sorted(self.actors.keys() & leaves.actors):
            evidence += self.actor(place)
        for file in leaves.lists:
            evidence += self._list(file)
        return [each for each in evidence if each.hits.zone in zones] or None

    def _term(self, number: int) -> Sequence[Evidence]:
        if number not in self._of_term:
            self._of_term[number] = [Evidence(hits, None) for hits in by_zone(self.found[number], self.texts)]
        return self._of_term[number]

    def _list(self, file: str) -> Sequence[Evidence]:
        if file not in self._of_list:
            places = (place for place in self.actors if self.roll.file(place) == file)
            self._of_list[file] = [evidence for place in places for evidence in self.actor(place)]
        return self._of_list[file]

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
        return [evidence for verdict in verdicts for evidence in verdict] if verdicts else None


def _near(left: Verdict, right: Verdict, words: int, *, ordered: bool) -> Verdict:
    """Those of both sides that have one of the other side near."""
    if not left or not right:
        return None
    near: list[Evidence] = []
    for one, other in _in_common_zones(left, right):
        before, after = company([each.hits for each in one]), company([each.hits for each in other])
        for each in one:
            kept = after.after(each.hits, words)
            near.append(Evidence(each.hits, each.actor, kept if ordered else kept | after.before(each.hits, words)))
        for each in other:
            kept = before.before(each.hits, words)
            near.append(Evidence(each.hits, each.actor, kept if ordered else kept | before.after(each.hits, words)))
    return _not_empty(near)


def _same(left: Verdict, right: Verdict) -> Verdict:
    if not left or not right:
        return None
    same: list[Evidence] = []
    for one, other in _in_common_zones(left, right):
        shared = shared_sentences([each.hits for each in one], [each.hits for each in other])
        same += [Evidence(each.hits, each.actor, each.hits.within(shared)) for each in (*one, *other)]
    return _not_empty(same)


def _in_common_zones(left: Sequence[Evidence], right: Sequence[Evidence]) -> Iterator[tuple[list[Evidence], list[Evidence]]]:
    """Both sides' evidence, zone by zone, where both have any: terms and actors in OR, so all of their hits count."""
    for zone in {each.hits.zone for each in left}.intersection(each.hits.zone for each in right):
        yield [each for each in left if each.hits.zone is zone], [each for each in right if each.hits.zone is zone]


def _not_empty(evidence: Iterable[Evidence]) -> Verdict:
    return [each for each in evidence if each.kept is None or each.kept.any()] or None


def _reaches(evidence: Iterable[Evidence], least: int) -> bool:
    """Whether so many places are hit; one that is hit by several terms counts once. Looks no further than it must."""
    places = set()
    for each in evidence:
        for hit in each.hits.found:
            places.add((hit.zone, hit.start, hit.end))
            if len(places) >= least:
                return True
    return False


def _is(field: str, value: str, values: Iterable[str]) -> bool:
    """Whether one of an article's values is the one asked for: globs for `source` and `url`, folded equality elsewhere."""
    if field in {"source", "url"}:
        return any(fnmatchcase(known.casefold(), value.casefold()) for known in values)
    return fold_key(value) in map(fold_key, values)
