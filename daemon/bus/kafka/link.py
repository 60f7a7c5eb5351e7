"""Makes aiokafka's clients with the settings that held, and gets rid of them again, whatever state they are in."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError

from daemon.bus.base import CLOSE_WITHIN
from daemon.bus.kafka.discard import retrieve
from daemon.bus.kafka.security import access, refusal
from daemon.bus.kafka.stored import MESSAGE_BYTES
from daemon.bus.kafka.timing import Timing, milliseconds
from daemon.config.models import KafkaSettings
from daemon.errors import BusError

_DROP: Final = 0.5
"""Seconds for what was to leave in order to drop its connections instead."""


class Link:
    """The way to one cluster: names, clients, and the tasks that clean up behind them."""

    def __init__(self, settings: KafkaSettings, timing: Timing, client_id: str, folder: Path) -> None:
        """Raises `ConfigError`. `folder` is what paths in `settings` are relative to."""
        self.settings = settings
        self.timing = timing
        self._client_id = client_id
        self._access = access(settings, folder)
        self._starting: dict[Any, asyncio.Task[None]] = {}
        self._cleaning: set[asyncio.Task[None]] = set()
        self._producers: WeakSet[Any] = WeakSet()

    @property
    def address(self) -> str:
        return ", ".join(self.settings.bootstrap_servers)

    def named(self, name: str) -> str:
        """A topic's or group's full name."""
        return self.settings.topic_prefix + name

    def admin(self) -> Any:
        return AIOKafkaAdminClient(**self._common())

    def consumer(self, **more: Any) -> Any:
        """Reads only what has committed, from where it is told: a reset by itself would skip records in silence."""
        settled = {"isolation_level": "read_committed", "auto_offset_reset": "none", "enable_auto_commit": False}
        return AIOKafkaConsumer(**self._common(), **settled | more)

    def producer(self, **more: Any) -> Any:
        producer = AIOKafkaProducer(
            **self._common(),
            enable_idempotence=True,
            acks="all",
            compression_type="zstd",
            max_request_size=MESSAGE_BYTES,
            max_batch_size=262144,
            linger_ms=5,
            retry_backoff_ms=50,
            **more,
        )
        self._producers.add(producer)
        return producer

    def look_again(self) -> None:
        """Brokers have come or gone: every producer learns it now, and not when its next record waits for one that is gone."""
        for producer in self._producers:
            producer.client.force_metadata_update()

    def _common(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": list(self.settings.bootstrap_servers),
            "client_id": self._client_id,
            "request_timeout_ms": milliseconds(self.timing.request),
            **self._access,
        }

    async def refusal(self) -> str | None:
        """Why a broker does not let us in, in one sentence, or None: one does, or none is there at all."""
        return await refusal(self.settings, self._access, milliseconds(self.timing.request))

    async def start(self, client: Any) -> None:
        """Start a client of ours. Cancelled half way, aiokafka would leave its first connection open: so it never is."""
        starting = asyncio.create_task(client.start())
        self._starting[client] = starting
        try:
            await asyncio.shield(starting)
        except KafkaConnectionError as error:
            if reason := await self.refusal():
                raise BusError(reason) from error
            raise
        finally:
            if starting.done():
                del self._starting[client]

    def discard(self, client: Any, stop: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
        """Get rid of a client in the background, by one of `daemon.bus.kafka.discard`."""
        task = asyncio.create_task(self._discard(client, stop))
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)

    async def _discard(self, client: Any, stop: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
        """Cancelled, it waits for nothing in order any more, but still takes the client apart."""
        starting = self._starting.pop(client, None)
        try:
            if starting is not None:
                starting.add_done_callback(retrieve)
                await asyncio.wait({starting}, timeout=self.timing.request)
                await broken_off([starting], self.timing.request)
        finally:
            await stop(client)

    async def settle(self, within: float = CLOSE_WITHIN) -> None:
        """Wait, bounded, for everything that was discarded."""
        if self._cleaning:
            await asyncio.wait(self._cleaning, timeout=within - _DROP)
        await broken_off(self._cleaning, _DROP)


async def broken_off(tasks: Iterable["asyncio.Task[Any]"], within: float) -> None:
    """Cancel those that still run, and wait a little, but not for one that goes on all the same."""
    tasks = list(tasks)
    for task in tasks:
        task.add_done_callback(retrieve)
        task.cancel()
    left = {task for task in tasks if not task.done()}
    if left:
        await asyncio.wait(left, timeout=within)


def translated(error: BaseException, doing: str, subject: str) -> BusError:
    """What aiokafka raises, or a time-out, as a `BusError` to be raised from it."""
    if isinstance(error, BusError):
        return error
    if isinstance(error, TimeoutError):
        reason = "no answer in time"
    elif isinstance(error, KafkaConnectionError | OSError):
        reason = "no broker can be reached"
    else:
        name = type(error).__name__
        reason = f"{name}: {str(error).removeprefix(f'{name}: ')}".removesuffix(": ")
    return BusError(f"{doing}: {reason}", subject=subject)


@contextmanager
def edge(doing: str, subject: str) -> Iterator[None]:
    """The edge to aiokafka: what it raises comes out as a `BusError`, what is one already as it is."""
    try:
        yield
    except BusError:
        raise
    except Exception as error:  # it raises anything, an AttributeError where the cluster has no controller yet
        raise translated(error, doing, subject) from error
