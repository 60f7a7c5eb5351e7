"""The Persian solar calendar, turned into ours by its 33-year cycle (exact for the years 1178 to 1633)."""

from bisect import bisect_right
from datetime import date
from typing import Final

_LEAP: Final = (1, 5, 9, 13, 17, 22, 26, 30)
"""Places of the leap years in the cycle, a year's place being its remainder by 33."""
_ANCHOR: Final = (1403, date(2024, 3, 20).toordinal())


def _days_before(year: int) -> int:
    """Days from year 0 of the calendar to the first day of `year`."""
    cycles, place = divmod(year, 33)
    return 365 * year + 8 * cycles + bisect_right(_LEAP, place - 1)


def from_solar(year: int, month: int, day: int) -> date:
    """Our date of a day in the Persian solar calendar. Raises `ValueError` for a day that is none."""
    if not (1 <= month <= 12 and 1 <= day <= (31 if month < 7 else 30)):
        raise ValueError(f"{year}-{month}-{day} is no day of the Persian solar calendar")
    months = (month - 1) * 31 - max(0, month - 7)
    year_anchor, ordinal = _ANCHOR
    return date.fromordinal(ordinal + _days_before(year) - _days_before(year_anchor) + months + day - 1)
