"""The keys of rows held in memory, in order, without ever stopping to sort them all.

    add ─▶ fresh ─▶ run, run, run … (each sorted)

Runs of like length are merged until they are long; a search goes through each of them. A key stands once at most; one that was
discarded stays where it is, marked, until its run is swept.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator


class Keys:
    """A sorted set of keys. Changes cost little more than those of a set, and at most what a long run costs to merge.

    `fresh` is how many are sorted at once, `long` from which length on runs are not merged.
    """

    def __init__(self, *, fresh: int = 2048, long: int = 1 << 15) -> None:
        self._room = fresh
        self._long = long
        self._fresh: list[bytes] = []
        self._runs: deque[list[bytes]] = deque()
        self._dead: set[bytes] = set()
        self._count = 0

    def add(self, key: bytes) -> None:
        """Take in a key that is not there."""
        if key in self._dead:
            self._dead.remove(key)
            return
        self._count += 1
        self._fresh.append(key)
        if len(self._fresh) >= self._room:
            self._settle()

    def discard(self, key: bytes) -> None:
        """Let go of a key that is there."""
        self._dead.add(key)
        if len(self._dead) > self._room + self._count // 2:
            self._sweep()

    def starting(self, prefix: bytes) -> Iterator[bytes]:
        """The keys with this prefix, in order. Not to be held across a change."""
        self._settle()
        found = [key for run in self._runs for key in _starting(run, prefix)]
        found.sort()  # merges, as each run is sorted
        return (key for key in found if key not in self._dead)

    def _settle(self) -> None:
        if self._fresh:
            run, self._fresh = sorted(self._fresh), []
            self._append(run)

    def _append(self, run: list[bytes]) -> None:
        while self._runs and len(self._runs[-1]) <= 2 * len(run) and len(self._runs[-1]) + len(run) <= self._long:
            run += self._runs.pop()
            run.sort()  # merges, as both were sorted
        self._runs.append(run)

    def _sweep(self) -> None:
        """Forget what is dead in the oldest run; the next call takes the next."""
        self._settle()
        oldest = self._runs.popleft()
        living = [key for key in oldest if key not in self._dead]
        self._dead.difference_update(oldest)
        self._count -= len(oldest) - len(living)
        if living:
            self._append(living)


def _starting(run: list[bytes], prefix: bytes) -> list[bytes]:
    first = bisect_left(run, prefix)
    behind = bisect_left(run, 1, first, key=lambda key: not key.startswith(prefix))
    return run[first:behind]
