"""Running a row: what was done is on record, and what was interrupted goes on from there."""

from pathlib import Path

import pytest

from tests.faults.progress import Progress
from tests.faults.run import Row, Run


class Broken(Exception):
    """Raised by an experiment of these tests."""


async def test_an_interrupted_row_goes_on(tmp_path: Path) -> None:
    """A trial that did not end is done again with the same draws; each other is done once, and the interruption is counted."""
    drawn: list[tuple[int, float]] = []

    async def experiment(run: Run) -> None:
        for number in run.trials():
            drawn.append((number, run.chance(number).random()))
            if len(drawn) == 3:
                raise KeyboardInterrupt

    row = Row("some", 5, "trials", experiment, kept=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        await row.run(7, 100)
    kept = Progress.load(row.file)
    assert kept is not None
    assert (kept.done, kept.under_way) == (2, True)
    progress = await row.run(8, 100)
    assert (progress.seed, progress.done, progress.interruptions, progress.under_way) == (7, 5, 1, False)
    assert [number for number, _ in drawn] == [0, 1, 2, 2, 3, 4]
    assert drawn[2] == drawn[3]


async def test_a_row_in_parts(tmp_path: Path) -> None:
    """So many trials now, the rest another time; together they are the row."""
    numbers: list[int] = []

    async def experiment(run: Run) -> None:
        for batch in run.batches(2):
            numbers.extend(batch)

    row = Row("some", 8, "trials", experiment, kept=tmp_path)
    assert (await row.run(7, 3)).done == 3
    assert (await row.run(7, 100)).done == 8
    assert numbers == list(range(8))


async def test_a_broken_law_is_on_record(tmp_path: Path) -> None:
    """What broke stands in the progress, with the trials done until then."""

    async def experiment(run: Run) -> None:
        for number in run.trials():
            if number == 1:
                raise Broken("lost 1\nand more")

    row = Row("some", 5, "trials", experiment, kept=tmp_path)
    with pytest.raises(Broken):
        await row.run(7, 100)
    kept = Progress.load(row.file)
    assert kept is not None
    assert (kept.done, kept.failed, kept.under_way) == (1, "lost 1", False)
