"""Rows of the table whose bus is Kafka: three workers with all roles, and what befalls them, the brokers, or the way between.

A batch of trials has a cluster of its own, and with it a ledger that is settled when the cluster goes.
"""

import math
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.faults.broker_strikes import BrokerFreeze, BrokerKill, Partition, Roll
from tests.faults.brokers import PARTITIONS, Brokers, brokers, workers
from tests.faults.comeback import comeback
from tests.faults.flow import Flow, flowing
from tests.faults.ledger import keeping
from tests.faults.progress import Tally
from tests.faults.run import Row, Run
from tests.faults.scene import PATIENCE, Scene, staged
from tests.faults.strikes import Fault, Kill
from tests.faults.worker_strikes import Leave, Oversleep, Vanish, doubtful
from tests.servers.kafka_jars import missing

_ANSWERS_AFTER: Final = 0.02
_RATE: Final = 4.0
"""Articles a second: what three workers and three brokers carry on two cores with time to spare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a row is played on. `named`: workers have instance names; `batch`: trials on one cluster."""

    nodes: int = 3
    fronted: bool = False
    named: bool = True
    batch: int = 10


async def trial(scene: Scene, flow: Flow, fault: Fault, *, longest_gap: float = math.inf) -> None:
    """A fault at a drawn instant, amid a flow of articles; all that came before its end arrives in time."""
    await scene.up()
    await flow.caught_up(PATIENCE)
    await scene.instant()
    flow.anew()
    async with doubtful(scene):
        await fault.strike(scene)
        await scene.up()
        await flow.caught_up(PATIENCE)
    scene.tally.note("gap", flow.gap)
    scene.tally.note("delay", flow.delay)
    assert flow.gap < longest_gap


async def hasty_trial(scene: Scene, flow: Flow, fault: Fault) -> None:
    """A fault at a drawn instant, be it amid what is still to be done about the last one."""
    await scene.up()
    async with doubtful(scene):
        await scene.instant()
        await fault.strike(scene)
    scene.tally.note("gap", flow.gap)
    flow.anew()


@asynccontextmanager
async def staged_on_kafka(stage: Stage, folder: Path, seed: int, tally: Tally) -> AsyncIterator[tuple[Scene, Brokers]]:
    """Workers at work. When the block fails, what those that still run have said is left in the folder."""
    async with (
        brokers(stage.nodes, fronted=stage.fronted) as kafka,
        keeping(folder, seed, takes=_ANSWERS_AFTER) as ledger,
        staged(folder, ledger, tally, workers(folder, ledger, kafka.settings(), named=stage.named)) as scene,
    ):
        ledger.publish(10)
        await scene.up()
        await scene.at_work()
        try:
            yield scene, kafka
        except Exception:
            for name, service in scene.services.items():
                (folder / f"{name}.log").write_text(service.told(), "utf-8")
            raise


Trial = Callable[[Scene, Flow, Fault], Awaitable[None]]


def on_kafka(stage: Stage, fault: Callable[[Brokers], Fault], trial: Trial = trial) -> Callable[[Run], Awaitable[None]]:
    """The experiment of a row. `fault`: makes it, when its brokers are there."""

    async def experiment(run: Run) -> None:
        for batch in run.batches(stage.batch):
            folder, tally = run.folder / f"from-{batch[0]}", Tally()
            shutil.rmtree(folder, ignore_errors=True)
            try:
                async with staged_on_kafka(stage, folder, run.seed, tally) as (scene, kafka):
                    async with flowing(scene.ledger, _RATE) as flow:
                        for number in batch:
                            scene.chance = run.chance(number)
                            await trial(scene, flow, fault(kafka))
                    await scene.settle()
            except Exception:
                run.tally.add(tally)
                raise
            run.tally.add(tally)

    return experiment


def _row(name: str, times: int, unit: str, experiment: Callable[[Run], Awaitable[None]]) -> Row:
    return Row(f"kafka-{name}", times, unit, experiment, missing)


KAFKA_ROWS: Final = (
    _row("kill", 200, "kills", on_kafka(Stage(batch=25), lambda _: Kill(), hasty_trial)),
    _row("survive", 10, "kills", on_kafka(Stage(named=False), lambda _: Vanish(PARTITIONS), partial(trial, longest_gap=30.0))),
    _row("comeback", 20, "kills", comeback),
    _row("stop", 20, "stops of 60 s", on_kafka(Stage(batch=5), lambda _: Oversleep(PARTITIONS, 60.0))),
    _row("terminate", 50, "ends", on_kafka(Stage(batch=25), lambda _: Leave(PARTITIONS))),
    _row("roll", 5, "rolls", on_kafka(Stage(batch=1), lambda it: Roll(it.cluster), partial(trial, longest_gap=30.0))),
    _row(
        "broker-kill",
        10,
        "broker kills",
        on_kafka(Stage(batch=5), lambda it: BrokerKill(it.cluster), partial(trial, longest_gap=30.0)),
    ),
    _row(
        "broker-freeze",
        10,
        "freezes of 60 s",
        on_kafka(Stage(batch=2), lambda it: BrokerFreeze(it.cluster, 60.0), partial(trial, longest_gap=45.0)),
    ),
    _row("partition", 10, "partitions of 60 s", on_kafka(Stage(fronted=True, batch=2), lambda it: Partition(it, 60.0))),
    _row(
        "coordinator",
        10,
        "partitions of 60 s",
        on_kafka(Stage(fronted=True, batch=2), lambda it: Partition(it, 60.0, "matcher")),
    ),
)
