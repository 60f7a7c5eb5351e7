"""Power cuts, simulated: the bus loses nothing that it has acknowledged, and the simulation would show it if it did."""

import random
from pathlib import Path

import apsw
import pytest

from tests.faults.powercut import trial
from tests.faults.unsynced import Cut, Disk


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_power_cuts(tmp_path: Path, seed: int) -> None:
    """Whatever of the unsynced arrived: acknowledged records and steps are there, whole and in order, in a sound file."""
    acknowledged = 0
    for number in range(10):
        folder = tmp_path / str(number)
        folder.mkdir()
        verdict = await trial(folder, random.Random(f"{seed}.{number}"))
        assert (verdict.lost, verdict.wrong) == (0, [])
        acknowledged += verdict.acknowledged
    assert acknowledged > 500


@pytest.mark.parametrize(("synchronous", "found"), [("full", 10), ("normal", 0)])
def test_the_simulation_bites(tmp_path: Path, synchronous: str, found: int) -> None:
    """A file whose commits are not synced does lose them on such a disk."""
    disk, source = Disk(random.Random(1)), tmp_path / "source"
    source.mkdir()
    with disk.mounted():
        db = apsw.Connection(str(source / "x"))
        db.pragma("journal_mode", "wal")
        db.execute("CREATE TABLE t(x)")
        db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        db.pragma("synchronous", synchronous)
        for number in range(10):
            db.execute("INSERT INTO t VALUES (?)", (number,))
        disk.cut(source, tmp_path / "after", Cut.ALL)
        with pytest.raises(apsw.IOError):
            db.execute("INSERT INTO t VALUES (11)")
        with pytest.raises(apsw.IOError):
            db.close()
    with apsw.Connection(str(tmp_path / "after" / "x")) as after:
        assert after.execute("SELECT count(*) FROM t").get == found


def test_what_arrived_is_drawn(tmp_path: Path) -> None:
    """Writes that no sync covered arrive in order up to a point, or by sectors (and the length), or not at all."""
    seen: dict[Cut, set[bytes]] = {kind: set() for kind in Cut}
    for number in range(40):
        for kind in Cut:
            disk, source = Disk(random.Random(number)), tmp_path / f"{number}-{kind}"
            after = tmp_path / f"{number}-{kind}-after"
            source.mkdir()
            (source / "x").write_bytes(b"....")
            with disk.mounted():
                file = apsw.VFSFile("unsynced", str(source / "x"), [apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READWRITE, 0])
                for at, data in ((4, b"one"), (0, b"TWO."), (7, b"three")):
                    file.xWrite(data, at)
                disk.cut(source, after, kind)
                file.xClose()
            seen[kind].add((after / "x").read_bytes())
    assert seen[Cut.ALL] == {b"...."}
    assert seen[Cut.TAIL] == {b"....", b"....one", b"TWO.one", b"TWO.onethree"}
    assert seen[Cut.SECTORS] == {
        a + b + c for a in (b"....", b"TWO.") for b in (bytes(3), b"one") for c in (bytes(5), b"three")
    }
