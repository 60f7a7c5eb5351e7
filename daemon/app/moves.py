"""Moves everything from the bus of one configuration to that of another, or the embedded bus to another partition count."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from daemon.app.buses import bus_file, open_bus
from daemon.bus.embedded import moving as embedded
from daemon.bus.embedded.backup import aside_of, check_whole, locked, part_of, put_in_place, translated
from daemon.bus.embedded.whereabouts import stands
from daemon.bus.kafka import moving as kafka
from daemon.bus.move import Goal, Move, Moved, Origin, Tell
from daemon.bus.topics import TOPICS, Topic
from daemon.clock import Clock
from daemon.config.models import Config, KafkaSettings
from daemon.errors import BusRefused
from daemon.metrics import count_nothing
from daemon.stage.moving import moved

_ALL: Final[Sequence[Topic]] = tuple(TOPICS.values())


@dataclass(frozen=True, slots=True)
class Place:
    """The bus of one configuration; `folder` is what its paths are relative to."""

    config: Config
    folder: Path

    @property
    def file(self) -> Path | None:
        """Where the bus is embedded."""
        return None if self.kafka else bus_file(self.config, self.folder).resolve()

    @property
    def kafka(self) -> KafkaSettings | None:
        return self.config.bus.kafka if self.config.bus.kind == "kafka" else None


async def move(old: Place, new: Place, partitions: int | None, clock: Clock, tell: Tell) -> tuple[Moved, Path | None]:
    """Returns what was moved, and what the old file is called now where the new one took its place.

    `partitions` is for a new embedded file. Raises `BusRefused` while a service runs on either, and when there is a bus
    where this one shall go; `BusError`. The old bus is left as it is; an embedded new one appears only when it is whole.
    """
    async with AsyncExitStack() as stack:
        for file in {place.file for place in (old, new) if place.file is not None}:
            stack.enter_context(locked(file))
        if new.kafka is not None:
            async with _origin(old, clock) as origin, _goal(new, new.kafka, clock) as goal:
                return await Move(origin, goal, moved, tell).run(_ALL), None
        path = bus_file(new.config, new.folder).resolve()
        if path != old.file and stands(path):
            raise BusRefused("there is a bus already; move to an empty data_dir", subject=str(path))
        aside = aside_of(path, clock.now())
        with translated(path), part_of(path) as part:
            async with _origin(old, clock) as origin:
                with embedded.open_goal(part, path, partitions) as file_goal:
                    done = await Move(origin, file_goal, moved, tell).run(_ALL)
            check_whole(part, path, tell)
            return done, put_in_place(part, path, aside)


@asynccontextmanager
async def _origin(place: Place, clock: Clock) -> AsyncIterator[Origin]:
    if place.kafka is not None:
        async with kafka.open_origin(place.kafka, place.folder, _ALL, clock) as store:
            yield store
    elif place.file is not None:
        with embedded.open_origin(place.file) as origin:
            yield origin


@asynccontextmanager
async def _goal(place: Place, settings: KafkaSettings, clock: Clock) -> AsyncIterator[Goal]:
    """The engine itself makes the topics, or says what is wrong with them."""
    async with open_bus(place.config, place.folder, clock=clock, service=True, observe=count_nothing) as bus:
        if trouble := bus.trouble():
            raise BusRefused(trouble)
        async with kafka.open_goal(settings, place.folder, _ALL, clock) as store:
            yield store
