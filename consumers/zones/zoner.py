"""What a feed gave of an article → its zones, each with blocks that say why they stand there."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from consumers.text.fold import fold_key
from consumers.zones.headings import Headings
from consumers.zones.inline import parted
from consumers.zones.lines import Line, clean, plain_lines, within
from consumers.zones.markup import html_lines
from consumers.zones.reasons import BlockReason
from consumers.zones.sections import OWN, divide
from daemon.messages.article import Block, Zone

LIMIT: Final = 512 * 1024
"""Bytes of UTF-8 of an article's text; what is beyond is cut and noted."""

_BREAK: Final = "\n\n"
_CUT_SHORT: Final = ("[…]", "[...]", "…", "...")
_SAME: Final = 0.8


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of an item as text and, where the feed gave HTML, as HTML: then that is read."""

    text: str = ""
    html: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zoned:
    """Zones of clean text. Blocks stand in the page's order; a zone is its blocks joined by a blank line."""

    title: str
    lead: str
    body: str
    rest: str
    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()

    def text_of(self, block: Block) -> str:
        """The block's text, cut out of its zone."""
        zone: str = getattr(self, block.zone.value)
        return zone[block.start : block.end]


@dataclass(frozen=True, slots=True)
class _Piece:
    zone: Zone
    reason: BlockReason
    text: str


class Zoner:
    """Divides articles into zones. Keeps nothing between them, so threads may share one."""

    def __init__(self, headings: Headings) -> None:
        self._headings = headings

    def divide(self, title: str, summary: Passage, content: Passage) -> Zoned:
        """The zones of an item. Without content the summary is the body; one that repeats the content is no lead."""
        notes: list[str] = []
        heading, left, _ = within(_title(title), LIMIT)
        body, left, cut = self._pieces(content, Zone.BODY, left)
        lead, left, lead_cut = self._pieces(summary, Zone.LEAD, left)
        if _own(body) and _repeats(_own(lead), _own(body)):
            lead = []
        elif not _own(body) or _contains(_own(lead), _own(body)):
            body, lead = [*(_in_body(piece) for piece in lead), *(piece for piece in body if piece.zone is Zone.REST)], []
        if cut or lead_cut:
            notes.append(f"text cut at {LIMIT // 1024} kB")
        titles = [_Piece(Zone.TITLE, BlockReason.FEED, line.text) for line in heading]
        return _assembled([*titles, *lead, *body], notes)

    def _pieces(self, passage: Passage, own: Zone, limit: int) -> tuple[list[_Piece], int, bool]:
        source = html_lines(passage.html) if passage.html else plain_lines(passage.text)
        lines, left, cut = within(parted(source, self._headings), limit)
        return list(_merged(lines, self._verdict_zones(lines, own))), left, cut

    def _verdict_zones(self, lines: Sequence[Line], own: Zone) -> Iterator[tuple[Zone, BlockReason, bool]]:
        for verdict in divide(lines, self._headings.find([line.text for line in lines])):
            is_own = verdict.reason in OWN
            reason = BlockReason.FEED if own is Zone.LEAD and verdict.reason is BlockReason.TEXT else verdict.reason
            yield own if is_own else Zone.REST, reason, verdict.opens


def _title(text: str) -> list[Line]:
    words = " ".join(clean(text).split())
    return [Line(words)] if words else []


def _merged(lines: Iterable[Line], places: Iterable[tuple[Zone, BlockReason, bool]]) -> Iterator[_Piece]:
    """Neighbours of one zone and reason as one piece, with the line breaks they had."""
    texts: list[str] = []
    last: tuple[Zone, BlockReason] | None = None
    for line, (zone, reason, opens) in zip(lines, places, strict=True):
        if last is not None and (opens or last != (zone, reason)):
            yield _Piece(*last, "".join(texts))
            texts = []
        if texts:
            texts.append(_BREAK if line.gap else "\n")
        texts.append(line.text)
        last = zone, reason
    if last is not None:
        yield _Piece(*last, "".join(texts))


def _in_body(piece: _Piece) -> _Piece:
    if piece.zone is not Zone.LEAD:
        return piece
    return _Piece(Zone.BODY, BlockReason.TEXT if piece.reason is BlockReason.FEED else piece.reason, piece.text)


def _own(pieces: Iterable[_Piece]) -> str:
    return _BREAK.join(piece.text for piece in pieces if piece.zone is not Zone.REST)


def _repeats(summary: str, content: str) -> bool:
    """Whether the summary stands in the content, or the content begins with nearly all of it."""
    beginning = _uncut(summary)
    if beginning in content:
        return True
    told, whole = fold_key(beginning), fold_key(content)
    if told in whole:
        return True
    words = told.split()
    same = 0
    for one, other in zip(words, whole.split(), strict=False):
        if one != other:
            break
        same += 1
    return same > _SAME * len(words)


def _uncut(text: str) -> str:
    """Without the dots that say it was cut short."""
    for dots in _CUT_SHORT:
        text = text.rstrip().removesuffix(dots)
    return text.rstrip()


def _contains(summary: str, content: str) -> bool:
    """Whether the summary says all that the content says, and more."""
    return len(summary) > len(content) and _uncut(content) in summary


def _assembled(pieces: Sequence[_Piece], notes: Sequence[str]) -> Zoned:
    texts: dict[Zone, list[str]] = {zone: [] for zone in Zone}
    ends = dict.fromkeys(Zone, -len(_BREAK))
    blocks: list[Block] = []
    for piece in pieces:
        start = ends[piece.zone] + len(_BREAK)
        ends[piece.zone] = start + len(piece.text)
        texts[piece.zone].append(piece.text)
        blocks.append(Block(zone=piece.zone, reason=piece.reason, start=start, end=ends[piece.zone]))
    zones = {zone.value: _BREAK.join(parts) for zone, parts in texts.items()}
    return Zoned(**zones, blocks=tuple(blocks), notes=tuple(notes))
