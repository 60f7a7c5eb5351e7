"""Everything is carried over once, whatever the engines and the partition counts: counted, and in the order of every lane."""

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.app.moves import Place, move
from daemon.bus.base import Bus, Record, Row, Step
from daemon.bus.embedded import EmbeddedBus
from daemon.bus.move import Move, Moved, Span, Stand
from daemon.bus.topics import ALERTS, MATCHES, RAW, TOPICS, Topic, partition_of
from daemon.clock import WallClock
from daemon.config.load import load_config
from daemon.config.models import Config
from daemon.errors import BusError, BusRefused
from daemon.stage.moving import moved
from daemon.stage.poison import Opens
from daemon.stage.step import TIME_KEY, time_of
from tests.bus.engine import everything, holding, take_all

PATIENCE = 20.0
TOPIC = TOPICS[RAW]


def pack(time: float) -> bytes:
    return struct.pack(">d", time)


def quiet(what: str, done: int, total: int) -> None:
    """Nobody looks on."""


@dataclass
class Shelf:
    """One topic and its group, in lists; implements `Origin` and `Goal`."""

    partitions: int
    records: list[list[Record]] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    held: list[dict[bytes, Row]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.records = self.records or [[] for _ in range(self.partitions)]
        self.positions = self.positions or [0] * self.partitions
        self.held = self.held or [{} for _ in range(self.partitions)]

    async def stand(self, topic: Topic, partition: int) -> Stand:
        return Stand(0, self.positions[partition], len(self.records[partition]))

    @asynccontextmanager
    async def reading(self, topic: str, spans: Sequence[Span]) -> AsyncIterator[Sequence[AsyncIterator[Record]]]:
        yield [_each(found[start:end]) for found, (start, end) in zip(self.records, spans, strict=True)]

    async def rows(self, topic: Topic, partition: int) -> AsyncGenerator[Row, None]:
        for row in self.held[partition].values():
            yield row

    async def append(self, batch: Sequence[tuple[int, Record]]) -> None:
        for partition, record in batch:
            self.records[partition].append(record)

    async def put(self, topic: Topic, batch: Sequence[tuple[int, Row]]) -> None:
        for partition, row in batch:
            assert row.key not in self.held[partition]
            self.held[partition][row.key] = row

    async def begin(self, topic: Topic, consumed: Sequence[int]) -> None:
        self.positions = list(consumed)

    async def verify(self, topic: Topic, counts: Sequence[int]) -> None:
        assert [len(found) for found in self.records] == list(counts)


async def _each(records: Sequence[Record]) -> AsyncIterator[Record]:
    for record in records:
        yield record


def carry(origin: Shelf, count: int) -> tuple[Shelf, Moved]:
    goal = Shelf(count)
    return goal, asyncio.run(Move(origin, goal, moved, quiet).run([TOPIC]))


Published = list[tuple[str, float, bool]]
"""Lane, instant, and whether it goes everywhere."""


def shelf_of(count: int, published: Published, consumed: Sequence[int]) -> Shelf:
    shelf = Shelf(count)
    for number, (lane, at, everywhere) in enumerate(published):
        for partition in range(count) if everywhere else [partition_of(lane, count)]:
            shelf.records[partition].append(Record(RAW, lane, b"%d" % number, b"v", at))
    shelf.positions = [min(done, len(found)) for done, found in zip(consumed, shelf.records, strict=False)]
    return shelf


COUNTS = st.integers(1, 5)
PUBLISHED = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 10), st.booleans()), max_size=30)


@settings(max_examples=150, deadline=None)
@given(COUNTS, COUNTS, PUBLISHED, st.lists(st.integers(0, 20), min_size=5, max_size=5))
def test_what_is_to_be_consumed_is_consumed_once(old: int, new: int, published: Published, consumed: list[int]) -> None:
    """Records of a lane keep their order and their side of the position; a record for all is pending for all if for one."""
    origin = shelf_of(old, published, consumed)
    goal, done = carry(origin, new)
    pending = {record.key for at, found in zip(origin.positions, origin.records, strict=True) for record in found[at:]}
    for partition in range(new):
        found, at = goal.records[partition], goal.positions[partition]
        homed = [
            b"%d" % number
            for number, (lane, _, everywhere) in enumerate(published)
            if (everywhere and old > 1) or (partition_of(lane, new) == partition)
        ]
        if old != new:
            assert Counter(record.key for record in found) == Counter(homed)
            assert {record.key for record in found[at:]} == pending & set(homed)
            for lane in "abcdefgh":
                for part in (found[:at], found[at:]):
                    keys = [int(record.key) for record in part if record.lane == lane and not published[int(record.key)][2]]
                    assert keys == sorted(keys)
        else:
            assert (found, at) == (origin.records[partition], origin.positions[partition])
    assert done.records == sum(len(found) for found in goal.records)


@given(COUNTS, COUNTS, st.dictionaries(st.binary(min_size=1).filter(lambda key: key[0] != 0), st.text(max_size=3)))
def test_rows_follow_their_lanes(old: int, new: int, lanes: dict[bytes, str]) -> None:
    """Each row is in the partition of its lane, with its value and its wake, and nowhere else."""
    origin = Shelf(old)
    rows = {key: Row(lane, key, b"v" + key, float(len(key))) for key, lane in lanes.items()}
    for key, row in rows.items():
        origin.held[partition_of(row.lane, old)][key] = row
    goal, done = carry(origin, new)
    assert done.rows == len(rows)
    for partition in range(new):
        assert goal.held[partition] == {key: row for key, row in rows.items() if partition_of(row.lane, new) == partition}


@pytest.mark.parametrize(("new", "times"), [(2, [3.0, 9.0]), (1, [9.0]), (3, [9.0, 9.0, 9.0])])
def test_the_runners_rows(new: int, times: list[float]) -> None:
    """Time goes back in no partition; counts of opens are of offsets, and end."""
    origin = Shelf(2)
    for partition, time in enumerate((3.0, 9.0)):
        opens = Opens(5, 2).row()
        origin.held[partition] = {opens.key: opens, TIME_KEY: Row("", TIME_KEY, pack(time))}
    goal, _ = carry(origin, new)
    assert [[time_of(row) for row in held.values()] for held in goal.held] == [[time] for time in times]


def test_rows_that_have_no_home_are_refused() -> None:
    """A row that belongs to a partition rather than to its lane cannot be told where to go; nor two of one key."""
    stray, twins = Shelf(2), Shelf(2)
    lanes = {partition_of(lane, 2): lane for lane in "abcdefgh"}
    stray.held[0] = {b"k": Row(lanes[1], b"k", b"v")}
    for partition in (0, 1):
        twins.held[partition] = {b"k": Row(lanes[partition], b"k", b"v")}
    for origin, says in ((stray, "not to its lane"), (twins, "one key")):
        with pytest.raises(BusRefused, match=says):
            carry(origin, 3)
        assert carry(origin, 2)[0].held == origin.held


def test_a_row_of_the_runner_that_is_unknown_is_refused() -> None:
    """What a newer runner keeps is not dropped in silence."""
    origin = Shelf(1, held=[{b"\0new": Row("", b"\0new", b"v")}])
    with pytest.raises(BusRefused, match="runner"):
        carry(origin, 1)


def place(folder: Path, text: str = "") -> Place:
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(text or "data_dir: data\n")
    config: Config = load_config(folder / "config.yaml", {})
    return Place(config, folder)


def engine(at: Place) -> EmbeddedBus:
    assert at.file is not None
    return EmbeddedBus(at.file, clock=WallClock(), service=True, retention=dict.fromkeys(TOPICS, float("inf")))


async def fill(bus: Bus) -> None:
    """Five hundred records on twenty lanes, a third of each partition consumed, a row for each consumed."""
    await bus.publish([Record(RAW, f"site-{n % 20}", b"%d" % n, b"v%d" % n, 1000.0 + n) for n in range(500)])
    await bus.publish([Record(ALERTS, "iraq", b"%d" % n, None, float(n)) for n in range(30)])
    async with holding(bus, RAW, "enricher", PATIENCE) as holder:
        for partition in range(bus.partitions(RAW)):
            lease = await holder.lease(partition)
            count = len([record for record in await everything(bus, RAW) if home(bus, record.lane) == partition]) // 3
            taken = await take_all(lease, count, PATIENCE)
            out = [Record(MATCHES, record.lane, record.key, b"moved", record.at) for record in taken]
            rows = [Row(record.lane, record.key, b"seen", record.at) for record in taken]
            await lease.commit(Step(taken[-1].offset + 1, out, [*rows, Opens(3).row(), Row("", TIME_KEY, pack(9.0))]))


def home(bus: Bus, lane: str) -> int:
    return partition_of(lane, bus.partitions(RAW))


async def counted(bus: Bus) -> None:
    """All of `fill` is there, once; the rest is consumed now, each record once and each lane in order."""
    raw = await everything(bus, RAW)
    assert Counter(record.key for record in raw) == Counter(b"%d" % n for n in range(500))
    assert all((record.value, record.at) == (b"v" + record.key, 1000.0 + int(record.key)) for record in raw)
    assert [record.key for record in await everything(bus, ALERTS)] == [b"%d" % n for n in range(30)]
    seen = [row async for row in bus.state("enricher") if not row.key.startswith(b"\0")]
    assert all((row.value, row.wake) == (b"seen", 1000.0 + int(row.key)) for row in seen)
    assert Counter(row.key for row in seen) == Counter(record.key for record in await everything(bus, MATCHES))
    left: list[Record] = []
    async with holding(bus, RAW, "enricher", PATIENCE) as holder:
        for partition in range(bus.partitions(RAW)):
            lease = await holder.lease(partition)
            wanted = {b"%d" % n for n in range(500) if home(bus, f"site-{n % 20}") == partition} - {row.key for row in seen}
            held = {row.key for row in lease.rows.scan() if not row.key.startswith(b"\0")}
            assert held == {row.key for row in seen if home(bus, row.lane) == partition}
            assert lease.rows.get(TIME_KEY) == Row("", TIME_KEY, pack(9.0))
            taken = await take_all(lease, len(wanted), PATIENCE)
            assert {record.key for record in taken} == wanted
            await lease.commit(Step(taken[-1].offset + 1))
            left += taken
            assert lease.lag() == 0
    assert Counter(record.key for record in left) == Counter({record.key for record in raw} - {row.key for row in seen})
    for lane in {record.lane for record in left}:
        keys = [int(record.key) for record in left if record.lane == lane]
        assert keys == sorted(keys)


@pytest.mark.parametrize("count", [1, 3, 4, 9])
async def test_to_another_file(tmp_path: Path, count: int) -> None:
    """Whatever the new partition count, all is there; the old file is as it was."""
    old, new = place(tmp_path / "old"), place(tmp_path / "new")
    async with engine(old) as bus:
        await fill(bus)
    done, aside = await move(old, new, count, WallClock(), quiet)
    assert (done.records - done.unconsumed, aside) == (30 + len(await kept(old)), None)
    async with engine(new) as bus:
        assert bus.partitions(RAW) == count
        await counted(bus)
    async with engine(old) as bus:
        assert bus.partitions(RAW) == 4
        await counted(bus)


async def kept(at: Place) -> list[Record]:
    """What the enricher has consumed."""
    async with engine(at) as bus:
        return await everything(bus, MATCHES)


async def test_in_its_own_place(tmp_path: Path) -> None:
    """The file is replaced by one with other partitions; the old one is kept, and fenced, also by a second move at once."""
    here = place(tmp_path)
    async with engine(here) as bus:
        await fill(bus)
    _, aside = await move(here, here, 7, WallClock(), quiet)
    assert aside is not None
    async with engine(here) as bus:
        assert bus.partitions(RAW) == 7
        assert bus._shelf.generation > 2
        await counted(bus)
    _, again = await move(here, here, 2, WallClock(), quiet)
    for old, count in ((aside, 4), (again, 7)):
        assert old is not None
        async with EmbeddedBus(old, clock=WallClock(), service=True) as bus:
            assert bus.partitions(RAW) == count


async def test_a_move_is_offline_and_overwrites_nothing(tmp_path: Path) -> None:
    """A living service on either side, a file where the new one goes, and one that is missing refuse it; nothing is left."""
    old, new = place(tmp_path / "old"), place(tmp_path / "new")
    with pytest.raises(BusRefused, match="nothing to move"):
        await move(old, new, None, WallClock(), quiet)
    async with engine(old) as bus:
        await fill(bus)
        with pytest.raises(BusRefused, match=r"another service .*; stop it first"):
            await move(old, new, None, WallClock(), quiet)
    async with engine(new):
        with pytest.raises(BusRefused, match=r"another service .*; stop it first"):
            await move(old, new, None, WallClock(), quiet)
    with pytest.raises(BusRefused, match="a bus already"):
        await move(old, new, None, WallClock(), quiet)
    assert old.file is not None
    with pytest.raises(BusRefused, match="not possible"):
        await move(old, old, 5000, WallClock(), quiet)
    assert not list(old.file.parent.glob("*.part*"))


async def test_what_is_unknown_is_not_left_behind(tmp_path: Path) -> None:
    """A topic of a newer version is named, and nothing is moved."""
    old, new = place(tmp_path / "old"), place(tmp_path / "new")
    async with engine(old) as bus:
        await bus.publish([Record("rumours", "lane", b"k", b"v", 1.0)])
    with pytest.raises(BusError, match="rumours"):
        await move(old, new, None, WallClock(), quiet)
    assert new.file is not None
    assert not new.file.exists()
