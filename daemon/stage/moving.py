"""What becomes of the runner's own rows when partitions are moved: they speak of places and offsets that end there."""

from collections.abc import Sequence

from daemon.bus.base import Row
from daemon.errors import BusRefused
from daemon.stage.poison import OPENS_KEY
from daemon.stage.step import TIME_KEY, time_of


def moved(rows: Sequence[Row]) -> Row | None:
    """One row for those of one key from partitions that meet. Raises `BusRefused` for a key this version does not know.

    Time goes on from the latest: it never goes back for any of them. Suspicions of records are of offsets, and end.
    """
    key = rows[0].key
    if key == TIME_KEY:
        return max(rows, key=time_of)
    if key == OPENS_KEY:
        return None
    raise BusRefused("a row of the stage runner that this version does not know; run a newer one", subject=repr(key))
