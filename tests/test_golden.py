"""Bytes of every kind of message and row are kept from release to release; those of a newer version are known as such.

tests/golden/rows/VERSION/HOP_KIND.json     the hop as its group is called, `runner` for its own; the kind as keys begin
"""

import asyncio
import importlib
import pkgutil
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final, get_args

import pytest

import alerts
import daemon.stage
from alerts.kind import Kind
from consumers.sightings import Sightings, read_sightings, write_sightings
from daemon.bus.base import Row
from daemon.bus.codec import decode_row, encode_row
from daemon.bus.topics import TOPICS
from daemon.errors import NewerRow
from daemon.feeds import rows as poller
from daemon.messages.wire import AnyMessage
from daemon.stage.poison import OPENS_KEY, Opens, opened
from daemon.stage.step import TIME_KEY, time_of
from tests.alerts.test_rows import SAMPLES as OF_ALERTS
from tests.feeds.test_rows import SAMPLES as OF_POLLER
from tests.messages.samples import SAMPLES as MESSAGES
from tests.simulation.loop import SeededLoop, clocks_of
from tests.simulation.sense import make_sense
from tests.simulation.world import Kind as WorldKind
from tests.simulation.world import World

GOLDEN: Final = Path(__file__).parent / "golden" / "rows"
SEEN: Final = Sightings(revision=3, first_seen=1700000000.5, feeds={"one": {"title": "0f" * 8, "lead": ""}})
ROW: Final = Row("صحيفة.example", b"key", b"\x00\xff value", 1700000000.25)
Read = Callable[[bytes], object]


def _alerts_kind(kind: Kind[Any]) -> Read:
    return lambda stored: kind.read(Row("", b"key", stored))


def _poller_shape(shape: type[Any]) -> Read:
    return lambda stored: poller.decode(shape, stored)


READERS: Final[Mapping[str, Read]] = {
    **{name: _alerts_kind(kind) for name, (kind, _) in OF_ALERTS.items()},
    **{name: _poller_shape(type(sample)) for name, sample in OF_POLLER.items()},
    "enricher_article": read_sightings,
}
"""Kinds of rows whose bytes say their version."""
BARE: Final[Mapping[str, tuple[object, Read]]] = {
    "poller_turn": ("feed-ä", bytes.decode),
    "runner_time": (1700000000.25, lambda stored: time_of(Row("", TIME_KEY, stored))),
    "runner_opens": (Opens(7, 3, 1), lambda stored: opened(Row("", OPENS_KEY, stored), 7, excused=False)),
}
"""Kinds of rows that are one value and nothing else: what they say, and what reads them. A new format takes a new key."""


def names_kept() -> set[str]:
    return {path.stem for path in GOLDEN.glob("*/*")}


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def test_every_message_has_a_sample() -> None:
    """A kind of message that is added needs a sample, and with it (`tests/messages/test_wire.py`) golden bytes."""
    assert {type(sample) for sample in MESSAGES.values()} == set(get_args(AnyMessage))


def test_every_kind_of_row_is_kept() -> None:
    """A kind of row that is added anywhere needs golden bytes: its bytes are read by every later version."""
    kinds = {value.prefix for module in modules(alerts) for value in vars(module).values() if isinstance(value, Kind)}
    assert kinds == {kind.prefix for kind, _ in OF_ALERTS.values()}
    assert set(poller.T.__constraints__) == {type(sample) for sample in OF_POLLER.values()}
    own = {value for module in modules(daemon.stage) for value in vars(module).values() if _is_own_key(value)}
    assert {f"runner_{key[1:].decode()}" for key in own} == {name for name in BARE if name.startswith("runner_")}
    assert names_kept() == {*READERS, *BARE}


def _is_own_key(value: object) -> bool:
    return isinstance(value, bytes) and value[:1] == b"\0"


def name_of(group: str, key: bytes) -> str:
    """A row's kind as golden files are called."""
    if _is_own_key(key):
        return f"runner_{key[1:].decode()}"
    kind = key.replace(b"\x1f", b"/").partition(b"/")[0]
    return f"{group}_{kind.decode()}"


def test_the_pipeline_writes_no_other_rows() -> None:
    """Whatever rows the whole pipeline has between its crashes, their bytes are kept."""
    loop = SeededLoop(random.Random(5))
    world = World(5, WorldKind(steady=True), make_sense(), loop)
    met: set[str] = set()

    async def lives() -> None:
        for _ in range(10):
            world.press.write(world.now())
            process = world.start()
            await asyncio.sleep(world.chance.uniform(0.5, 90.0))
            process.kill()
            for topic in TOPICS.values():
                places = world.store.places(topic.group) if topic.group else ()
                met.update(name_of(str(topic.group), row.key) for place in places for row in place.rows.scan())

    with clocks_of(loop), asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(lives())
        loop.thaw_all()
    assert met <= names_kept()
    assert len(met) > 6


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/enricher_article.json")), ids=lambda path: path.parent.name)
def test_released_rows_of_the_enricher(path: Path) -> None:
    """They still say what they said; and what is written is read."""
    assert read_sightings(path.read_bytes()) == SEEN
    assert read_sightings(write_sightings(SEEN)) == SEEN


@pytest.mark.parametrize("name", sorted(BARE))
def test_released_bare_rows(name: str) -> None:
    """The bytes of rows without a version of their own still say what they said."""
    said, read = BARE[name]
    found = [read(path.read_bytes()) for path in GOLDEN.glob(f"*/{name}.json")]
    assert found
    assert set(found) == {said}


@pytest.mark.parametrize("path", sorted(GOLDEN.parent.glob("changelog/*")), ids=lambda path: path.name)
def test_released_entries_of_changelogs(path: Path) -> None:
    """Rows as Kafka keeps them still say what they said: lane, wake, value."""
    assert decode_row(ROW.key, path.read_bytes()) == ROW


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_newer_format_is_known_as_such(name: str) -> None:
    """Each hop tells a row of a newer version from a damaged one, whatever else has changed in it."""
    for newer in (b'{"v":2,"other":1}', b'{"v":10}') if name.startswith(("poller", "enricher")) else (b'2{"other":1}', b"10{}"):
        with pytest.raises(NewerRow, match=r"format (2|10) of a newer version of Rasid"):
            READERS[name](newer)


def test_a_newer_envelope_is_known_as_such() -> None:
    """The same for rows as Kafka keeps them."""
    stored = encode_row(ROW)
    with pytest.raises(NewerRow, match=r"the row b'key' has format 2 of a newer version"):
        decode_row(ROW.key, b"\x02" + stored[1:])
