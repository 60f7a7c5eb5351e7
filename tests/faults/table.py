"""The table of faults: every row a named experiment with its full count.

To add a row: write an experiment, that is an `async def (run: Run) -> None`, and put a `Row` of it into `ROWS`; say in a
sentence or two in docs/reliability.md what it does. `lives` makes experiments of a `Fault` on the embedded bus; what needs
other processes or a bus elsewhere opens `keeping` and `staged` itself, as `lives` does. What a bus elsewhere holds is gone
with the harness: such an experiment takes `run.batches(n)`, stages each anew with a `Tally` of its own, and adds it to
`run.tally` when it has settled.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from tests.e2e.workplace import write
from tests.faults.ledger import WATCHLIST, Ledger, keeping
from tests.faults.run import Row, Run
from tests.faults.scene import Scene, staged
from tests.faults.strikes import Fault, Kill, StopAndContinue, Terminate

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


def _row(name: str, times: int, unit: str, fault: Fault, articles: int) -> Row:
    return Row(name, times, unit, lives(fault, times=times, articles=articles))


ROWS: Final[Mapping[str, Row]] = {
    row.name: row
    for row in (
        _row("kill", 500, "kills", Kill(), 20_000),
        _row("stop", 20, "stops of 60 s", StopAndContinue(60.0), 1000),
        _row("terminate", 50, "ends", Terminate(), 2000),
    )
}
