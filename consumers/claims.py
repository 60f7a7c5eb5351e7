"""Which hits are told as evidence: all are counted, and so many are picked that nobody's first is crowded out.

Hits are looked at no further than they are picked: an article may hold a thousand of a word that a thousand rules ask for.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import compress
from typing import Final, NamedTuple

from consumers.evaluate import Evidence
from consumers.finds import Found
from daemon.messages.article import Zone
from daemon.messages.match import NearMiss

_ORDER: Final = {zone: place for place, zone in enumerate(Zone)}


class Claim(NamedTuple):
    """A hit that says something: for an actor, a rule, or (by an actor's name) a rule. `reason` makes it a near miss."""

    found: Found
    actor: str | None
    rule: str | None
    reason: NearMiss | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """All that says one thing. No two pieces of evidence share a hit (`united`)."""

    evidence: Sequence[Evidence]
    actor: str | None
    rule: str | None
    reason: NearMiss | None = None

    def __len__(self) -> int:
        return sum(len(each.hits.found) if each.kept is None else int(each.kept.sum()) for each in self.evidence)

    def __iter__(self) -> Iterator[Claim]:
        """In the texts' order."""
        for found in merge(*map(_kept, self.evidence), key=_place):
            yield Claim(found, self.actor, self.rule, self.reason)


def united(evidence: Iterable[Evidence]) -> dict[int | None, list[Evidence]]:
    """Evidence by its actor, the same hits once, with all that is kept of them."""
    known: dict[int, Evidence] = {}
    for each in evidence:
        other = known.get(id(each.hits), each)
        kept = None if each.kept is None or other.kept is None else each.kept | other.kept
        known[id(each.hits)] = Evidence(each.hits, each.actor, kept)
    by_actor: dict[int | None, list[Evidence]] = {}
    for each in known.values():
        by_actor.setdefault(each.actor, []).append(each)
    return by_actor


def fair(claims: Iterable[Claims], limit: int) -> list[Claim]:
    """At most `limit` claims in the texts' order, each one's first before any's second."""
    waiting = [iter(each) for each in claims]
    picked: list[Claim] = []
    while waiting and len(picked) < limit:
        turn = [(claim, each) for each in waiting if (claim := next(each, None)) is not None]
        picked += sorted((claim for claim, _ in turn), key=_position)[: limit - len(picked)]
        waiting = [each for _, each in turn]
    return sorted(picked, key=_position)


def _kept(evidence: Evidence) -> Iterable[Found]:
    return evidence.hits.found if evidence.kept is None else compress(evidence.hits.found, evidence.kept.tolist())


def _place(found: Found) -> tuple[int, int, int, int]:
    return _ORDER[found.zone], found.start, found.end, found.term


def _position(claim: Claim) -> tuple[int, int, int, str, str]:
    return *_place(claim.found)[:3], claim.actor or "", claim.rule or ""
