"""When a feed wants to be asked again, as its documents said it last, and what that means for an instant (feeds 9). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
_A_WEEK_OF_HOURS: Final = 7 * 24
_LONGEST: Final = WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Kept in the feed's row, for a 304 brings no document. Hours (0 to 23) and days (Monday is 0) in GMT.

    `every`: the longest pause that it asks for (seconds).
    """

    every: float = 0.0
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()

    @classmethod
    def of(cls, every: Iterable[float | None], hours: Iterable[int], days: Iterable[int]) -> Self:
        """The longest of the times that were named, a week at most. Hour 24 is 0; what is no hour or day is passed over."""
        return cls(
            every=min(max((seconds for seconds in every if seconds is not None and seconds > 0), default=0.0), _LONGEST),
            skip_hours=tuple(sorted({hour % 24 for hour in hours if 0 <= hour <= 24})),
            skip_days=tuple(sorted({day for day in days if 0 <= day < 7})),
        )

    def allowed(self, at: float) -> float:
        """The first instant from `at` on that is not skipped: `at` itself, or the beginning of an hour.

        Whoever skips every hour of the week has said nothing: `at`.
        """
        if not self._skips(at):
            return at
        hours = (at - at % HOUR + number * HOUR for number in range(1, _A_WEEK_OF_HOURS + 1))
        return next((hour for hour in hours if not self._skips(hour)), at)

    def _skips(self, at: float) -> bool:
        if not self.skip_hours and not self.skip_days:
            return False
        moment = datetime.fromtimestamp(at, UTC)
        return moment.hour in self.skip_hours or moment.weekday() in self.skip_days


NO_WISH: Final = Wish()
