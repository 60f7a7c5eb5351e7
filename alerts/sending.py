"""Performs attempts: one job, one channel, one answer. Decides nothing about when or how often; that is the sender's."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from alerts.channels.base import Answer, Channel, SendReason, dead, retry
from daemon.messages.alert import Delivery, Message

log = structlog.get_logger()

LONGEST: Final = 60.0
"""Seconds an attempt may take, whatever its channel does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One attempt to be made. `key` is the idempotency key, equal for repeats."""

    message: Message
    channel: str
    key: str
    attempt: int


class SendWorker:
    """Hands each job to its channel. `channels` are found by receiver and channel name, at the time of the attempt."""

    def __init__(self, channels: Mapping[tuple[str, str], Channel], longest: float = LONGEST) -> None:
        self._channels = channels
        self._longest = longest

    async def __call__(self, job: object) -> Answer:
        """Never raises for what a server does, nor for a fault in a channel."""
        if not isinstance(job, Job):
            raise TypeError(f"a sender's job, not {type(job).__name__}")
        answer = await self._attempt(job)
        if answer.outcome is not Delivery.DELIVERED:
            log.warning(
                "message_not_delivered",
                receiver=job.message.receiver,
                channel=job.channel,
                message=job.message.id,
                attempt=job.attempt,
                outcome=answer.outcome.value,
                reason=answer.reason.value,
                detail=answer.detail,
            )
        return answer

    async def _attempt(self, job: Job) -> Answer:
        channel = self._channels.get((job.message.receiver, job.channel))
        if channel is None:
            return dead(SendReason.NO_RECEIVER, "the receiver has no such channel any more")
        try:
            async with asyncio.timeout(self._longest):
                return await channel.send(job.message, job.key)
        except TimeoutError:
            return retry(SendReason.TIMED_OUT, "the channel did not end in time", doubtful=True)
        except Exception as error:  # noqa: BLE001 - the boundary of one attempt: a fault in a channel stops no other
            # Only the type is told: the text may hold an address or a password.
            return retry(SendReason.INTERNAL, type(error).__name__, doubtful=True)
