"""The journal as people read it: entries chosen and laid out in lines. Reads no bus."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from alerts.safe import clean, isolate, shorten
from daemon.messages.alert import Delivery, Outcome, Sent, Told

Entry: TypeAlias = Outcome | Sent

_HEAD: Final = ("time (UTC)", "desk", "outcome", "reason", "detail", "of", "to", "headline")
_LONGEST: Final = (19, 20, 10, 16, 48, 28, 24, 70)


def settled(entries: Iterable[Entry]) -> list[Entry]:
    """Newest last, without the interim entries of held findings that have come to their end."""
    ordered = sorted(entries, key=lambda entry: entry.at)
    ended = {_finding(entry) for entry in ordered if isinstance(entry, Outcome) and entry.outcome is not Told.HELD}
    return [
        entry for entry in ordered if isinstance(entry, Sent) or entry.outcome is not Told.HELD or _finding(entry) not in ended
    ]


def entry_line(entry: Entry) -> dict[str, Any]:
    """One entry as JSON: `kind` is `finding` or `delivery`, the rest as it stands on the topic."""
    return {"kind": "finding" if isinstance(entry, Outcome) else "delivery", **asdict(entry)}


def entry_table(entries: Sequence[Entry]) -> str:
    """For a terminal: one line an entry, texts made harmless and cut."""
    lines = [_HEAD, *(_cells(entry) for entry in entries)]
    cut = [[shorten(clean(cell).strip(), most) for cell, most in zip(line, _LONGEST, strict=True)] for line in lines]
    widths = [max(len(line[column]) for line in cut) for column in range(len(_HEAD))]
    return "\n".join(_laid_out(line, widths) for line in cut)


def _laid_out(line: Sequence[str], widths: Sequence[int]) -> str:
    padded = [isolate(cell) + " " * (width - len(cell)) for cell, width in zip(line, widths, strict=True)]
    return "  ".join(padded).rstrip()


def _cells(entry: Entry) -> tuple[str, ...]:
    if isinstance(entry, Sent):
        receiver = f"{entry.receiver} ({entry.channel})" if entry.channel else entry.receiver
        detail = "" if entry.outcome is Delivery.DELIVERED else entry.detail
        return *_begin(entry), entry.reason, detail, "message", receiver, entry.headline
    more = f" × {entry.count}" if entry.count > 1 else ""
    name = (entry.actor or f"rule {entry.rule}") + more
    until = "" if entry.until is None else f"until {_time(entry.until)}"
    return *_begin(entry), entry.reason.value, until, name, ", ".join(entry.receivers), entry.title


def _begin(entry: Entry) -> tuple[str, str, str]:
    return _time(entry.at), entry.desk, entry.outcome.value


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _finding(entry: Outcome) -> tuple[str, str, str]:
    return entry.match, entry.actor, entry.rule
