"""Copies of the file: made whole while the service goes on writing, checked, and put in the file's place.

back_up    file ─ one snapshot, in small steps ─▶ part ─ checked ─▶ copy
restore    copy ─▶ part ─ checked, generation beyond both ─▶ file          what stood there is kept beside it
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import quote

import apsw

from daemon.bus.embedded.lock import ServiceLock
from daemon.bus.embedded.schema import check, connect_reader, connect_writer, refuse_foreign, refuse_old_sqlite, transaction
from daemon.bus.embedded.trouble import translate
from daemon.bus.embedded.whereabouts import stands
from daemon.errors import BusRefused

Tell = Callable[[str, int, int], None]
"""Told how far it is: what is being done, how much is done, of how much."""

_STEP_PAGES: Final = 64
_SYNC_STEPS: Final = 32
"""Steps between syncs of the copy, so that the service's own syncs never wait for much of it."""
_PIECE: Final = 4 * 1024 * 1024


def back_up(path: Path, target: Path, tell: Tell) -> int:
    """Copy the file as it stands now to `target`; returns the bytes of the copy. Commits of others go on meanwhile.

    The write-ahead log grows until the copy is made, because the snapshot needs it. Raises `BusRefused` when there is no
    file, when `target` is there already and when damage is found, and `BusError`.
    """
    refuse_old_sqlite(apsw.sqlite_lib_version())
    if stands(target):
        raise BusRefused("is there already; a backup overwrites nothing", subject=str(target))
    if not stands(path):
        raise BusRefused("there is no such file yet: nothing to back up", subject=str(path))
    with translated(target), part_of(target) as part:
        with translated(path), closing(connect_reader(path)) as db:
            refuse_foreign(db, path)
            _copy_pages(db, part, target, tell)
        check_whole(part, path, tell)
        part.rename(target)
        sync_folder(target.parent)
    return target.stat().st_size


def restore(copy: Path, path: Path, aside: Path, tell: Tell, *, replace: bool) -> Path | None:
    """Put what `back_up` made in the place of the file; returns what is kept of one that stood there (see `put_in_place`).

    Raises `BusRefused` while a service lives, when there is a file and not `replace`, and when the copy is none or damaged;
    the file is untouched then.
    """
    refuse_old_sqlite(apsw.sqlite_lib_version())
    _refuse_copy(copy)
    with translated(path), locked(path):
        if path.exists() and not replace:
            raise BusRefused("is there already; --force puts the backup in its place and keeps it beside", subject=str(path))
        with part_of(path) as part:
            _copy_bytes(copy, part, tell)
            check_whole(part, copy, tell)
            return put_in_place(part, path, aside)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """While this is held no service starts on the file. Raises `BusRefused` when one lives, and `BusError`."""
    lock = ServiceLock(path)
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.take("stop it first")
    try:
        yield
    finally:
        lock.release()


def check_whole(path: Path, named: Path, tell: Tell) -> None:
    """Every page and every index, of a file nobody writes. Raises `BusRefused` about the file `named` when damage is found."""
    size = path.stat().st_size
    tell("checking", 0, size)
    with translated(named), closing(connect_still(path)) as db:
        refuse_foreign(db, named)
        check(db, named)
    tell("checking", size, size)


def connect_still(path: Path) -> apsw.Connection:
    """A connection to a file that nobody writes, as on a medium that cannot be written; makes no files beside it."""
    name = f"file:{quote(str(path.resolve()))}?immutable=1"
    return apsw.Connection(name, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)


def aside_of(path: Path, at: float) -> Path:
    """The name that a file gets which is replaced at an instant."""
    return path.with_name(f"{path.name}.replaced-{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}")


def put_in_place(part: Path, path: Path, aside: Path) -> Path | None:
    """Have `part` become the file, at once. Returns what is kept of the one that was there: `aside`, or with -2, -3 … to it.

    Whoever knew either of them is fenced. Raises `apsw.BusyError` while anybody uses the file.
    """
    kept = None
    _renew(part, _generation(path) if path.exists() else 0)
    sync_file(part)
    if path.exists():
        _fold(path)
        kept = _keep(path, aside)
    part.replace(path)
    sync_folder(path.parent)
    return kept


def sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames in it durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fold(path: Path) -> None:
    """Bring the write-ahead log into the file, which needs the file to itself. A damaged file stays as it is."""
    with suppress(apsw.CorruptError, apsw.NotADBError), closing(apsw.Connection(str(path))) as db:
        db.set_busy_timeout(1000)
        db.pragma("journal_mode", "delete")


def _keep(path: Path, aside: Path) -> Path:
    """Give the file that is about to be replaced a name of its own, and its log with it."""
    kept = _claim(path, aside)
    wal = _beside(path, "-wal")
    if wal.exists():  # a file so damaged that it cannot be folded
        wal.rename(_beside(kept, "-wal"))
    _beside(path, "-shm").unlink(missing_ok=True)
    if not kept.samefile(path):
        path.rename(kept)
    return kept


def _claim(path: Path, aside: Path) -> Path:
    """A name that nothing has, taken: a second one of the file, or, on a file system without links, that of an empty file.

    In the second case there is an instant without the file, when it is renamed.
    """
    for name in (aside if number == 1 else _beside(aside, f"-{number}") for number in count(1)):
        if _beside(name, "-wal").exists():
            continue
        try:
            _link(path, name)
        except FileExistsError:
            continue
        return name
    raise AssertionError("numbers end")


def _link(path: Path, name: Path) -> None:
    """Raises `FileExistsError` where there is something of that name."""
    try:
        os.link(path, name)
    except FileExistsError:
        raise
    except OSError:
        name.touch(exist_ok=False)


def _copy_pages(source: apsw.Connection, part: Path, named: Path, tell: Tell) -> None:
    """What is not the source's fault is told about the file `named`."""
    source.execute("BEGIN")
    source.execute("SELECT count(*) FROM meta").get  # noqa: B018 - the snapshot begins with what is read first
    try:
        _copy_snapshot(source, part, tell)
    except (apsw.FullError, OSError) as error:
        raise translate(error, named, service=False) from error


def _copy_snapshot(source: apsw.Connection, part: Path, tell: Tell) -> None:
    with part.open("rb") as file, closing(apsw.Connection(str(part))) as target:
        target.pragma("journal_mode", "off")
        target.pragma("synchronous", "off")
        with target.backup("main", source, "main") as copying:
            steps = 0
            while not copying.step(_STEP_PAGES):
                tell("copying", copying.page_count - copying.remaining, copying.page_count)
                steps += 1
                if steps % _SYNC_STEPS == 0:
                    os.fdatasync(file.fileno())
        os.fsync(file.fileno())


def _copy_bytes(copy: Path, part: Path, tell: Tell) -> None:
    size, done = copy.stat().st_size, 0
    with copy.open("rb") as source, part.open("wb") as target:
        while piece := source.read(_PIECE):
            target.write(piece)
            done += len(piece)
            tell("copying", done, size)


def _refuse_copy(copy: Path) -> None:
    if not stands(copy) or not copy.is_file():
        raise BusRefused("there is no such file: not a folder that `rasid backup` made", subject=str(copy))
    wal = _beside(copy, "-wal")
    if wal.exists() and wal.stat().st_size:
        reason = "a -wal file lies beside it: a copy of a running file, not what `rasid backup` makes"
        raise BusRefused(reason, subject=str(copy))
    with translated(copy), closing(connect_still(copy)) as db:
        refuse_foreign(db, copy)


def _generation(path: Path) -> int:
    """That of a file about to be replaced; 0 when it is too damaged to say."""
    with suppress(apsw.Error), closing(connect_reader(path)) as db:
        return int(db.execute("SELECT value FROM meta WHERE name = 'generation'").get or 0)
    return 0


def _renew(part: Path, replaced: int) -> None:
    """Fence every service and lease that knew the copy or the file it replaces."""
    with closing(connect_writer(part, None)) as db, transaction(db):
        db.execute("UPDATE meta SET value = max(value, ?) + 1 WHERE name = 'generation'", (replaced,))
        db.execute("UPDATE place SET epoch = epoch + 1")


@contextmanager
def part_of(target: Path) -> Iterator[Path]:
    """A file beside the target to be filled and renamed; gone when it was not, and so are folders made for it."""
    with _folder(target.parent):
        descriptor, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)
        try:
            os.fchmod(descriptor, 0o644)
            os.close(descriptor)
            yield Path(name)
        finally:
            for ending in ("", "-wal", "-shm"):
                Path(name + ending).unlink(missing_ok=True)


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """Made when missing, with those above it; what was made and is empty at the end goes again."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for each in missing:
            with suppress(OSError):
                each.rmdir()


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Errors of SQLite and of the file system as `BusError`s about a file, for commands."""
    try:
        yield
    except (apsw.Error, OSError) as error:
        raise translate(error, path, service=False) from error
