"""Getting rid of aiokafka's clients, whatever state they are in and whether or not any broker answers.

Their own `stop` waits for brokers, for ever if one is frozen, and leaves tasks behind that connect again; so this reaches past
it, into names that are not public. aiokafka is pinned to one minor version for that.
"""
# ruff: noqa: SLF001

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, Final

import structlog
from aiokafka.errors import KafkaError

_PATIENCE: Final = 2.0
_TASKS: Final = ("_coordination_task", "_heartbeat_task", "_commit_refresh_task", "_reset_committed_task")
log = structlog.get_logger()


async def leave_group(consumer: Any) -> None:
    """As `stop_consumer`, and for good: a static member says so too, so that its partitions move at once."""
    if consumer._coordinator is not None:  # it got so far as to know a group
        # aiokafka tells the group only where there is no such name, and the group knows the member without it.
        consumer._coordinator._group_instance_id = None
    await stop_consumer(consumer)


async def stop_consumer(consumer: Any) -> None:
    """Leave the group in order (a static member keeps its place); drop everything when that takes long or is cancelled."""
    try:
        async with asyncio.timeout(_PATIENCE):
            await consumer.stop()
    except (TimeoutError, KafkaError) as error:
        log.debug("kafka_consumer_dropped", error=repr(error))
        await _drop(consumer)
    except asyncio.CancelledError:
        await _drop(consumer)
        raise


async def _drop(consumer: Any) -> None:
    fetcher = consumer._fetcher
    tasks = [getattr(consumer._coordinator, name, None) for name in _TASKS]
    if fetcher is not None:
        tasks += [fetcher._fetch_task, *fetcher._pending_tasks]
    await _cancel(task for task in tasks if task is not None)
    await _close(consumer._client)


async def stop_producer(producer: Any) -> None:
    """At once: what it was about to send is dropped, and an open transaction is left to its heir or to time."""
    producer._closed = True
    for future in _pending(producer):
        future.add_done_callback(retrieve)
    if producer._sender.sender_task is not None:
        await _cancel([producer._sender.sender_task])
    await _close(producer.client)


def ended_by(producer: Any) -> BaseException | None:
    """What a producer has broken by for good, or None."""
    task = producer._sender.sender_task
    return task.exception() if task is not None and task.done() and not task.cancelled() else None


async def stop_admin(admin: Any) -> None:
    await _close(admin)


def retrieve(future: "asyncio.Future[Any]") -> None:
    """A callback that marks a future's error as seen: somebody else reports it."""
    if not future.cancelled():
        future.exception()


def _pending(producer: Any) -> "Iterator[asyncio.Future[Any]]":
    """The futures nobody will look at any more, which would complain of that when they fail."""
    manager, accumulator = producer._txn_manager, producer._message_accumulator
    yield from filter(None, (manager._pid_waiter, manager._transaction_waiter))
    for batches in accumulator._batches.values():
        for batch in batches:
            yield from (batch.future, batch._drain_waiter)


async def _cancel(tasks: "Iterable[asyncio.Task[Any]]") -> None:
    """Cancelled once, these tasks go on to wait for requests they have sent; cancelled again, they give those up."""
    left = set(tasks)
    for task in left:
        task.add_done_callback(retrieve)
    for _ in range(20):
        left = {task for task in left if not task.done()}
        if not left:
            return
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.05)


async def _close(client: Any) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            await client.close()
    except (TimeoutError, KafkaError) as error:
        log.debug("kafka_connections_dropped", error=repr(error))
