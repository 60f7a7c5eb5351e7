"""Lines to zones: what headings, runs of links and lists of headlines say of each line. Pure; knows no words itself.

A heading alone on its line opens a section. Where a section of related stories ends:
  - a list right under it (bullets, entries, links), then sentences and no further list: the article goes on after the list;
  - else it runs to the end. A whole story may stand there, as in `seeds/sample-feed.xml`, and without a list nothing in
    the text tells where it stops; names lost there are recorded as near misses.
A heading with a text behind it on its line takes that line only.

Short lines that nothing announces, neither bullets nor links, are the article's: results, a line-up, flashes. Taking
them for headlines would lose what should be told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from consumers.zones.headings import Heading
from consumers.zones.lines import Line
from consumers.zones.reasons import BlockReason

_RUN: Final = 3
_TAIL: Final = 300
_SOURCE_TAIL: Final = 80
_OPENS: Final = frozenset((BlockReason.RELATED, BlockReason.COMMENTS, BlockReason.TAGS, BlockReason.SOURCE))
_NOTICES: Final = frozenset((BlockReason.SHARE, BlockReason.PLAYER, BlockReason.COOKIES, BlockReason.SYNDICATION))
OWN: Final = frozenset((BlockReason.TEXT, BlockReason.DATELINE, BlockReason.FEED))
"""Reasons of the article's own text; all others put a block into `rest`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a line stands where it stands. `opens`: a heading, so a new block begins."""

    reason: BlockReason
    opens: bool = False


def divide(lines: Sequence[Line], headings: Sequence[Heading | None]) -> list[Verdict]:
    """A verdict for each line."""
    prose = [line.is_prose and not line.linked for line in lines]
    verdicts: list[Verdict | None] = [None] * len(lines)
    begun, until, section = False, 0, BlockReason.TEXT
    for at, line in enumerate(lines):
        heading = _announced(headings[at], line, begun=begun)
        if line.beside is not None:
            verdicts[at] = Verdict(line.beside)
        elif heading is not None and heading.reason in _OPENS and not heading.tail:
            section, until = heading.reason, _end(at, heading.reason, lines, headings, prose)
            verdicts[at] = Verdict(section, opens=True)
        elif heading is not None and heading.reason is not BlockReason.DATELINE:
            verdicts[at] = Verdict(heading.reason, opens=True)
        elif at < until:
            verdicts[at] = Verdict(section)
        elif heading is not None:
            verdicts[at] = Verdict(heading.reason)
        begun = begun or (verdicts[at] is None and prose[at])
    for reason, run in _runs(lines, verdicts, prose):
        for at in run:
            verdicts[at] = Verdict(reason)
    return [verdict or Verdict(BlockReason.TEXT) for verdict in verdicts]


def _announced(heading: Heading | None, line: Line, *, begun: bool) -> Heading | None:
    """The heading, if what stands behind it bears it out: a long text that merely begins with the words is the article's."""
    if heading is None:
        return _signed(line, begun=begun)
    if heading.reason is BlockReason.DATELINE or heading.reason in _NOTICES:
        return heading
    if heading.reason is BlockReason.SOURCE and (not begun or len(heading.tail) > _SOURCE_TAIL):
        return None
    return heading if len(heading.tail) <= _TAIL else None


def _signed(line: Line, *, begun: bool) -> Heading | None:
    """What a line announces by its signs alone. Hashtags before the article are how short messages name their matter."""
    if line.is_rights:
        return Heading(BlockReason.SYNDICATION, line.text)
    return Heading(BlockReason.TAGS, line.text) if begun and line.is_hashtags else None


def _end(at: int, reason: BlockReason, lines: Sequence[Line], headings: Sequence[Heading | None], prose: Sequence[bool]) -> int:
    """Where the section ends whose heading stands at `at`: the index of the first line that is not of it."""
    after = at + 1
    if reason is BlockReason.COMMENTS:
        return len(lines)
    if reason is BlockReason.SOURCE:
        return after + 1 if after < len(lines) and lines[after].is_label else after
    stop = next((n for n in range(after, len(lines)) if _opens(headings[n])), len(lines))
    if reason is BlockReason.TAGS:
        return next((n for n in range(after, stop) if not lines[n].is_label), stop)
    listed = next((n for n in range(after, stop) if not (lines[n].marked or lines[n].linked)), stop)
    return listed if listed > after and _goes_on(lines[listed:stop], prose[listed:stop]) else len(lines)


def _opens(heading: Heading | None) -> bool:
    return heading is not None and heading.reason in _OPENS


def _goes_on(lines: Sequence[Line], prose: Sequence[bool]) -> bool:
    """Whether the lines from a list to the next heading hold sentences, and no further list as more stories would."""
    return any(prose) and not any(line.marked or line.linked for line in lines)


def _runs(
    lines: Sequence[Line], verdicts: Sequence[Verdict | None], prose: Sequence[bool]
) -> Iterator[tuple[BlockReason, range]]:
    """Three links or more in a row anywhere; a list of three headlines or more behind the last sentence."""
    own = [at for at, verdict in enumerate(verdicts) if verdict is None]
    if not any(prose[at] for at in own):
        return
    for run in _stretches([verdicts[at] is None and line.linked for at, line in enumerate(lines)]):
        yield BlockReason.LINKS, run
    last = max(at for at in own if prose[at] or lines[at].is_sentence)
    listed = [at > last and verdicts[at] is None and line.marked and line.is_headline for at, line in enumerate(lines)]
    for run in _stretches(listed):
        if not lines[run.start - 1].text.endswith((":", "：")):
            yield BlockReason.HEADLINES, run


def _stretches(chosen: Sequence[bool]) -> Iterator[range]:
    start = 0
    for at, is_chosen in enumerate((*chosen, False)):
        if not is_chosen:
            if at - start >= _RUN:
                yield range(start, at)
            start = at + 1
