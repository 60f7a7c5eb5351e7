"""What the stage runner needs of every engine: dead letters leave with the position, and the partition moves on."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from daemon.bus.base import Bus, Record
from daemon.bus.topics import ARTICLES, DEADLETTER, RAW
from daemon.clock import WallClock
from daemon.stage.graveyard import Buried, unearth
from daemon.stage.hop import Effects, Hop, Table, Time
from daemon.stage.partition import Kit
from daemon.stage.runner import Stage
from tests.bus.engine import GROUP, HERE, Engine, everything, holding, lane_of
from tests.stage.hops import decode

BAD = (b"\xff", b"unready", b"boom")
"""Cannot be decoded, raises when it is prepared, raises when it is decided."""


class Passing(Hop[str, str]):
    """Passes texts on to `articles`. Once `mended`, also those it could not prepare or decide."""

    name = GROUP
    time = Time.WALL

    def __init__(self, *, mended: bool = False) -> None:
        self.mended = mended

    def prepare(self, batch: Sequence[str]) -> Sequence[str]:
        if "unready" in batch and not self.mended:
            raise ValueError("cannot be prepared")
        return batch

    def decide(self, item: str, table: Table, now: float) -> Effects:
        if item == "boom" and not self.mended:
            raise RuntimeError("went off")
        return Effects(out=[_record(item.encode(), "lane", ARTICLES)])


class StageRules:
    """Part of `tests.bus.conformance.Conformance`."""

    async def test_a_dead_letter_does_not_stop_its_partition(self, engine: Engine) -> None:
        """What a hop cannot handle is set aside, byte by byte, in the step that moves beyond it; its neighbours pass, once."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        await bus.publish([_record(value, lane) for value in (b"a", *BAD, b"b", *BAD, b"c")])
        async with serving(bus, Passing()):
            assert await _values(bus, ARTICLES, 3, engine.patience) == [b"a", b"b", b"c"]
            letters = await _letters(bus, 2 * len(BAD), engine.patience)
        assert [each.value() for each in letters] == [*BAD, *BAD]
        assert all((each.lane, each.key, each.letter.hop) == (lane, each.value(), GROUP) for each in letters)
        await engine.close(bus)
        again = await engine.open()
        async with holding(again, RAW, GROUP, engine.patience) as holder:
            lease = await holder.lease(HERE)
            assert (lease.position > letters[-1].letter.offset, lease.lag()) == (True, 0)
        assert len(await everything(again, DEADLETTER)) == 2 * len(BAD)

    async def test_a_replayed_dead_letter_passes(self, engine: Engine) -> None:
        """Put back on its topic once the hop is mended, what was set aside passes its hop like any other record, once."""
        bus = await engine.open()
        lane = lane_of(HERE, bus)
        await bus.publish([_record(value, lane) for value in (b"unready", b"boom", b"a")])
        async with serving(bus, Passing()):
            letters = await _letters(bus, 2, engine.patience)
        await bus.publish([letter.replayed(1000.0) for letter in letters])
        async with serving(bus, Passing(mended=True)):
            assert await _values(bus, ARTICLES, 3, engine.patience) == [b"a", b"boom", b"unready"]
        assert len(await everything(bus, DEADLETTER)) == 2

    async def test_a_crash_doubles_no_dead_letter(self, engine: Engine) -> None:
        """A service that dies behind its dead letters, and its heir, have written each of them once."""
        bus = await engine.open()
        await bus.publish([_record(b"boom", lane_of(HERE, bus)), _record(b"boom", lane_of(HERE, bus))])
        async with serving(bus, Passing()):
            await _letters(bus, 2, engine.patience)
            await engine.crash(bus)
            again = await engine.open()
            await again.publish([_record(b"a", lane_of(HERE, again))])
            async with serving(again, Passing()):
                assert await _values(again, ARTICLES, 1, engine.patience) == [b"a"]
        assert len(await everything(again, DEADLETTER)) == 2


@asynccontextmanager
async def serving(bus: Bus, hop: Passing) -> AsyncIterator[None]:
    """The hop at work while the block runs."""
    stage = Stage(Kit(hop, RAW, decode, WallClock(), _unobserved), bus)
    running = asyncio.create_task(stage.run())
    try:
        yield
    finally:
        stage.stop()
        await running


def _unobserved(name: str, labels: Mapping[str, str] | None = None, amount: float = 1.0) -> None:
    pass


def _record(value: bytes, lane: str, topic: str = RAW) -> Record:
    return Record(topic, lane, value, value, 1000.0)


async def _until(bus: Bus, topic: str, count: int, patience: float) -> list[Record]:
    async with asyncio.timeout(patience):
        while len(found := await everything(bus, topic)) < count:  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.05)
    return found


async def _values(bus: Bus, topic: str, count: int, patience: float) -> list[bytes]:
    return sorted(record.value or b"" for record in await _until(bus, topic, count, patience))


async def _letters(bus: Bus, count: int, patience: float) -> list[Buried]:
    return sorted(map(unearth, await _until(bus, DEADLETTER, count, patience)), key=lambda each: each.letter.offset)
