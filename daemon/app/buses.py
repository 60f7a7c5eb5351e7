"""Opens the configured bus, for the service or for a command beside it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from daemon.bus.base import Bus
from daemon.bus.embedded.bus import EmbeddedBus
from daemon.bus.embedded.whereabouts import stands
from daemon.bus.kafka.bus import KafkaBus
from daemon.clock import Clock
from daemon.config.models import Config, Retention
from daemon.errors import BusRefused, ConfigError, Problem
from daemon.metrics import Observe, count_nothing

BUS_FILE = "bus.sqlite"


class OpenBus(Bus, Protocol):
    """An engine that can say what ails it."""

    def trouble(self) -> str | None:
        """What is wrong, in one sentence, or None."""
        ...


def bus_file(config: Config, folder: Path) -> Path:
    """Where the embedded bus keeps its file."""
    return folder / config.data_dir / BUS_FILE


def embedded_file(config: Config, config_file: Path) -> Path:
    """Where the embedded bus keeps its file. Raises `ConfigError` when the bus is none."""
    if config.bus.kind != "embedded":
        reason = f"it is {config.bus.kind}; this command is for the embedded bus, Kafka's data is the brokers' to keep"
        raise ConfigError([Problem(file=str(config_file), key="bus.kind", reason=reason)])
    return bus_file(config, config_file.parent)


@asynccontextmanager
async def open_bus(config: Config, folder: Path, *, clock: Clock, service: bool, observe: Observe) -> AsyncIterator[OpenBus]:
    """The bus that `config` names; `folder` is what its paths are relative to. Raises `BusError`."""
    retention = _seconds(config.bus.retention)
    if config.bus.kind == "kafka" and config.bus.kafka is not None:
        async with KafkaBus(config.bus.kafka, clock=clock, observe=observe, retention=retention, folder=folder) as kafka:
            yield kafka
        return
    path = bus_file(config, folder)
    if not service and not stands(path):
        raise BusRefused("there is no bus here yet: `rasid run` makes it (is data_dir right?)", subject=str(path))
    bounds = {"max_bytes": config.bus.retention.max_bytes, "min_free": config.bus.embedded.min_free}
    async with EmbeddedBus(path, clock=clock, service=service, retention=retention, **bounds) as embedded:
        yield embedded


def open_beside(config: Config, folder: Path, clock: Clock) -> AbstractAsyncContextManager[OpenBus]:
    """The same for a command, beside the service or after it; nobody asks for its metrics. Raises `BusError`."""
    return open_bus(config, folder, clock=clock, service=False, observe=count_nothing)


def shortage(bus: OpenBus) -> str | None:
    """Why nothing more should be put onto the bus, or None. Space on the brokers is theirs to watch."""
    return bus.trouble() if isinstance(bus, EmbeddedBus) else None


def _seconds(retention: Retention) -> Mapping[str, float]:
    """By topic, as the topics are called."""
    said = retention.model_dump(by_alias=True)
    return {topic: seconds for topic, seconds in said.items() if topic != "max_bytes"}
