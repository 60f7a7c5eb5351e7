"""The file as people may leave it: each state is met with one clear sentence, or simply used."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import apsw
import pytest

from daemon.bus.base import Record, Row, Step
from daemon.bus.embedded.schema import check_for, refuse_old_sqlite
from daemon.bus.topics import RAW
from daemon.errors import BusRefused, Lost
from tests.bus.embedded_engine import EmbeddedEngine
from tests.bus.engine import GROUP, HERE, everything, holding, record
from tests.users import unprivileged_folder


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tmp_path)
    yield engine
    await engine.end()


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder that all may enter, seen as a user without privileges."""
    with unprivileged_folder() as folder:
        yield folder


def scribble(path: Path) -> None:
    path.write_bytes(b"these are notes, not a database, and long enough to be read as a header" * 300)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def garble(path: Path) -> None:
    """Overwrite every page but the first, whose header then still looks sound."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(16384)
        file.write(b"\xa5" * (size - 16384))


def make_newer(path: Path) -> None:
    with apsw.Connection(str(path)) as db:
        db.pragma("user_version", 99)


def mix_records(path: Path) -> None:
    """As when the write-ahead log of another copy was folded in: every page is sound."""
    with apsw.Connection(str(path)) as db:
        db.execute("UPDATE head SET next = next - 1")


def mix_positions(path: Path) -> None:
    with apsw.Connection(str(path)) as db:
        db.execute("INSERT INTO grp(id, name, topic) SELECT 1, 'enricher', id FROM topic")
        db.execute("INSERT INTO place SELECT id << 10, 100000, 1 FROM grp")


def make_foreign(path: Path) -> None:
    path.unlink()
    with apsw.Connection(str(path)) as db:
        db.execute("CREATE TABLE bookmarks(url)")


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (scribble, "not an SQLite file"),
        (cut, "damaged"),
        (garble, "damaged"),
        (make_newer, "format 99 is newer"),
        (make_foreign, "not one of Rasid's"),
    ],
)
@pytest.mark.parametrize("service", [True, False])
async def test_a_file_that_cannot_be_used(
    engine: EmbeddedEngine, harm: Callable[[Path], None], says: str, *, service: bool
) -> None:
    """A damaged, newer or foreign file is refused with its name and what is wrong; it is left as it was."""
    bus = await engine.open()
    await bus.publish([record(n, f"lane-{n}") for n in range(2000)])
    await engine.close(bus)
    harm(engine.path)
    before = engine.path.read_bytes()
    with pytest.raises(BusRefused, match=says) as refused:
        await engine.open(service=service)
    assert refused.value.subject == str(engine.path)
    assert engine.path.read_bytes() == before


@pytest.mark.parametrize(("harm", "says"), [(mix_records, "a record lies beyond"), (mix_positions, "a position lies beyond")])
async def test_sound_pages_that_do_not_belong_together(engine: EmbeddedEngine, harm: Callable[[Path], None], says: str) -> None:
    """A service refuses a file whose tables contradict each other, however little time it has to look."""
    bus = await engine.open()
    await bus.publish([record(n, f"lane-{n}") for n in range(20)])
    await engine.close(bus)
    harm(engine.path)
    with apsw.Connection(str(engine.path)) as db, pytest.raises(BusRefused, match=f"damaged \\({says}"):
        check_for(db, engine.path, 0.0)
    with pytest.raises(BusRefused, match=f"damaged \\({says}"):
        await engine.open()


async def test_the_check_at_the_start_ends_in_time(engine: EmbeddedEngine) -> None:
    """Looking for damage takes no longer than it may, so that a large file does not hold up the start."""
    bus = await engine.open()
    await bus.publish([Record(RAW, "lane", b"k", bytes(3000), 1.0) for n in range(10_000)])
    await engine.close(bus)
    with engine.path.open("r+b") as file:
        file.seek(15_000_000 // 16384 * 16384)
        file.write(b"\xa5" * 16384)
    with apsw.Connection(str(engine.path)) as db:
        check_for(db, engine.path, 0.0)
        with pytest.raises(BusRefused, match="damaged"):
            check_for(db, engine.path, 60.0)


async def test_a_refused_file_is_not_kept_locked(engine: EmbeddedEngine) -> None:
    """Once what was refused has been moved away, the next start makes a new file."""
    scribble(engine.path)
    with pytest.raises(BusRefused):
        await engine.open()
    engine.path.unlink()
    await (await engine.open()).publish([record(1, "lane")])


async def test_a_file_that_may_not_be_written(unprivileged: Path) -> None:
    """A read-only file and a read-only folder are refused in a sentence, for services and commands."""
    engine = EmbeddedEngine(unprivileged)
    await engine.close(await engine.open())
    engine.path.chmod(0o444)
    for service in (True, False):
        with pytest.raises(BusRefused, match="may not be written"):
            await engine.open(service=service)
    engine.path.chmod(0o644)
    unprivileged.chmod(0o555)  # noqa: ASYNC240 - one call on a local disk
    with pytest.raises(BusRefused, match="may not be written"):
        await engine.open()
    with pytest.raises(BusRefused, match="may not be written"):
        await EmbeddedEngine(unprivileged / "below").open()


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A path below something that is no folder is refused in a sentence."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BusRefused, match="cannot be opened"):
        await EmbeddedEngine(tmp_path / "file").open()


@pytest.mark.parametrize(("version", "refused"), [("3.51.2", True), ("3.9.0", True), ("3.51.3", False), ("3.100.0", False)])
def test_old_sqlite_is_refused(version: str, *, refused: bool) -> None:
    """An SQLite before 3.51.3, which can damage a WAL, is not used."""
    if not refused:
        refuse_old_sqlite(version)
        return
    with pytest.raises(BusRefused, match="newer"):
        refuse_old_sqlite(version)


async def test_the_partition_count_is_the_files(tmp_path: Path) -> None:
    """The count is fixed at creation, 4 by default; asking for another is refused with both numbers."""
    for folder, settings, count in (("default", {}, 4), ("seven", {"partitions": 7}, 7), ("seven", {}, 7)):
        engine = EmbeddedEngine(tmp_path / folder, settings)
        bus = await engine.open()
        assert bus.partitions(RAW) == count
        await engine.close(bus)
    with pytest.raises(BusRefused, match="made with 7 partitions and 4 are asked for"):
        await EmbeddedEngine(tmp_path / "seven", {"partitions": 4}).open()
    with pytest.raises(BusRefused, match="0 partitions are not possible"):
        await EmbeddedEngine(tmp_path / "none", {"partitions": 0}).open()


async def test_settings_of_the_file(engine: EmbeddedEngine) -> None:
    """Commits are synced to the disk before they are acknowledged, in a WAL with pages of 16 kB."""
    bus = await engine.open()
    asked = ("journal_mode", "synchronous", "page_size")
    settings = await bus._shelf.writer.submit(lambda begun: [begun.db.pragma(name) for name in asked])
    assert settings == ["wal", 2, 16384]


async def test_commands_take_no_leases(engine: EmbeddedEngine) -> None:
    """What opened the file beside a service cannot consume."""
    bus = await engine.open(service=False)
    with pytest.raises(BusRefused, match="only the service"):
        await anext(bus.leases(RAW, GROUP))


async def test_a_fenced_service_ends(engine: EmbeddedEngine) -> None:
    """A service that lost the file to a newer one, its lock file gone, can commit nothing, learns it, and says so."""
    old = await engine.open()
    async with holding(old, RAW, GROUP, engine.patience) as holder:
        lease = await holder.lease(HERE)
        engine.path.with_name("bus.sqlite.lock").unlink()
        new = await engine.open()
        with pytest.raises(Lost):
            await lease.commit(Step(None, (), [Row("lane", b"row", b"v")]))
        await holder.leave(HERE, Lost("gone"))
        with pytest.raises(BusRefused, match="newer service"):
            await holder.ended()
        assert "newer service" in (old.trouble() or "")
    assert new.trouble() is None
    assert await everything(new, RAW) == []
