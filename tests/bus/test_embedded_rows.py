"""Rows in the file, and the writer's batches, beside what plain memory would do."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.bus.base import Row
from daemon.bus.embedded.reader import PlaceRows, Reader
from daemon.bus.embedded.schema import connect_reader, connect_writer, transaction
from daemon.bus.embedded.transaction import Entry, Transaction
from daemon.bus.held import HeldRows
from daemon.bus.topics import RAW
from daemon.errors import BusError
from tests.bus.embedded_engine import EmbeddedEngine
from tests.bus.engine import everything, record

KEYS = st.binary(max_size=3) | st.sampled_from([b"\xff", b"\xff\xff", b"a\xff", b"a\xff\xff", b"b"])
ROWS = st.builds(
    Row,
    lane=st.text(st.characters(), max_size=3),
    key=KEYS,
    value=st.none() | st.binary(max_size=5),
    wake=st.none() | st.integers(-3, 3).map(float),
)
STEPS = st.lists(st.lists(ROWS, max_size=80, unique_by=lambda row: row.key), max_size=4)


class File:
    """One file for many examples: each has a place of its own."""

    def __init__(self, path: Path) -> None:
        self.writing: apsw.Connection = connect_writer(path, None)
        self.reader = Reader(connect_reader(path), path)
        self.places = count(1)

    def commit(self, place: int, rows: list[Row]) -> None:
        with transaction(self.writing):
            begun = Transaction(self.writing)
            begun.put(place, rows)
            begun.flush()

    def close(self) -> None:
        self.reader.close()
        self.writing.close()


@pytest.fixture(scope="module")
def file() -> Iterator[File]:
    with tempfile.TemporaryDirectory() as folder:
        file = File(Path(folder, "bus.sqlite"))
        yield file
        file.close()


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tmp_path)
    yield engine
    await engine.end()


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, prefix=KEYS, until=st.integers(-4, 4).map(float), limit=st.integers(1, 5))
def test_rows_in_the_file_are_as_rows_in_memory(
    file: File, steps: list[list[Row]], prefix: bytes, until: float, limit: int
) -> None:
    """Whatever steps put and delete, every look at the file's rows gives what a look at memory gives."""
    place, model = next(file.places), HeldRows()
    rows = PlaceRows(file.reader, place)
    for step in steps:
        file.commit(place, step)
        model.apply(step)
        assert list(rows.scan()) == list(model.scan())
        assert list(rows.scan(prefix)) == list(model.scan(prefix))
        assert list(rows.due(until, limit)) == list(model.due(until, limit))
        assert rows.next_wake() == model.next_wake()
        assert rows.get(prefix) == model.get(prefix)


def append(entry: Entry, begun: Transaction) -> None:
    begun.append([entry])


async def test_large_jobs_are_split_over_transactions(engine: EmbeddedEngine) -> None:
    """Jobs too large to be committed together are committed one after the other, in order, the last before the close, too."""
    bus = await engine.open()
    entries, _ = await bus._shelf.entries([record(n, "lane") for n in range(8)])
    tasks = [asyncio.create_task(bus._shelf.writer.submit(partial(append, entry), 20_000_000)) for entry in entries]
    await asyncio.sleep(0)
    await engine.close(bus)
    assert await asyncio.gather(*tasks) == [None] * 8
    stored = await everything(await engine.open(), RAW)
    assert [one.key for one in stored] == [b"k%d" % n for n in range(8)]


async def test_a_closed_bus_says_so(engine: EmbeddedEngine) -> None:
    """After the close everything raises a `BusError`, and closing again does nothing."""
    bus = await engine.open()
    await engine.close(bus)
    with pytest.raises(BusError, match="closed"):
        await bus.publish([record(1, "lane")])
    with pytest.raises(BusError, match="closed"):
        await everything(bus, RAW)
    assert "closed" in (bus.trouble() or "")
    await engine.close(bus)
