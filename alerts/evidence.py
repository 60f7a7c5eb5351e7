"""Evidence: the sentences a message quotes, with their hits marked. Pure; knows no story and no channel."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from alerts.rows import Sentence
from daemon.messages.alert import Evidence
from daemon.messages.article import Zone
from daemon.messages.match import Hit

QUOTED: Final = 3
"""Sentences in a message, at most."""
KEPT: Final = 8
"""Sentences a group keeps to choose from."""

_RANK: Final = {Zone.TITLE: 0, Zone.LEAD: 1, Zone.BODY: 2, Zone.REST: 3}
_LIKED: Final = {1: 0, 2: 0, 0: 1, 3: 2}
"""The title is on the screen as the headline already; what stands beside the article is the last resort."""
_FRAME: Final = frozenset({0, 3})


def sentences_of(finding: str, hits: Iterable[Hit]) -> tuple[Sentence, ...]:
    """The sentences that show one finding, at most `KEPT`; hits whose snippet does not hold them are left out."""
    found: list[Sentence] = []
    for hit in hits:
        end = hit.offset + len(hit.surface)
        if not hit.surface or hit.offset < 0 or hit.snippet[hit.offset : end] != hit.surface:
            continue
        place = (_RANK[hit.zone], hit.start - hit.offset)
        found.append(Sentence(text=hit.snippet, marks=((hit.offset, end),), findings=(finding,), place=place))
    return gather((), found)


def gather(kept: Sequence[Sentence], more: Iterable[Sentence], wanted: Iterable[str] = ()) -> tuple[Sentence, ...]:
    """Both together: equal sentences become one with all their marks. At most `KEPT`, chosen as `choose` does."""
    by_text = {sentence.text: sentence for sentence in kept}
    for sentence in more:
        known = by_text.get(sentence.text)
        by_text[sentence.text] = sentence if known is None else _union(known, sentence)
    return choose(tuple(by_text.values()), KEPT, wanted)


def choose(sentences: Sequence[Sentence], most: int, wanted: Iterable[str] = ()) -> tuple[Sentence, ...]:
    """At most `most`, in reading order. Each shows most of what those before it do not, `wanted` findings first.

    What shows nothing new fills up, but not the title, nor what stands beside the article or overlaps a chosen one.
    """
    wants, left = set(wanted), list(sentences)
    shown: set[str] = set()
    chosen: list[Sentence] = []
    while left and len(chosen) < most:
        best = min(left, key=lambda sentence: _rating(sentence, wants - shown, shown))
        left.remove(best)
        if set(best.findings) - shown or not (best.place[0] in _FRAME or any(_overlap(best, other) for other in chosen)):
            chosen.append(best)
            shown.update(best.findings)
    return tuple(sorted(chosen, key=lambda sentence: sentence.place))


def quote(sentences: Sequence[Sentence], wanted: Iterable[str] = ()) -> tuple[Evidence, ...]:
    """What a message quotes."""
    return tuple(Evidence(text=sentence.text, marks=sentence.marks) for sentence in choose(sentences, QUOTED, wanted))


def _rating(sentence: Sentence, wants: set[str], shown: set[str]) -> tuple[int, int, int, tuple[int, int]]:
    new = set(sentence.findings) - shown
    return (-len(new & wants), -len(new), _LIKED[sentence.place[0]], sentence.place)


def _overlap(one: Sentence, other: Sentence) -> bool:
    (zone, start), (zone_of_other, start_of_other) = one.place, other.place
    return zone == zone_of_other and start < start_of_other + len(other.text) and start_of_other < start + len(one.text)


def _union(one: Sentence, other: Sentence) -> Sentence:
    merged: list[tuple[int, int]] = []
    for start, end in sorted({*one.marks, *other.marks}):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    keys = tuple(dict.fromkeys((*one.findings, *other.findings)))
    return replace(one, marks=tuple(merged), findings=keys, place=min(one.place, other.place))
