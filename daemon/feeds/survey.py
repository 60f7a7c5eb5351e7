"""How many feeds do well and how many do not, for metrics: counted over the rows when somebody is about to look. Pure.

Only what is needed is read of a row: most of its bytes are the window.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from daemon.bus.base import Row
from daemon.feeds.pace.rhythm import UNHEARD, Rhythm, silence
from daemon.feeds.rows import FeedState

SILENT: Final = "silent"
COUNTED: Final = (FeedState.NEW, FeedState.OK, SILENT, FeedState.FAILING, FeedState.GONE)


class _Glance(msgspec.Struct):
    state: FeedState = FeedState.NEW
    rhythm: Rhythm = UNHEARD


_GLANCE: Final = msgspec.json.Decoder(_Glance)


def count_states(rows: Iterable[Row], now: float) -> dict[str, int]:
    """Feeds by state, `silent` apart from `ok`; each state is there. What left the files or cannot be read is not counted."""
    counts = Counter(_state(row, now) for row in rows)
    return {str(state): counts[str(state)] for state in COUNTED}


def _state(row: Row, now: float) -> str:
    try:
        feed = _GLANCE.decode(row.value or b"")
    except msgspec.MsgspecError:
        return ""
    quiet = silence(feed.rhythm, now) if feed.state is FeedState.OK else None
    return SILENT if quiet is not None and quiet.odd else str(feed.state)
