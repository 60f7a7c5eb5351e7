"""A little of every row of the table that runs on the embedded bus; the whole of it is `make faults`."""

import secrets
from pathlib import Path

import pytest

from tests.disks import unmountable
from tests.faults.receivers import Moody, Storm
from tests.faults.run import Row
from tests.faults.strikes import Fault, FullDisk, Kill, Poison, StopAndContinue, Terminate
from tests.faults.table import lives, on_small_disks


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "times"),
    [(Kill(), 8), (Terminate(), 3), (StopAndContinue(3.0), 1), (Poison(), 3), (Storm(5.0, 2), 1), (Moody(0.1), 1)],
    ids=repr,
)
async def test_some_lives(tmp_path: Path, fault: Fault, times: int) -> None:
    """Nothing lost, nothing doubled inside, order kept, repeats at the edge counted, a sound file; the seed draws it again."""
    await some(Row("row", times, "times", lives(fault, times=times, articles=15 * times), kept=tmp_path))


@pytest.mark.slow
@pytest.mark.skipif(unmountable() is not None, reason=str(unmountable()))
async def test_a_full_disk(tmp_path: Path) -> None:
    """The same when commits fail for a while; and work goes on within 30 s after there is space."""
    await some(Row("row", 1, "times", on_small_disks(FullDisk(3.0), articles=20), kept=tmp_path))


async def some(row: Row) -> None:
    """Run it, and print what it takes to do so again, and the figures."""
    seed = secrets.randbelow(2**32)
    print(f"seed {seed}")  # noqa: T201 - see above
    progress = await row.run(seed, row.times)
    print(dict(progress.tally.counts), progress.tally.told())  # noqa: T201 - see above
    assert progress.done == row.times
