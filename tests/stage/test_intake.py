"""How much a step takes: at once when idle, as much as it gets through quickly when behind."""

import asyncio
from collections import deque
from collections.abc import Sequence

import pytest

from daemon.bus.base import Record, Rows, Step
from daemon.bus.held import HeldRows
from daemon.stage.intake import PORTION_BYTES, STEP_SECONDS, Intake


class Source:
    """A lease with records of the given sizes; `asked` is what `take` was asked for."""

    partition, partitions, position = 0, 1, 0
    rows: Rows = HeldRows()

    def __init__(self, *sizes: int) -> None:
        self._records = deque(Record("in", "lane", b"k", bytes(size), 5.0, n) for n, size in enumerate(sizes))
        self.leaving = asyncio.Event()
        self.asked: list[int] = []

    async def take(self, limit: int) -> Sequence[Record]:
        self.asked.append(limit)
        return [self._records.popleft() for _ in range(min(limit, len(self._records)))]

    def lag(self) -> int:
        return len(self._records)

    async def commit(self, step: Step) -> None:
        raise AssertionError("an intake commits nothing")


async def portions(intake: Intake, count: int, seconds: float) -> list[int]:
    """The sizes of so many portions, each a step of so many seconds."""
    sizes = []
    for _ in range(count):
        intake.ask(alone=False)
        if intake.asking is not None:
            await asyncio.wait({intake.asking})
        sizes.append(len(intake.portion()))
        intake.took(sizes[-1], seconds)
    return sizes


async def test_it_grows_while_steps_are_quick() -> None:
    """Behind and quick, portions double up to the most a step may take."""
    source = Source(*[1] * 2000)
    assert await portions(Intake(source, 500), 8, 0.01) == [16, 32, 64, 128, 256, 500, 500, 500]


async def test_it_shrinks_while_steps_are_slow() -> None:
    """Steps that take too long are halved, down to one record."""
    source = Source(*[1] * 100)
    assert await portions(Intake(source, 500), 7, 2 * STEP_SECONDS) == [16, 8, 4, 2, 1, 1, 1]


async def test_what_is_there_is_not_waited_for() -> None:
    """A single record is a portion at once, and a quick small step asks for no more than before."""
    source = Source(1)
    assert await portions(Intake(source, 500), 1, 0.001) == [1]
    assert source.asked == [16]


async def test_bytes_are_bounded() -> None:
    """A portion holds no more bytes than it may, and at least one record, however large."""
    source = Source(PORTION_BYTES // 2, PORTION_BYTES // 2, 1, 2 * PORTION_BYTES, 1)
    intake = Intake(source, 500)
    assert await portions(intake, 4, 0.2) == [2, 1, 1, 1]
    assert source.asked == [16]


async def test_steps_without_records_say_nothing() -> None:
    """A slow step of answers or timers only changes no portion."""
    source = Source(*[1] * 100)
    intake = Intake(source, 500)
    intake.took(0, 60.0)
    assert await portions(intake, 1, 0.2) == [16]


async def test_one_alone() -> None:
    """A suspect is taken alone."""
    source = Source(1, 1)
    intake = Intake(source, 500)
    intake.ask(alone=True)
    assert intake.asking is not None
    await asyncio.wait({intake.asking})
    assert (intake.waiting, intake.oldest, intake.ready) == (1, 5.0, True)
    assert len(intake.portion()) == 1
    assert source.asked == [1]


async def test_what_taking_raises_is_raised_by_the_portion() -> None:
    """A lease that is lost while records are awaited is noticed where they are asked for, not before."""

    class Losing(Source):
        async def take(self, limit: int) -> Sequence[Record]:
            raise RuntimeError("lost")

    intake = Intake(Losing(), 500)
    intake.ask(alone=False)
    assert intake.asking is not None
    await asyncio.wait({intake.asking})
    assert (intake.waiting, intake.oldest, intake.ready) == (0, None, True)
    with pytest.raises(RuntimeError, match="lost"):
        intake.portion()
