"""Files of every released version open and say what they said.

python -m tests.bus.test_embedded_golden VERSION      writes one, for a version about to be released
"""

import asyncio
import lzma
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

from daemon.bus.base import Record, Row, Step
from daemon.bus.topics import ALERTS, ARTICLES, RAW
from tests.bus.embedded_engine import EmbeddedEngine
from tests.bus.engine import GROUP, HERE, everything, holding, lane_of, take_all

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "bus"
LANES: Final = ("site.example", "صحيفة.example", "\udc80 not UTF-8", "")
OUT: Final = Record(ALERTS, "iraq", b"", None, 0.0)
ROWS: Final = (
    Row("site.example", b"\x00\xff binary", "قيمة".encode(), 1700000000.25),
    Row("صحيفة.example", b"empty", b""),
    Row("", b"\0time", b"\x41\xd9\x54\xfc\x40\x10\x00\x00"),
)


def records(first: int, count: int) -> list[Record]:
    return [
        Record(RAW, LANES[n % 4], b"k%d" % n, b"v%d" % n if n % 3 else b"\x00\xff" * n, 1700000000.5 + n)
        for n in range(first, first + count)
    ]


def unpack(path: Path, target: Path) -> None:
    target.write_bytes(lzma.decompress(path.read_bytes()))


async def make(engine: EmbeddedEngine) -> None:
    """Records of all kinds, a place half consumed, rows with and without wake, a deleted one, space that was freed."""
    bus = await engine.open()
    await bus.publish(records(0, 40))
    await bus.publish([Record(ARTICLES, "site.example", b"everywhere", b"v", 1.0)], everywhere=True)
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        lease = await holder.lease(HERE)
        await lease.commit(Step(3, [OUT], [*ROWS, Row("", b"gone", b"v", 5.0)]))
        await lease.commit(Step(None, [], [Row("", b"gone", None)]))
    await engine.end()


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.xz")), ids=lambda path: path.name)
async def test_released_files_open(tmp_path: Path, path: Path) -> None:
    """Records, offsets, positions, rows and wakes are as they were written, and the file goes on being used."""
    engine = EmbeddedEngine(tmp_path)
    unpack(path, engine.path)
    bus = await engine.open()
    assert bus.partitions(RAW) == 4
    found = sorted(await everything(bus, RAW), key=lambda record: record.at)
    assert [(one.lane, one.key, one.value, one.at) for one in found] == [
        (one.lane, one.key, one.value, one.at) for one in records(0, 40)
    ]
    assert len(await everything(bus, ARTICLES)) == 4
    assert [(one.lane, one.key, one.value, one.at) for one in await everything(bus, ALERTS)] == [("iraq", b"", None, 0.0)]
    async with holding(bus, RAW, GROUP, engine.patience) as holder:
        lease = await holder.lease(HERE)
        assert lease.position == 3
        assert list(lease.rows.scan()) == sorted(ROWS, key=lambda row: row.key)
        assert list(lease.rows.due(2e9, 10)) == [ROWS[0]]
        await bus.publish([Record(RAW, lane_of(HERE, bus), b"new", b"v", 2.0)])
        here = [one.offset for one in await everything(bus, RAW) if one.key == b"new"]
        await lease.commit(Step(here[0], (), [Row("", b"new", b"v")]))
        assert await take_all(lease, 1, engine.patience)
    await engine.end()


def test_there_is_a_file() -> None:
    """At least one released file is kept."""
    assert list(GOLDEN.glob("*.xz"))


def main(version: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = EmbeddedEngine(Path(folder))
        asyncio.run(make(engine))
        (GOLDEN / f"{version}.sqlite.xz").write_bytes(lzma.compress(engine.path.read_bytes(), preset=9))


if __name__ == "__main__":
    main(sys.argv[1])
