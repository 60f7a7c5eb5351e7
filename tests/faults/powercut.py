"""Power cuts amid commits of the embedded bus: what was acknowledged is there, and the file is sound.

    python -m tests.faults power

A trial is three lives of a service on one file. Each ends by a cut at a drawn instant, and the next begins with what the disk
holds then. A seed draws the same instants and the same kinds of cut; how far the service had come by then
is the machine's.
"""

import asyncio
import itertools
import random
import tempfile
import time
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import apsw

from daemon.bus.base import Lease, Record, Row, Step
from daemon.bus.embedded import EmbeddedBus
from daemon.bus.embedded.transaction import Transaction
from daemon.bus.topics import ARTICLES, RAW
from daemon.clock import WallClock
from daemon.errors import BusError
from tests.faults.run import Run
from tests.faults.unsynced import Cut, Disk

LIVES: Final = 3
PRODUCERS: Final = 6
_FILE: Final = "bus.sqlite"


@dataclass(slots=True)
class Ledger:
    """What the bus has acknowledged: keys of records published, and of records moved on by the hop."""

    published: set[bytes] = field(default_factory=set)
    moved: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class Verdict:
    """What a trial came to. `lost` are acknowledged records that are gone, `wrong` what else should not be."""

    acknowledged: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)


async def trial(folder: Path, rng: random.Random) -> Verdict:
    ledger, verdict = Ledger(), Verdict()
    for life in range(LIVES):
        here, there = folder / str(life), folder / str(life + 1)
        here.mkdir(exist_ok=True)
        disk, kind = Disk(rng), rng.choice(list(Cut))
        with disk.mounted():
            await _live(here / _FILE, ledger, rng, disk, (there, kind))
        _judge(there / _FILE, ledger, verdict, f"life {life}, {kind}")
    verdict.acknowledged = len(ledger.published) + len(ledger.moved)
    return verdict


async def _live(path: Path, ledger: Ledger, rng: random.Random, disk: Disk, cut: tuple[Path, Cut]) -> None:
    """One life, ended by a cut: while it opens the file, or after a number of acknowledgements."""
    ended = asyncio.Event()
    early = rng.random() < 0.25
    ending = asyncio.create_task(_end(disk, path.parent, cut, (ended, early, rng.random() * (0.03 if early else 0.004))))
    until = (itertools.count(), rng.choice((0, rng.randrange(30), rng.randrange(400))), ended)
    with suppress(BusError):
        async with EmbeddedBus(path, clock=WallClock(), service=True) as bus:
            await bus._shelf.writer.submit(_fold_often)
            first = PRODUCERS * (len(ledger.published) + 1000)
            producing = [_produce(bus, first + number, ledger, until) for number in range(PRODUCERS)]
            tasks = [asyncio.create_task(work) for work in (_hop(bus, ledger), *producing)]
            await ending
            await _cancelled(tasks)
    await ending


async def _end(disk: Disk, folder: Path, cut: tuple[Path, Cut], when: tuple[asyncio.Event, bool, float]) -> None:
    ended, early, later = when
    if not early:
        await ended.wait()
    await asyncio.sleep(later)
    await asyncio.to_thread(disk.cut, folder, *cut)


def _fold_often(begun: Transaction) -> None:
    """Fold the write-ahead log in every few commits: cuts amid that are what can hurt most."""
    begun.db.wal_autocheckpoint(20)


async def _cancelled(tasks: Iterable["asyncio.Task[None]"]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _produce(
    bus: EmbeddedBus, first: int, ledger: Ledger, until: "tuple[itertools.count[int], int, asyncio.Event]"
) -> None:
    counter, wanted, ended = until
    for number in itertools.count(first, PRODUCERS):
        if next(counter) >= wanted:
            ended.set()
        key = b"%d" % number
        with suppress(BusError):
            await bus.publish([Record(RAW, f"lane-{first % PRODUCERS}", key, key * 80, time.time())])
            ledger.published.add(key)


async def _hop(bus: EmbeddedBus, ledger: Ledger) -> None:
    """Moves records on, a row each."""
    holders: set[asyncio.Task[None]] = set()
    try:
        async with aclosing(bus.leases(RAW, "enricher")) as offers:
            async for offer in offers:
                holders.add(asyncio.create_task(_hold(offer, ledger)))
    finally:
        await _cancelled(holders)


async def _hold(offer: AbstractAsyncContextManager[Lease], ledger: Ledger) -> None:
    with suppress(BusError):
        async with offer as lease:
            while not lease.leaving.is_set():
                taken = await lease.take(20)
                out = [Record(ARTICLES, record.lane, record.key, record.value, record.at) for record in taken]
                rows = [Row(record.lane, record.key, b"moved", record.at) for record in taken]
                await lease.commit(Step(taken[-1].offset + 1, out, rows))
                ledger.moved |= {record.key for record in taken}


def _judge(path: Path, ledger: Ledger, verdict: Verdict, when: str) -> None:
    """Look at what was found after a cut, with SQLite's own VFS and no bus."""
    if not path.exists():
        verdict.lost += len(ledger.published)
        return
    db = apsw.Connection(str(path))
    try:
        if (said := db.pragma("integrity_check")) != "ok":
            verdict.wrong.append(f"{when}: {said}")
            return
        if not db.execute("SELECT count(*) FROM sqlite_schema").get:
            verdict.lost += len(ledger.published)
            return
        raw, moved = (list(_log(db, topic)) for topic in (RAW, ARTICLES))
        rows = {key for (key,) in db.execute("SELECT key FROM row")}
        verdict.lost += len(ledger.published - {key for _, key in raw}) + len(ledger.moved - {key for _, key in moved})
        verdict.wrong += [f"{when}: {what}" for what in _wrong(raw, moved, rows)]
    except apsw.Error as error:
        verdict.wrong.append(f"{when}: {error!r}")
    finally:
        db.close()


def _log(db: apsw.Connection, topic: str) -> Iterable[tuple[bytes, bytes]]:
    return db.execute("SELECT lane, key FROM log WHERE id >> 50 = (SELECT id FROM topic WHERE name = ?) ORDER BY id", (topic,))


def _wrong(raw: list[tuple[bytes, bytes]], moved: list[tuple[bytes, bytes]], rows: set[bytes]) -> Iterable[str]:
    """Steps that are not whole: each lane's results are the first of its records, in order, with a row each."""
    for lane in {lane for lane, _ in raw}:
        source, result = ([key for where, key in records if where == lane] for records in (raw, moved))
        if result != source[: len(result)]:
            yield f"lane {lane!r} was not moved in order"
    if rows != {key for _, key in moved}:
        yield "rows and records do not agree"


async def power_cuts(run: Run) -> None:
    """A row of the table of faults."""
    for number in run.trials():
        with tempfile.TemporaryDirectory() as folder:
            verdict = await trial(Path(folder), run.chance(number))
        run.tally.counts.update({"acknowledged": verdict.acknowledged, "lost": verdict.lost, "torn": len(verdict.wrong)})
        assert (verdict.lost, verdict.wrong) == (0, []), verdict.wrong
