"""Notices that two processes use one instance name: each takes the place of the other, for ever, if nobody ends it.

a joins ─▶ b is out of place ─▶ b joins ─▶ a is out of place ─▶ … ─▶ one of them, out of place, does not join again

Ending it where a process has just lost its place leaves the place to the other. Ending it anywhere else can end both.
"""

import time
from collections import defaultdict, deque
from typing import Final

from daemon.errors import BusRefused

_WITHIN: Final = 60.0
_AT_MOST: Final = 5
"""New members in the place of the old. Without a twin it takes a whole session without heartbeats to be taken for dead."""


class Twins:
    """Counts, by group, how often this process was taken for a new member. In rebalances members keep their id.

    Twins of several groups contend in all of them; only the first by name decides, or each process might be ended by another.
    """

    def __init__(self, instance: str | None) -> None:
        self._instance = instance or ""
        self._known: dict[str, str] = {}
        self._renewed: defaultdict[str, deque[float]] = defaultdict(deque)
        self._beaten: str | None = None

    def joined(self, group: str, member: str) -> None:
        """The group has just assigned partitions to us as `member`."""
        known = self._known.get(group, member)
        self._known[group] = member
        if member != known:
            self._renewed[group].append(time.monotonic())

    def out_of_place(self, group: str) -> bool:
        """The group does not know us any more; gives whether we must not join it again."""
        self._forget()
        if self._instance and group == min(self._renewed, default="") and len(self._renewed[group]) >= _AT_MOST:
            self._beaten = group
        return self._beaten == group

    def check(self, group: str) -> None:
        """Raises `BusRefused` once the place in that group is left to the other."""
        if self._beaten == group:
            raise BusRefused(
                f"another process calls itself {self._instance} too (bus.kafka.instance), and they take the partitions "
                "from each other: give each its own name",
                subject=self._instance,
            )

    def _forget(self) -> None:
        begin = time.monotonic() - _WITHIN
        for group, renewed in list(self._renewed.items()):
            while renewed and renewed[0] < begin:
                renewed.popleft()
            if not renewed:
                del self._renewed[group]
