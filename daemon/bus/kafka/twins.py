"""Notices that two processes use one instance name: each takes the place of the other, for ever, if nobody ends it."""

import time
from collections import deque
from typing import Final

from daemon.errors import BusRefused

_WITHIN: Final = 60.0
_AT_MOST: Final = 5
"""New members in the place of the old. Without a twin it takes a whole session without heartbeats to be taken for dead."""


class Twins:
    """Counts how often the group took this process for a new member. Rebalances do not count: members keep their id there."""

    def __init__(self, instance: str | None) -> None:
        self._instance = instance
        self._known = ""
        self._renewed: deque[float] = deque()

    def joined(self, member: str) -> None:
        """The group has just assigned partitions to us as `member`."""
        if self._known and member != self._known:
            self._renewed.append(time.monotonic())
        self._known = member
        while self._renewed and self._renewed[0] < time.monotonic() - _WITHIN:
            self._renewed.popleft()

    def check(self) -> None:
        """Raises `BusRefused`."""
        if self._instance is not None and len(self._renewed) > _AT_MOST:
            raise BusRefused(
                f"another process calls itself {self._instance} too (bus.kafka.instance), and they take the partitions "
                "from each other: give each its own name",
                subject=self._instance,
            )
