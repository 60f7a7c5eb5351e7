"""A receiver that takes 30 s for each answer, beside one that does not: the quick one must not notice.

articles for the quick one ─ p99 alone ─▶ the slow one has hundreds waiting ─▶ articles for the quick one ─ p99 beside
"""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from daemon.bus.topics import OUTBOX
from tests.e2e.workplace import beside, write
from tests.faults.ledger import WATCHLIST, Ledger, keeping
from tests.faults.progress import Tally
from tests.faults.run import Run
from tests.faults.scene import PATIENCE, Scene, staged

TAKES: Final = 30.0
WAITING: Final = 500
MEASURED: Final = 300
_SLOW: Final = "  - {id: slow, names: John Doe, severity: high}\n"
_SLACK: Final = 0.25
"""Seconds of which the machine itself makes differences."""
_MEGABYTES: Final = 50


async def slow_receiver(run: Run) -> None:
    """A row of the table of faults: delays from fetch to delivery, and the growth of the process."""
    for number in run.trials():
        with TemporaryDirectory() as name:
            await trial(Path(name), run.seed + 2 * number, run.tally)


async def trial(folder: Path, seed: int, tally: Tally, waiting: int = WAITING, measured: int = MEASURED) -> None:
    slow_one = keeping(folder / "slow", seed + 1, takes=TAKES, actor="John Doe")
    async with keeping(folder / "quick", seed) as quick, slow_one as slow:
        feeds = [quick.feed("quick"), slow.feed("slow")]
        write(folder, WATCHLIST + _SLOW, feeds, quick.sink.url, apart={"slow": slow.sink.url})
        async with staged(folder, quick, tally) as scene:
            await scene.up()
            await _p99(scene, quick, measured)
            alone, size = await _p99(scene, quick, measured), _megabytes(scene)
            slow.publish(waiting)
            await _put_out(folder, len(quick.links) + waiting)
            beside, growth = await _p99(scene, quick, measured), _megabytes(scene) - size
            tally.note("p99 alone", alone)
            tally.note("p99 beside", beside)
            tally.counts["MB grown"] = max(tally.counts["MB grown"], round(growth))
            tally.note("exit", await scene.stop("rasid"))
            assert beside < 1.2 * alone + _SLACK, f"{alone:.2f} s alone, {beside:.2f} s beside a slow receiver"
            assert growth < _MEGABYTES, f"{growth:.0f} MB more"


async def _put_out(folder: Path, count: int) -> None:
    """Until so many messages are in the outbox: what comes before it is no longer busy with them."""
    async with asyncio.timeout(PATIENCE), beside(folder) as bus:
        while len([record async for record in bus.read(OUTBOX)]) < count:  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(1.0)


async def _p99(scene: Scene, ledger: Ledger, count: int) -> float:
    """Of the seconds from fetch to delivery, of so many articles that come by tens."""
    first = len(ledger.intake.delays)
    for _ in range(count // 10):
        ledger.publish(10)
        assert await ledger.taken_all(PATIENCE)
    delays = sorted(ledger.intake.delays[first:])
    return delays[len(delays) * 99 // 100]


def _megabytes(scene: Scene) -> float:
    """Resident, of the one process."""
    status = Path(f"/proc/{scene.services['rasid'].process.pid}/status").read_text("ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
