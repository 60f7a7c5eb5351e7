"""Opens the configured bus, for the service or for a command beside it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from daemon.bus.base import Bus
from daemon.bus.embedded.bus import EmbeddedBus
from daemon.bus.kafka.bus import KafkaBus
from daemon.clock import Clock
from daemon.config.models import Config, Retention
from daemon.metrics import Observe

BUS_FILE = "bus.sqlite"


class OpenBus(Bus, Protocol):
    """An engine that can say how it is doing."""

    def healthy(self) -> str | None:
        """What is wrong, in one sentence, or None."""
        ...


def bus_file(config: Config, folder: Path) -> Path:
    """Where the embedded bus keeps its file."""
    return folder / config.data_dir / BUS_FILE


@asynccontextmanager
async def open_bus(config: Config, folder: Path, *, clock: Clock, service: bool, observe: Observe) -> AsyncIterator[OpenBus]:
    """The bus that `config` names; `folder` is what its paths are relative to. Raises `BusError`."""
    retention = _seconds(config.bus.retention)
    if config.bus.kind == "kafka" and config.bus.kafka is not None:
        async with KafkaBus(config.bus.kafka, clock=clock, observe=observe, retention=retention, folder=folder) as kafka:
            yield kafka
        return
    path = bus_file(config, folder)
    limit = config.bus.retention.max_bytes
    async with EmbeddedBus(path, clock=clock, service=service, retention=retention, max_bytes=limit) as embedded:
        yield embedded


def _seconds(retention: Retention) -> Mapping[str, float]:
    """By topic, as the topics are called."""
    said = retention.model_dump(by_alias=True)
    return {topic: seconds for topic, seconds in said.items() if topic != "max_bytes"}
