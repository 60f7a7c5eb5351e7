"""Hits of one term, or of one actor, in one zone: made once an article, shared by all rules, never copied.

Where the hits stand (words, sentences) is worked out at first need and for all of them at once. A rule that keeps only some
of them says which (`Kept`).
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from consumers.finds import Found
from consumers.search import Texts, ZoneText
from daemon.messages.article import Zone

Numbers: TypeAlias = NDArray[np.int64]
Kept: TypeAlias = NDArray[np.bool_]

_FAR: Final = 1 << 40
"""Further than any two words of a text."""


class Hits:
    """At least one hit, all in one zone, each once, in the text's order."""

    def __init__(self, found: Sequence[Found], text: ZoneText) -> None:
        self.found: Sequence[Found] = sorted(set(found), key=_place) if len(found) > 1 else found
        self.zone: Zone = self.found[0].zone
        self._text = text

    @cached_property
    def firsts(self) -> Numbers:
        """The number of each hit's first word."""
        return self._text.word_numbers[[hit.start for hit in self.found]]

    @cached_property
    def lasts(self) -> Numbers:
        return self._text.word_numbers[[hit.end - 1 for hit in self.found]]

    @cached_property
    def sentences(self) -> Sequence[int]:
        """The number of the sentence in which each hit begins."""
        number, start = self._text.sentences.number, self._text.folded.start
        return [number(start(hit.start)) for hit in self.found]

    @cached_property
    def company(self) -> "Company":
        return Company([self])

    def within(self, sentences: set[int]) -> Kept:
        """Which of the hits begin in these sentences."""
        return np.array([sentence in sentences for sentence in self.sentences])


def by_zone(found: Iterable[Found], texts: Texts) -> list[Hits]:
    zones: dict[Zone, list[Found]] = {}
    for hit in found:
        zones.setdefault(hit.zone, []).append(hit)
    return [Hits(hits, texts[zone]) for zone, hits in zones.items()]


class Company:
    """Hits of one zone that others are to stand near."""

    def __init__(self, hits: Sequence[Hits]) -> None:
        self._firsts = np.sort(np.concatenate([*(each.firsts for each in hits), [_FAR]]), kind="stable")
        self._lasts = np.sort(np.concatenate([[-_FAR], *(each.lasts for each in hits)]), kind="stable")

    def after(self, hits: Hits, words: int) -> Kept:
        """Which of the hits have one of the company begin after their end, with at most so many words between."""
        near: Kept = self._firsts[np.searchsorted(self._firsts, hits.lasts, "right")] <= hits.lasts + words + 1
        return near

    def before(self, hits: Hits, words: int) -> Kept:
        """Which of the hits have one of the company end before their begin, with at most so many words between."""
        near: Kept = self._lasts[np.searchsorted(self._lasts, hits.firsts, "left") - 1] >= hits.firsts - words - 1
        return near


def company(hits: Sequence[Hits]) -> Company:
    return hits[0].company if len(hits) == 1 else Company(hits)


def shared_sentences(left: Iterable[Hits], right: Iterable[Hits]) -> set[int]:
    """The sentences of one zone in which both have hits."""
    return set().union(*(hits.sentences for hits in left)) & set().union(*(hits.sentences for hits in right))


def _place(hit: Found) -> tuple[int, int, int, str]:
    return hit.start, hit.end, hit.term, hit.clitic
