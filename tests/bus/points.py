"""Chosen points inside a transaction of aiokafka's, where a test may hold a commit up or end its process."""

from collections.abc import Awaitable, Callable
from typing import Any

from daemon.bus.base import Lease
from daemon.bus.kafka.lease import KafkaLease

POINTS = ("begun", "sending", "sent", "offsets", "committed")
"""Behind `begin_transaction`; behind the first `send`; all are stored; position sent too; committed, and nobody told."""
Act = Callable[[], Awaitable[None]]


def producer_of(lease: Lease) -> Any:
    """The library's own."""
    assert isinstance(lease, KafkaLease)
    return lease._opened.producer._producer


def at(lease: Lease, point: str, act: Act) -> None:
    """Have every commit of this lease do `act` when it comes to a point."""
    producer = producer_of(lease)
    method, before = {
        "begun": ("begin_transaction", False),
        "sending": ("send", False),
        "sent": ("send_offsets_to_transaction", True),
        "offsets": ("commit_transaction", True),
        "committed": ("commit_transaction", False),
    }[point]
    setattr(producer, method, _with(getattr(producer, method), act, before=before))


def _with(call: Callable[..., Awaitable[Any]], act: Act, *, before: bool) -> Callable[..., Awaitable[Any]]:
    async def acting(*args: Any, **kwargs: Any) -> Any:
        if before:
            await act()
        result = await call(*args, **kwargs)
        if not before:
            await act()
        return result

    return acting
