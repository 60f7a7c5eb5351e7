"""The position a group has committed, asked for so that an error is never taken for “none”.

aiokafka's own `committed` looks at the error of each partition, not at that of the whole answer. A broker that has just become
the group's coordinator, and still reads its positions, gives one of that kind: aiokafka then says that nothing was committed,
and a whole partition would be done again.
"""
# ruff: noqa: SLF001

import asyncio
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, NoError, NotCoordinatorForGroupError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest

_PAUSE: Final = 0.05


async def committed(consumer: Any, group: str, partition: TopicPartition) -> int | None:
    """None: the group has never committed one. `consumer` is a member of it. Tries again, not bounded here, what may pass."""
    request = OffsetFetchRequest(group, [(partition.topic, [partition.partition])])
    coordinator = consumer._coordinator
    while True:
        try:
            await coordinator.ensure_coordinator_known()
            return _offset(await coordinator._send_req(request))
        except KafkaError as error:
            if not error.retriable:
                raise
            if isinstance(error, NotCoordinatorForGroupError):
                coordinator.coordinator_dead()
        await asyncio.sleep(_PAUSE)


def _offset(answer: Any) -> int | None:
    """Raises what the answer, or its one partition, says is wrong."""
    _check(getattr(answer, "error_code", NoError.errno))
    ((_, ((_, offset, _, code),)),) = answer.topics
    _check(code)
    return None if offset < 0 else int(offset)


def _check(code: int) -> None:
    if code != NoError.errno:
        raise for_code(code)
