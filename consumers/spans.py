"""Questions about where hits stand to each other: how far in words, within which longer ones, which of them overlap."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from itertools import accumulate

from consumers.finds import Found
from consumers.search import Texts
from daemon.messages.article import Zone


class WordPlaces:
    """The first and last words of hits, by zone."""

    def __init__(self, hits: Iterable[Found], texts: Texts) -> None:
        words: dict[Zone, list[tuple[int, int]]] = {}
        for hit in hits:
            words.setdefault(hit.zone, []).append(texts[hit.zone].words(hit))
        self._firsts = {zone: sorted(first for first, _ in places) for zone, places in words.items()}
        self._lasts = {zone: sorted(last for _, last in places) for zone, places in words.items()}

    def follows(self, zone: Zone, last: int, within: int) -> bool:
        """Whether one begins after the word `last` with at most `within` words between."""
        firsts = self._firsts.get(zone, ())
        at = bisect_right(firsts, last)
        return at < len(firsts) and firsts[at] <= last + within + 1

    def precedes(self, zone: Zone, first: int, within: int) -> bool:
        """Whether one ends before the word `first` with at most `within` words between."""
        lasts = self._lasts.get(zone, ())
        at = bisect_left(lasts, first) - 1
        return at >= 0 and lasts[at] >= first - within - 1


class Covers:
    """Longer hits that others may stand within."""

    def __init__(self, hits: Iterable[Found]) -> None:
        by_zone: dict[Zone, list[tuple[int, int]]] = {}
        for hit in hits:
            by_zone.setdefault(hit.zone, []).append((hit.start, hit.end))
        sorted_spans = {zone: sorted(spans) for zone, spans in by_zone.items()}
        self._starts = {zone: [start for start, _ in spans] for zone, spans in sorted_spans.items()}
        self._ends = {zone: list(accumulate((end for _, end in spans), max)) for zone, spans in sorted_spans.items()}

    def hold(self, hit: Found) -> bool:
        """Whether the hit stands within one of them; equal spans count."""
        at = bisect_right(self._starts.get(hit.zone, ()), hit.start) - 1
        return at >= 0 and self._ends[hit.zone][at] >= hit.end

    def touch(self, hit: Found) -> bool:
        """Whether one of them shares a character with the hit."""
        at = bisect_left(self._starts.get(hit.zone, ()), hit.end) - 1
        return at >= 0 and self._ends[hit.zone][at] > hit.start


def longest(hits: Iterable[Found]) -> list[Found]:
    """The hits that remain when, of those that overlap, the longest wins (the first of equally long ones)."""
    kept: dict[Zone, list[tuple[int, int]]] = {}
    winners: list[Found] = []
    for hit in sorted(hits, key=lambda hit: (hit.misspelt, hit.start - hit.end, hit.start)):
        spans = kept.setdefault(hit.zone, [])
        at = bisect_left(spans, (hit.start, hit.end))
        before = spans[at - 1][1] if at else 0
        after = spans[at][0] if at < len(spans) else hit.end
        if before <= hit.start and hit.end <= after:
            insort(spans, (hit.start, hit.end))
            winners.append(hit)
    return winners
