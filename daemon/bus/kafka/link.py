"""Makes aiokafka's clients with the settings that held, and gets rid of them again, whatever state they are in."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from daemon.bus.kafka.stored import MESSAGE_BYTES
from daemon.bus.kafka.timing import Timing, milliseconds
from daemon.config.models import KafkaSettings
from daemon.errors import BusError

_DISCARD: Final = 2.0
log = structlog.get_logger()


class Link:
    """The way to one cluster: names, clients, and the tasks that clean up behind them."""

    def __init__(self, settings: KafkaSettings, timing: Timing, client_id: str) -> None:
        self.settings = settings
        self.timing = timing
        self._client_id = client_id
        self._cleaning: set[asyncio.Task[None]] = set()

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
        return AIOKafkaConsumer(**self._common(), **settled, **more)

    def producer(self, **more: Any) -> Any:
        return AIOKafkaProducer(
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

    def _common(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": list(self.settings.bootstrap_servers),
            "client_id": self._client_id,
            "request_timeout_ms": milliseconds(self.timing.request),
        }

    def discard(self, producer: Any) -> None:
        """Drop a producer in the background, without waiting for a broker."""
        self._clean(_discard(producer))

    def dismiss(self, consumer: Any) -> None:
        """Stop a consumer in the background."""
        self._clean(stop_consumer(consumer, _DISCARD))

    def _clean(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)

    async def settle(self) -> None:
        """Wait, bounded, for everything that was discarded."""
        if self._cleaning:
            await asyncio.wait(self._cleaning, timeout=_DISCARD + 1)
        for task in self._cleaning:
            task.cancel()


async def stop_consumer(consumer: Any, within: float) -> None:
    """Leave the group in order; when no broker answers in time, just drop the connections."""
    try:
        async with asyncio.timeout(within):
            await consumer.stop()
    except (TimeoutError, KafkaError) as error:
        log.debug("kafka_consumer_dropped", error=repr(error))
        # `stop` gave up before it came to these; there is no public way to them.
        for part in (consumer._fetcher, consumer._client):  # noqa: SLF001
            with contextlib.suppress(TimeoutError, KafkaError, asyncio.CancelledError):
                if part is not None:
                    async with asyncio.timeout(within):
                        await part.close()


async def _discard(producer: Any) -> None:
    """The `stop` of aiokafka flushes first and may wait for ever for a frozen broker; so reach past it."""
    producer._closed = True  # noqa: SLF001
    sender = producer._sender.sender_task  # noqa: SLF001
    for future in _pending(producer):
        future.add_done_callback(retrieve)
    with contextlib.suppress(TimeoutError, KafkaError):
        async with asyncio.timeout(_DISCARD):
            await producer.client.close()
    # Cancelled once, the sender goes on to wait for its requests; cancelled again, it gives those up.
    for _ in range(20):
        if sender is None or sender.done():
            break
        sender.cancel()
        await asyncio.wait({sender}, timeout=0.05)


def _pending(producer: Any) -> "Iterator[asyncio.Future[Any]]":
    """The futures nobody will look at any more, which would complain of that when they fail."""
    manager, accumulator = producer._txn_manager, producer._message_accumulator  # noqa: SLF001
    yield from filter(None, (manager._pid_waiter, manager._transaction_waiter))  # noqa: SLF001
    for batches in accumulator._batches.values():  # noqa: SLF001
        for batch in batches:
            yield from (batch.future, batch._drain_waiter)  # noqa: SLF001


def retrieve(future: "asyncio.Future[Any]") -> None:
    """A callback that marks a future's error as seen: somebody else reports it."""
    if not future.cancelled():
        future.exception()


def translated(error: BaseException, doing: str, subject: str) -> BusError:
    """What aiokafka raises, or a time-out, as a `BusError` to be raised from it."""
    if isinstance(error, BusError):
        return error
    if isinstance(error, TimeoutError):
        return BusError(f"{doing}: no answer in time", subject=subject)
    return BusError(f"{doing}: {type(error).__name__}: {error}".rstrip(": "), subject=subject)
