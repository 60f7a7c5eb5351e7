"""Which dates of publishers are believed, and what stands in for the others (feeds 26). Pure."""

from dataclasses import replace
from typing import Final

from daemon.messages.article import Moment

EARLIEST: Final = 631152000.0
"""1990-01-01: no feed is older; earlier instants are epochs and zeroes of broken software."""
AHEAD: Final = 86400.0
"""Seconds a date may lie in the future: embargoes, and zones left out."""
FIRST_SEEN: Final = "first-seen"


def believe(moment: Moment, *, now: float) -> tuple[Moment, str]:
    """The moment, without its instant where that cannot be right; and a note that says why ("" when believed)."""
    if moment.at is None:
        return moment, "date unreadable" if moment.raw else "date missing"
    if moment.at < EARLIEST:
        return replace(moment, at=None), "date before 1990: taken as missing"
    if moment.at > now + AHEAD:
        return replace(moment, at=None), "date over a day ahead: not believed"
    return moment, ""


def settle(moment: Moment, *, first_seen: float, now: float) -> Moment:
    """The moment if it is believed, else `first_seen`, flagged in `how`; the publisher's text is kept."""
    believed, _ = believe(moment, now=now)
    return believed if believed.at is not None else Moment(at=first_seen, raw=moment.raw, how=FIRST_SEEN)
