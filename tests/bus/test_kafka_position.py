"""What a broker may say when it is asked for a group's position."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupLoadInProgressError,
    NodeNotReadyError,
    NotCoordinatorForGroupError,
)
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v1, OffsetFetchResponse_v3

from daemon.bus.kafka.position import committed

PART = TopicPartition("articles.raw", 0)


class Coordinator:
    """Answers as it was told to, one after the other: stands in for aiokafka's."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.sought = 0

    async def ensure_coordinator_known(self) -> None:
        pass

    def coordinator_dead(self) -> None:
        self.sought += 1

    async def _send_req(self, request: OffsetFetchRequest) -> Any:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def whole(error: Any) -> Any:
    """An error of the whole answer: no partition is told of."""
    return OffsetFetchResponse_v3(0, [], error.errno)


def partial(offset: int, code: int = 0) -> Any:
    return OffsetFetchResponse_v3(0, [(PART.topic, [(PART.partition, offset, "", code)])], 0)


async def position(coordinator: Coordinator) -> int | None:
    return await committed(SimpleNamespace(_coordinator=coordinator), "enricher", PART)


@pytest.mark.parametrize(
    "first",
    [
        whole(GroupLoadInProgressError),
        whole(NotCoordinatorForGroupError),
        partial(-1, GroupLoadInProgressError.errno),
        NodeNotReadyError(),
    ],
)
async def test_what_passes_is_waited_for(first: Any) -> None:
    """A broker that still reads its positions, or is not the one to be asked, has not said that there is none."""
    coordinator = Coordinator(first, partial(25))
    assert await position(coordinator) == 25


async def test_another_coordinator_is_sought() -> None:
    """Where the broker is not the group's coordinator any more, it is not asked again."""
    coordinator = Coordinator(whole(NotCoordinatorForGroupError), partial(25))
    await position(coordinator)
    assert coordinator.sought == 1


@pytest.mark.parametrize("refusal", [whole(GroupAuthorizationFailedError), partial(-1, GroupAuthorizationFailedError.errno)])
async def test_what_stays_is_raised(refusal: Any) -> None:
    """An error that does not pass is no position either."""
    with pytest.raises(GroupAuthorizationFailedError):
        await position(Coordinator(refusal))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(partial(-1), None), (partial(0), 0), (OffsetFetchResponse_v1([(PART.topic, [(PART.partition, 7, "", 0)])]), 7)],
)
async def test_positions(answer: Any, expected: int | None) -> None:
    """A position, or that none was committed; also as older brokers say it."""
    assert await position(Coordinator(answer)) == expected
