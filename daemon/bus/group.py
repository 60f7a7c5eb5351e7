"""Who may hold which partition of a topic, among the members of one group in one program, and when.

    join ─▶ next ─▶ (held) ─▶ left ─▶ next …       a partition left by an error pauses, longer each time, before the next

Engines without a broker share partitions out with it. It does not fence: an engine's commit does.
"""

import asyncio
from typing import Final

LEAVE_WITHIN: Final = 10.0
"""Seconds a holder has to leave a partition it was asked for; then another may take it."""
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0


class Turn:
    """One member's holding of one partition. `leaving` asks for it back."""

    def __init__(self, member: "Member", partition: int) -> None:
        self.member = member
        self.partition = partition
        self.leaving = asyncio.Event()


class _Seat:
    """A partition's place: whose turn it is, and from when (loop time) the next may begin."""

    def __init__(self) -> None:
        self.turn: Turn | None = None
        self.free_at = 0.0
        self.pause = _FIRST_PAUSE


class Group:
    """The partitions of a group, shared evenly among its members."""

    def __init__(self, partitions: int) -> None:
        self._seats = [_Seat() for _ in range(partitions)]
        self._members: list[Member] = []

    def join(self) -> "Member":
        member = Member(self)
        self._members.append(member)
        self._share()
        return member

    def part(self, member: "Member") -> None:
        """The member wants no more turns; it is asked to leave those it has."""
        if member in self._members:
            self._members.remove(member)
            self._share()

    def forget(self, member: "Member") -> None:
        """The member has died: it leaves nothing by itself, and is asked nothing."""
        if member in self._members:
            self._members.remove(member)
        for seat in self._seats:
            if seat.turn is not None and seat.turn.member is member:
                seat.turn, seat.free_at = None, _now() + LEAVE_WITHIN
        self._share()

    def rejoin(self, member: "Member") -> None:
        """A member taken for dead is heard of again: it has its share of what comes, and nothing of what it had."""
        if member not in self._members:
            self._members.append(member)
            self._share()

    def holds(self, turn: Turn) -> bool:
        """Whether the turn still stands: its member was not forgotten meanwhile."""
        return self._seats[turn.partition].turn is turn

    def free(self, member: "Member") -> Turn | float | None:
        """A turn for the member, or the seconds until there may be one, or None when somebody must act first."""
        now, wait = _now(), float("inf")
        for partition, seat in enumerate(self._seats):
            if self._owner(partition) is not member:
                continue
            if seat.free_at <= now:
                seat.turn, seat.free_at = Turn(member, partition), float("inf")
                return seat.turn
            wait = min(wait, seat.free_at - now)
        return None if wait == float("inf") else wait

    def left(self, turn: Turn, *, failed: bool) -> None:
        seat = self._seats[turn.partition]
        if seat.turn is not turn:
            return
        seat.turn = None
        seat.free_at = _now() + (seat.pause if failed else 0.0)
        if failed:
            seat.pause = min(2 * seat.pause, _LONGEST_PAUSE)
        self._stir()

    def progressed(self, turn: Turn) -> None:
        """The partition's position has moved: its next pause is a short one again."""
        self._seats[turn.partition].pause = _FIRST_PAUSE

    def _owner(self, partition: int) -> "Member | None":
        return self._members[partition % len(self._members)] if self._members else None

    def _share(self) -> None:
        for partition, seat in enumerate(self._seats):
            turn = seat.turn
            if turn is not None and turn.member is not self._owner(partition) and not turn.leaving.is_set():
                turn.leaving.set()
                seat.free_at = _now() + LEAVE_WITHIN
        self._stir()

    def _stir(self) -> None:
        for member in self._members:
            member.stir()


class Member:
    """One iterator of leases."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._stirred = asyncio.Event()
        self._ended = False

    def stir(self) -> None:
        self._stirred.set()

    def end(self) -> None:
        """`next` gives None from now on."""
        self._ended = True
        self.stir()

    async def next(self) -> Turn | None:
        """The next partition that is this member's to hold. Safe to cancel."""
        while not self._ended:
            self._stirred.clear()
            found = self._group.free(self)
            if isinstance(found, Turn):
                return found
            try:
                async with asyncio.timeout(found):
                    await self._stirred.wait()
            except TimeoutError:
                continue
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()
