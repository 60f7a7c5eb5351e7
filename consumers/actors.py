"""Which hits of a desk's aliases are its actors': the longest of each actor, guards and spelling applied."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from consumers.compile import CompiledDesk, Guards
from consumers.finds import Finds, Found
from consumers.search import ByTerm, Texts
from consumers.spans import Covers, WordPlaces, longest
from consumers.text.scripts import unspaced
from daemon.messages.match import NearMiss


class ActorHit(NamedTuple):
    """A hit of an actor; `reason` is what a guard or the spelling check has against it. Zones are not judged here."""

    found: Found
    reason: NearMiss | None


def actor_hits(desk: CompiledDesk, found: Finds, texts: Texts) -> dict[int, list[ActorHit]]:
    """The hits of each actor (by place) of which any alias was found."""
    by_actor: dict[int, list[Found]] = {}
    for term in desk.owners.keys() & found.terms:
        for place in desk.owners[term]:
            by_actor.setdefault(place, []).extend(found[term])
    for file in desk.files:
        for term in found.terms:
            if (owner := file.owner(term)) is not None:
                by_actor.setdefault(owner, []).extend(found[term])
    winners = {place: longest(hits) for place, hits in sorted(by_actor.items())}
    covers = _unspaced_covers(winners, texts)
    return {
        place: _judged(hits, _Judge.of(desk.guards.get(place), found, texts), covers, texts) for place, hits in winners.items()
    }


@dataclass(frozen=True, slots=True)
class _Judge:
    """One actor's guards on one article."""

    near: WordPlaces | None
    within: int
    not_in: Covers | None

    @classmethod
    def of(cls, guards: Guards | None, found: ByTerm, texts: Texts) -> "_Judge":
        if guards is None:
            return cls(None, 0, None)
        near = WordPlaces(_all(guards.near, found), texts) if guards.near else None
        return cls(near, guards.within, Covers(_all(guards.not_in, found)) if guards.not_in else None)

    def reason(self, hit: Found, texts: Texts) -> NearMiss | None:
        if hit.misspelt:
            return NearMiss.SPELLING
        if self.not_in is not None and self.not_in.hold(hit):
            return NearMiss.NOT_IN
        if self.near is not None:
            first, last = texts[hit.zone].words(hit)
            if not (self.near.follows(hit.zone, last, self.within) or self.near.precedes(hit.zone, first, self.within)):
                return NearMiss.REQUIRE_NEAR
        return None


def _all(terms: Iterable[int], found: ByTerm) -> Iterable[Found]:
    return (hit for term in terms for hit in found.get(term, ()))


def _judged(hits: Iterable[Found], judge: _Judge, covers: Mapping[int, Covers], texts: Texts) -> list[ActorHit]:
    judged = []
    for hit in hits:
        reason = judge.reason(hit, texts)
        longer = covers.get(hit.end - hit.start)
        if reason is None and longer is not None and longer.touch(hit):
            reason = NearMiss.NOT_IN
        judged.append(ActorHit(hit, reason))
    return judged


def _unspaced_covers(winners: Mapping[int, Iterable[Found]], texts: Texts) -> dict[int, Covers]:
    """For each length of hits in unspaced scripts the longer ones of any actor: the longest wins (東京都, not 京都)."""
    hits = [hit for found in winners.values() for hit in found if unspaced(texts[hit.zone].folded.text[hit.start])]
    lengths = {hit.end - hit.start for hit in hits}
    return {length: Covers(hit for hit in hits if hit.end - hit.start > length) for length in lengths if len(lengths) > 1}
