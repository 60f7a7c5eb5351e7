"""The table of faults: every row a named experiment with its full count.

To add a row: write an experiment, that is an `async def (run: Run) -> None`, and put a `Row` of it into `ROWS`; say in a
sentence or two in docs/reliability.md what it does. `lives` makes experiments of a `Fault` on the embedded bus; what needs
other processes or a bus elsewhere opens `keeping` and `staged` itself, as `lives` does. What a bus elsewhere holds is gone
with the harness: such an experiment takes `run.batches(n)`, stages each anew with a `Tally` of its own, and adds it to
`run.tally` when it has settled.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.disks import small_disk, unmountable
from tests.e2e.workplace import write
from tests.faults.kafka_rows import KAFKA_ROWS
from tests.faults.ledger import WATCHLIST, Ledger, keeping
from tests.faults.powercut import power_cuts
from tests.faults.progress import Tally
from tests.faults.receivers import Moody, Storm
from tests.faults.run import Row, Run
from tests.faults.scene import Scene, staged
from tests.faults.slow import slow_receiver
from tests.faults.strikes import Fault, FullDisk, Kill, Poison, StopAndContinue, Terminate
from tests.simulation.clocks import play
from tests.simulation.sense import make_sense

ANSWERS_AFTER: Final = 0.02
"""Seconds the sink takes: while a message is in flight for most of the time, most kills hit one."""


async def live(scene: Scene, fault: Fault, articles: int) -> None:
    """One trial: more articles, everything running, an instant, a fault."""
    scene.ledger.publish(articles)
    await scene.up()
    await scene.instant()
    await fault.strike(scene)


def share(ledger: Ledger, number: int, times: int, articles: int) -> int:
    """How many articles trial `number` of `times` has to publish, when there are to be `articles` in all of them."""
    return articles * (number + 1) // times - len(ledger.links)


def lives(fault: Fault, *, times: int, articles: int) -> Callable[[Run], Awaitable[None]]:
    """One ledger and one embedded bus through `times` trials, in which that many articles are published."""

    async def experiment(run: Run) -> None:
        async with keeping(run.folder, run.seed, takes=ANSWERS_AFTER) as ledger:
            folder = write(run.folder, WATCHLIST, [ledger.feed()], ledger.sink.url)
            async with staged(folder, ledger, run.tally) as scene:
                done = 0
                for number in run.trials():
                    scene.chance = run.chance(number)
                    await live(scene, fault, max(1, share(ledger, number, times, articles)))
                    done = number + 1
                await scene.settle(articles * done // times, run.cut_off)

    return experiment


def on_small_disks(fault: Fault, *, articles: int) -> Callable[[Run], Awaitable[None]]:
    """Each trial has a ledger and a bus of its own, on a disk that can be filled up."""

    async def experiment(run: Run) -> None:
        for number in run.trials():
            tally = Tally()
            with TemporaryDirectory() as name, small_disk(Path(name) / "data", 200):
                async with keeping(Path(name), run.seed + number, takes=ANSWERS_AFTER) as ledger:
                    folder = write(Path(name), WATCHLIST, [ledger.feed()], ledger.sink.url)
                    async with staged(folder, ledger, tally) as scene:
                        scene.chance = run.chance(number)
                        ledger.publish(articles)
                        await scene.up()
                        await scene.at_work()
                        await fault.strike(scene)
                        await scene.settle()
            run.tally.add(tally)

    return experiment


async def clocks(run: Run) -> None:
    """The whole pipeline in virtual time, on a machine whose clock is set; see `tests.simulation.clocks`.

    The clocks of this process tell the story's time meanwhile, so nothing else may wait for an instant.
    """
    sense = make_sense()
    for number in run.trials():
        verdict = await asyncio.to_thread(play, f"{run.seed}.{number}", sense)
        verdict.check()
        counts = {"published": verdict.published, "repeats": verdict.repeats, "doubtful": verdict.doubtful}
        run.tally.counts.update({**counts, "lost": 0, "doubled": 0})
        run.tally.note("pause between polls", verdict.pause)


def _row(name: str, times: int, unit: str, fault: Fault, articles: int) -> Row:
    return Row(name, times, unit, lives(fault, times=times, articles=articles))


ROWS: Final[Mapping[str, Row]] = {
    row.name: row
    for row in (
        _row("kill", 500, "kills", Kill(), 20_000),
        _row("stop", 20, "stops of 60 s", StopAndContinue(60.0), 1000),
        _row("terminate", 50, "ends", Terminate(), 2000),
        Row("power", 300, "trials of 3 cuts", power_cuts),
        Row("disk", 20, "full disks", on_small_disks(FullDisk(), articles=50), unmountable),
        Row("clock", 100, "clocks set", clocks),
        _row("poison", 100, "records", Poison(), 2000),
        _row("storm", 1, "storms of 10 min", Storm(600.0, 30), 200),
        Row("slow", 3, "times 500 waiting", slow_receiver),
        _row("moody", 20, "times 250 messages", Moody(0.02), 5000),
        *KAFKA_ROWS,
    )
}
