"""What people are shown of feeds: the files' feeds joined with what the rows remember of them. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from daemon.bus.base import Row
from daemon.feeds.pace.rhythm import silence
from daemon.feeds.pace.turns import paused_until
from daemon.feeds.pace.wishes import DAY, HOUR, WEEK
from daemon.feeds.rows import FEED, SITE, FeedRow, FeedState, NamedBy, decode, feed_of
from daemon.feeds.sources.load import Source
from daemon.urls import without_credentials

_RECENT: Final = WEEK
_HEADINGS: Final = ("feed", "state", "last success", "last outcome", "next poll", "last new", "items", "url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One feed; times ISO 8601 in UTC, None when there was none. `next_poll` is None for a feed that is not polled.

    `interval`: seconds between polls as last decided. `last_new`: when something new came; `posts_every`: the usual time
    between two such polls (seconds), None while too little is known; `silent`: whether it has been quiet out of its habits.
    `last_gap`: when news was last found to have been missed; `known_by`: what its items are known by; `left_alone`: until
    when its site wants no request, of any of its feeds.
    """

    id: str
    url: str
    state: FeedState
    last_success: str | None = None
    last_poll: str | None = None
    last_outcome: str = ""
    detail: str = ""
    failures: int = 0
    next_poll: str | None = None
    items: int = 0
    interval: float | None = None
    last_new: str | None = None
    posts_every: float | None = None
    silent: bool = False
    moved_to: str = ""
    last_gap: str | None = None
    known_by: NamedBy = NamedBy.ID
    left_alone: str | None = None


def feed_lines(sources: Iterable[Source] | None, rows: Iterable[Row], now: float) -> Sequence[Line]:
    """A line for each feed of the files, in their order; then those that left the files but are still remembered.

    Without `sources`, as the files cannot be read, it is what the rows tell of them. `rows` are those of feeds and sites;
    others are passed over.

    Raises `NewerRow`, `DecodeError`.
    """
    kept = list(rows)
    pauses = {row.lane: paused_until(row, now) for row in kept if row.key.startswith(SITE)}
    known = {feed_of(row.key): (decode(FeedRow, row.value), pauses.get(row.lane)) for row in _current(kept)}
    lines = [_line(source.id, source.shown, known.pop(source.id, None), now, listed=True) for source in sources or ()]
    for id_, (feed, pause) in sorted(known.items()):
        listed = sources is None and feed.left_at is None
        lines.append(_line(id_, _remembered(feed), (feed, pause), now, listed=listed))
    return lines


def _remembered(feed: FeedRow) -> str:
    """The address that a row keeps, without what it says of secrets."""
    return for_people(feed.url.partition(" ")[0])


def _current(rows: Iterable[Row]) -> Iterable[Row]:
    """One row a feed: a feed that moved to another site left a row behind in its old partition."""
    found: dict[bytes, Row] = {}
    for row in rows:
        if row.key.startswith(FEED):
            before = found.get(row.key)
            if before is None or decode(FeedRow, before.value).left_at is not None:
                found[row.key] = row
    return found.values()


def _line(id_: str, url: str, known: tuple[FeedRow, float | None] | None, now: float, *, listed: bool) -> Line:
    """`known`: its row, and until when its site is left alone: it is not polled before."""
    if known is None:
        return Line(id=id_, url=url, state=FeedState.NEW)
    feed, pause = known
    quiet, polled = silence(feed.rhythm, now), listed and feed.left_at is None
    return Line(
        id=id_,
        url=url,
        state=feed.state if listed else FeedState.LEFT,
        last_success=instant(feed.success_at),
        last_poll=instant(feed.polled_at),
        last_outcome=feed.outcome,
        detail=feed.detail,
        failures=feed.failures,
        next_poll=instant(max(feed.next_at, pause or 0.0)) if polled else None,
        items=feed.items,
        interval=feed.pace,
        last_new=instant(feed.rhythm.new_at),
        posts_every=None if quiet is None else round(quiet.usual),
        silent=quiet is not None and quiet.odd,
        moved_to=for_people(feed.moved_to),
        last_gap=instant(feed.gap_at),
        known_by=feed.named_by,
        left_alone=instant(pause) if polled else None,
    )


def feed_table(lines: Sequence[Line], now: float) -> str:
    """The lines for a terminal, times as seen from `now`; what is out of order with a feed on lines of their own."""
    cells = [_HEADINGS, *(_cells(line, now) for line in lines)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADINGS) - 1)]
    shown = []
    for row, line in zip(cells, [None, *lines], strict=True):
        shown.append("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip())
        shown += [f"    {remark}" for remark in _remarks(line, now)] if line else []
    return "\n".join(shown)


def _remarks(line: Line, now: float) -> Iterator[str]:
    if line.state is FeedState.LEFT:
        yield "not in the files any more, or switched off there"
    if line.detail:
        yield line.detail
    if line.left_alone is not None:
        yield f"its site wants to be left alone, until {line.left_alone}"
    if line.silent and line.last_new is not None and line.posts_every is not None:
        lasts = now - datetime.fromisoformat(line.last_new).timestamp()
        yield f"posts every {_amount(line.posts_every)}, silent for {_amount(lasts)}"
    if line.moved_to:
        yield f"has moved to {line.moved_to}: correct the file"
    if line.last_gap is not None and now - datetime.fromisoformat(line.last_gap).timestamp() < _RECENT:
        yield f"items were missed between two polls, {_ago(line.last_gap, now)}: shorten its interval"
    if line.known_by is not NamedBy.ID:
        yield f"its ids do not last: items are known by their {line.known_by.replace('_', ' ')}"


def _cells(line: Line, now: float) -> tuple[str, ...]:
    outcome = line.last_outcome + (f" (×{line.failures})" if line.failures > 1 else "")
    times = (_ago(line.last_success, now), outcome or "-", _ago(line.next_poll, now), _ago(line.last_new, now))
    return (line.id, line.state, *times, str(line.items), _without_query(line.url))


def for_people(url: str) -> str:
    """An address as it may be shown: without credentials and query."""
    return _without_query(without_credentials(url))


def _without_query(url: str) -> str:
    """For a screen others may see: a feed's query may hold a token."""
    try:
        return url if not urlsplit(url).query else f"{url.partition('?')[0]}?…"
    except ValueError:
        return url


def instant(at: float | None) -> str | None:
    """As commands print times: ISO 8601 in UTC; None for never."""
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ago(iso: str | None, now: float) -> str:
    """`3m ago`, `in 2h`, `-` for never."""
    if iso is None:
        return "-"
    seconds = datetime.fromisoformat(iso).timestamp() - now
    return f"in {_amount(seconds)}" if seconds > 0 else f"{_amount(-seconds)} ago"


def _amount(seconds: float) -> str:
    """`40s`, `3m`, `19h`, `5d`."""
    units = (("d", DAY), ("h", HOUR), ("m", 60.0))
    unit, size = next((pair for pair in units if seconds >= pair[1]), ("s", 1.0))
    return f"{seconds / size:.0f}{unit}"
