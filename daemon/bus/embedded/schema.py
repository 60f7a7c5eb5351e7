"""The file: its tables, its version, and how a connection to it is opened and made sure of.

topic ─┐                                  part  = topic << 10 | partition
       ├─ log (id = part << 40 | offset)  place = group << 10 | partition
head ──┘                                  head: the next offset of a part
grp ─── place (position, epoch) ─── row
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from daemon.bus.embedded.trouble import translate
from daemon.errors import BusRefused

OLDEST_SQLITE: Final = (3, 51, 3)
"""Earlier ones can lose what was committed when a WAL is reset (sqlite.org/wal.html, “The WAL-reset bug”)."""
FORMAT: Final = 1
DEFAULT_PARTITIONS: Final = 4
PARTITION_BITS: Final = 10
OFFSET_BITS: Final = 40
Value = int | float | bytes | str | None
_APPLICATION: Final = 0x52415344
_WRITER_WAIT_MS: Final = 5000
_READER_WAIT_MS: Final = 1000
_CHECK_PAGES: Final = 200
"""Pages looked at (or other steps of SQLite's) between looks at the time."""

_TABLES: Final = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE topic(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE log(id INTEGER PRIMARY KEY, at REAL NOT NULL, lane BLOB NOT NULL, key BLOB NOT NULL, value BLOB);
CREATE TABLE head(part INTEGER PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE grp(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, topic INTEGER NOT NULL);
CREATE TABLE place(id INTEGER PRIMARY KEY, position INTEGER NOT NULL, epoch INTEGER NOT NULL);
CREATE TABLE row(place INTEGER NOT NULL, key BLOB NOT NULL, lane BLOB NOT NULL, wake REAL, value BLOB NOT NULL);
CREATE UNIQUE INDEX row_by_key ON row(place, key);
CREATE INDEX row_by_wake ON row(place, wake, key) WHERE wake IS NOT NULL;
"""

_CONTRADICTIONS: Final = """
SELECT 'a record lies beyond the end of its part' FROM head
 WHERE (SELECT max(id) FROM log WHERE id >= part << ?1 AND id < (part + 1) << ?1) >= (part << ?1) + next
UNION ALL
SELECT 'a position lies beyond the end of its part' FROM place JOIN grp ON grp.id = place.id >> ?2
 WHERE position > coalesce((SELECT next FROM head WHERE part = (grp.topic << ?2) + (place.id & ((1 << ?2) - 1))), 0)
LIMIT 1
"""
"""Looked for by index only, so that it takes no time however large the file is."""


def numbered(number: int, partition: int) -> int:
    """One partition of a topic (a part) or of a group (a place), by the number of the topic or group."""
    return number << PARTITION_BITS | partition


def refuse_old_sqlite(version: str) -> None:
    """Raises `BusRefused` for an SQLite that can corrupt the file."""
    if tuple(int(part) for part in version.split(".")) < OLDEST_SQLITE:
        oldest = ".".join(str(part) for part in OLDEST_SQLITE)
        raise BusRefused(f"SQLite {version} can damage the file; install an apsw with {oldest} or newer", subject="apsw")


def connect_writer(path: Path, partitions: int | None) -> apsw.Connection:
    """The connection that writes. Makes file and tables where there are none; leaves what it refuses as it was.

    Raises `BusRefused`, `apsw.Error`.
    """
    db = apsw.Connection(str(path))
    try:
        db.set_busy_timeout(_WRITER_WAIT_MS)
        _refuse(db, path)
        db.pragma("page_size", 16384)
        db.pragma("journal_mode", "wal")
        db.pragma("synchronous", "full")
        db.pragma("journal_size_limit", 64 * 1024 * 1024)
        db.pragma("cache_size", -16384)
        _make(db, path, DEFAULT_PARTITIONS if partitions is None else partitions)
    except BaseException:
        db.close()
        raise
    return db


def connect_reader(path: Path) -> apsw.Connection:
    """A connection that cannot write, for a file that is there. Raises `apsw.Error`."""
    db = apsw.Connection(str(path))
    db.set_busy_timeout(_READER_WAIT_MS)
    db.pragma("cache_size", -16384)
    db.pragma("query_only", 1)
    return db


def partition_count(db: apsw.Connection, path: Path, wanted: int | None) -> int:
    """The file's; raises `BusRefused` when another is wanted."""
    count: int = db.execute("SELECT value FROM meta WHERE name = 'partitions'").get
    if wanted is not None and wanted != count:
        reason = f"the file was made with {count} partitions and {wanted} are asked for; the count is fixed at creation"
        raise BusRefused(reason, subject=str(path))
    return count


def check(db: apsw.Connection, path: Path) -> None:
    """Look for damage everywhere, indexes included. Raises `BusRefused` when some is found."""
    _refuse_damage(db.pragma("integrity_check", 1), path)
    _refuse_contradictions(db, path)


def check_for(db: apsw.Connection, path: Path, seconds: float) -> None:
    """Look for damage as long as time allows. Raises `BusRefused` when some is found."""
    _refuse_cut(db, path)
    _refuse_contradictions(db, path)
    deadline = time.monotonic() + seconds
    db.set_progress_handler(lambda: time.monotonic() > deadline, _CHECK_PAGES)
    try:
        found = db.pragma("quick_check", 1)
    except apsw.InterruptError:
        return
    finally:
        db.set_progress_handler(None)
    _refuse_damage(found, path)


def _refuse_damage(found: object, path: Path) -> None:
    if found != "ok":
        raise translate(apsw.CorruptError(str(found)), path)


def _refuse_cut(db: apsw.Connection, path: Path) -> None:
    """SQLite reads what is missing of the last page as zeros. A power cut leaves such a page, but its whole in the log."""
    log = path.with_name(path.name + "-wal")
    logged = log.exists() and log.stat().st_size > 0
    if not logged and path.stat().st_size % db.pragma("page_size"):
        raise translate(apsw.CorruptError("its last page is cut short"), path)


def _refuse_contradictions(db: apsw.Connection, path: Path) -> None:
    """Sound pages that cannot belong together: a file beside the write-ahead log of another, or half of a copy."""
    found = db.execute(_CONTRADICTIONS, (OFFSET_BITS, PARTITION_BITS)).get
    if found is not None:
        raise translate(apsw.CorruptError(str(found)), path)


def _refuse(db: apsw.Connection, path: Path) -> None:
    if db.readonly("main"):
        raise BusRefused("the file may not be written by this user", subject=str(path))
    if db.execute("SELECT count(*) FROM sqlite_schema").get:
        refuse_foreign(db, path)


def refuse_foreign(db: apsw.Connection, path: Path) -> None:
    """Raises `BusRefused` for a file that is not Rasid's, or a newer version's."""
    if db.pragma("application_id") != _APPLICATION:
        raise BusRefused("the file is an SQLite file, but not one of Rasid's", subject=str(path))
    if (found := db.pragma("user_version")) > FORMAT:
        raise BusRefused(
            f"the file's format {found} is newer than this version of Rasid knows; run a newer one", subject=str(path)
        )


def _make(db: apsw.Connection, path: Path, partitions: int) -> None:
    if db.pragma("application_id") == _APPLICATION:
        return
    if not 1 <= partitions <= 1 << PARTITION_BITS:
        raise BusRefused(f"{partitions} partitions are not possible; 1 to {1 << PARTITION_BITS} are", subject=str(path))
    with transaction(db):
        if db.pragma("application_id") != _APPLICATION:
            db.execute(_TABLES)
            db.execute("INSERT INTO meta VALUES ('partitions', ?), ('generation', 0)", (partitions,))
            db.pragma("user_version", FORMAT)
            db.pragma("application_id", _APPLICATION)


@contextmanager
def transaction(db: apsw.Connection) -> Iterator[None]:
    """`BEGIN IMMEDIATE` … `COMMIT`, or `ROLLBACK` on any error; `with db` would begin deferred."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
