"""Copies of the file, made under fire, and what they are worth when they take its place."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import apsw
import pytest

from daemon.bus.base import Bus, Row, Step
from daemon.bus.embedded import EmbeddedBus
from daemon.bus.embedded.backup import aside_of, back_up, restore
from daemon.bus.topics import ARTICLES, RAW
from daemon.clock import WallClock
from daemon.errors import BusError, BusRefused
from tests.bus.copying import copy
from tests.bus.embedded_engine import EmbeddedEngine, own
from tests.bus.engine import GROUP, HERE, everything, holding, lane_of, record, state, take_all

LATER = 2_000_000_000.0


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tmp_path / "data")
    yield engine
    await engine.end()


def quiet(what: str, done: int, total: int) -> None:
    """Nobody looks on."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def fill(bus: Bus, first: int, count: int) -> None:
    await bus.publish([record(n, f"lane-{n % 7}") for n in range(first, first + count)])


async def test_a_backup_under_fire(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """Copied amid commits, a backup is one instant's state: whole steps, all that was acknowledged before, nothing torn."""
    bus = await engine.open()
    await fill(bus, 0, 3000)
    copying = asyncio.create_task(copy(bus))
    async with asyncio.timeout(engine.patience):
        while not await everything(bus, ARTICLES):  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.01)
    copies, written = [tmp_path / str(n) / "bus.sqlite" for n in range(3)], 3000
    for target in copies:
        before = {stored.key for stored in await everything(bus, RAW)}
        running = asyncio.create_task(asyncio.to_thread(back_up, engine.path, target, quiet))
        while not running.done():
            await fill(bus, written, 10)
            written += 10
        assert await running == target.stat().st_size
        copied = await EmbeddedEngine(target.parent).open()
        raw, moved = await everything(copied, RAW), await everything(copied, ARTICLES)
        counted = sum([int(row.value or b"0") async for row in copied.state(GROUP)])
        assert before <= {stored.key for stored in raw}
        assert counted == len(moved) > 0
        await own(copied).__aexit__(None, None, None)
    copying.cancel()
    await asyncio.gather(copying, return_exceptions=True)


async def test_a_restored_bus_goes_on_where_the_copy_stood(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """Records, rows, wakes and positions are those of the copy; what was consumed by then is not consumed again."""
    bus = await engine.open()
    lane = lane_of(HERE, bus)
    await bus.publish([record(n, lane) for n in range(10)])
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        lease = await holder.lease(HERE)
        await lease.commit(Step(4, (), [Row(lane, b"row", b"v", 7.0)]))
        back_up(engine.path, tmp_path / "copy" / "bus.sqlite", quiet)
        await lease.commit(Step(10, (), [Row(lane, b"row", b"later", 8.0)]))
    await engine.close(bus)
    aside = aside_of(engine.path, LATER)
    assert restore(tmp_path / "copy" / "bus.sqlite", engine.path, aside, quiet, replace=True) == aside
    bus = await engine.open()
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        lease = await holder.lease(HERE)
        assert [taken.offset for taken in await take_all(lease, 6, engine.patience)] == [4, 5, 6, 7, 8, 9]
        assert lease.rows.get(b"row") == Row(lane, b"row", b"v", 7.0)
    assert aside.name == "bus.sqlite.replaced-20330518T033320Z"
    assert await state(await EmbeddedEngine(aside.rename(tmp_path / "bus.sqlite").parent).open()) == {
        b"row": Row(lane, b"row", b"later", 8.0)
    }


@pytest.mark.parametrize("links", [True, False])
async def test_what_was_kept_is_never_overwritten(
    engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    """Replaced several times in one second, each bus is kept under a name of its own, also where a file has but one name."""
    if not links:
        monkeypatch.setattr(os, "link", refuse)
    await engine.close(await engine.open())
    back_up(engine.path, tmp_path / "bus.sqlite", quiet)
    kept = []
    for number in range(3):
        bus = await engine.open()
        await bus.publish([record(number, "lane")])
        await engine.close(bus)
        kept.append(restore(tmp_path / "bus.sqlite", engine.path, aside_of(engine.path, LATER), quiet, replace=True))
    assert [path.name.partition("Z")[2] for path in kept if path] == ["", "-2", "-3"]
    for number, path in enumerate(kept):
        assert path is not None
        async with EmbeddedBus(path, clock=WallClock(), service=True) as old:
            assert [stored.key for stored in await everything(old, RAW)] == [b"k%d" % number]


def refuse(*_names: Path) -> None:
    raise PermissionError(errno.EPERM, "no links here")


async def test_generations_only_grow(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """A restored file is newer than the copy and than what it replaces: whoever knew either is fenced."""
    await engine.close(await engine.open())
    back_up(engine.path, tmp_path / "bus.sqlite", quiet)
    for _ in range(3):
        await engine.close(await engine.open())
    restore(tmp_path / "bus.sqlite", engine.path, aside_of(engine.path, LATER), quiet, replace=True)
    assert own(await engine.open())._shelf.generation == 6


async def test_a_backup_overwrites_nothing(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """A second backup into the same folder is refused; the first stays as it was, and nothing else is left there."""
    await fill(await engine.open(), 0, 10)
    target = tmp_path / "bus.sqlite"
    back_up(engine.path, target, quiet)
    before = target.read_bytes()
    with pytest.raises(BusRefused, match="overwrites nothing"):
        back_up(engine.path, target, quiet)
    assert target.read_bytes() == before
    assert names(tmp_path) == ["bus.sqlite", "data"]


async def test_nothing_to_back_up(tmp_path: Path) -> None:
    """Without a file a backup is refused, and none is made."""
    with pytest.raises(BusRefused, match="nothing to back up"):
        back_up(tmp_path / "bus.sqlite", tmp_path / "copy" / "bus.sqlite", quiet)
    assert names(tmp_path) == []


async def test_damage_is_not_backed_up(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """A copy that does not pass its check gets no name; the error is about the file it was made of."""
    bus = await engine.open()
    await fill(bus, 0, 2000)
    await engine.close(bus)
    with engine.path.open("r+b") as file:
        file.seek(-40_000, os.SEEK_END)
        file.write(b"\xa5" * 30_000)
    with pytest.raises(BusRefused, match="damaged") as refused:
        back_up(engine.path, tmp_path / "copy" / "bus.sqlite", quiet)
    assert refused.value.subject == str(engine.path)
    assert names(tmp_path) == ["data"]


async def test_a_living_service_is_not_robbed(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """Whether forced or not, nothing is restored under a service; nor under a command that uses the file."""
    bus = await engine.open()
    await fill(bus, 0, 10)
    back_up(engine.path, tmp_path / "bus.sqlite", quiet)
    for replace in (False, True):
        with pytest.raises(BusRefused, match=r"another service .*; stop it first"):
            restore(tmp_path / "bus.sqlite", engine.path, aside_of(engine.path, LATER), quiet, replace=replace)
    await engine.close(bus)
    beside = await engine.open(service=False)
    with pytest.raises(BusError, match="locked"):
        restore(tmp_path / "bus.sqlite", engine.path, aside_of(engine.path, LATER), quiet, replace=True)
    assert len(await everything(beside, RAW)) == 10
    assert not list(engine.path.parent.glob("*.part*"))


async def test_a_bus_is_replaced_only_by_force(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """Where a bus is, restoring is refused with the way to do it; where none is, it needs no force."""
    await fill(await engine.open(), 0, 10)
    back_up(engine.path, tmp_path / "bus.sqlite", quiet)
    await engine.end()
    engine._open.clear()
    with pytest.raises(BusRefused, match="--force"):
        restore(tmp_path / "bus.sqlite", engine.path, aside_of(engine.path, LATER), quiet, replace=False)
    elsewhere = EmbeddedEngine(tmp_path / "new")
    assert not restore(tmp_path / "bus.sqlite", elsewhere.path, aside_of(elsewhere.path, LATER), quiet, replace=False)
    assert len(await everything(await elsewhere.open(), RAW)) == 10
    await elsewhere.end()


def scribble(path: Path) -> None:
    path.write_bytes(b"no database, though long enough to have a header like one" * 900)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def spoil_an_index(path: Path) -> None:
    """Only a full check finds it: each page is sound, but the index knows a row that the table has not."""
    with apsw.Connection(str(path)) as db:
        root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'row_by_key'").get
        db.execute("PRAGMA writable_schema = on")
        db.execute("UPDATE sqlite_schema SET rootpage = ? WHERE name = 'row_by_wake'", (root,))
    db.close()


def put_a_log_beside(path: Path) -> None:
    path.with_name(path.name + "-wal").write_bytes(b"what was not folded in")


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (Path.unlink, "no such file"),
        (scribble, "not an SQLite file"),
        (cut, "damaged"),
        (spoil_an_index, "damaged"),
        (put_a_log_beside, "copy of a running file"),
    ],
)
async def test_a_bad_backup_replaces_nothing(
    engine: EmbeddedEngine, tmp_path: Path, harm: Callable[[Path], None], says: str
) -> None:
    """A copy that is missing, damaged or none of ours is refused by its name; the bus that is there stays untouched."""
    bus = await engine.open()
    await fill(bus, 0, 2000)
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        await (await holder.lease(HERE)).commit(Step(None, (), [Row("lane", b"%d" % n, b"v") for n in range(2000)]))
    copied = tmp_path / "bus.sqlite"
    back_up(engine.path, copied, quiet)
    await engine.close(bus)
    harm(copied)
    before = {path.name: path.read_bytes() for path in engine.path.parent.iterdir() if path.suffix != ".lock"}
    with pytest.raises(BusRefused, match=says) as refused:
        restore(copied, engine.path, aside_of(engine.path, LATER), quiet, replace=True)
    assert refused.value.subject == str(copied)
    assert {path.name: path.read_bytes() for path in engine.path.parent.iterdir() if path.suffix != ".lock"} == before


async def test_a_damaged_bus_can_be_replaced(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """That is what backups are for: the damaged file and its log are kept beside, and none of it gets into the new one."""
    bus = await engine.open()
    await fill(bus, 0, 100)
    back_up(engine.path, tmp_path / "bus.sqlite", quiet)
    await engine.close(bus)
    scribble(engine.path)
    put_a_log_beside(engine.path)
    taken = aside_of(engine.path, LATER)
    put_a_log_beside(taken)
    kept = restore(tmp_path / "bus.sqlite", engine.path, taken, quiet, replace=True)
    assert len(await everything(await engine.open(), RAW)) == 100
    assert kept is not None
    assert kept.read_bytes().startswith(b"no database")
    assert kept.name == f"{taken.name}-2"


async def test_progress_is_told(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """Copying tells how far it is, never more than all; then the check."""
    await fill(await engine.open(), 0, 60_000)
    told: list[tuple[str, int, int]] = []
    back_up(engine.path, tmp_path / "bus.sqlite", lambda *said: told.append(said))
    copying = [done / total for what, done, total in told if what == "copying"]
    assert copying == sorted(copying)
    assert 0 < copying[0] < copying[-1] <= 1
    assert [what for what, _, _ in told[-2:]] == ["checking", "checking"]
