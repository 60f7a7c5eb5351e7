"""What a channel is: one way out to one place, and the answer every way out gives. No retries, no state, no bus."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from daemon.messages.alert import Delivery, Message


class SendReason(StrEnum):
    """Why an attempt, or a message, ended as it did: journal entry, log field and answer to `send-test` in one."""

    ACCEPTED = "accepted"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    LOGIN = "login"
    TIMED_OUT = "timed_out"
    ANSWER_LOST = "answer_lost"
    UNEXPECTED_ANSWER = "unexpected_answer"
    UNWRITABLE = "unwritable"
    REFUSED = "refused"
    GONE = "gone"
    BAD_ADDRESS = "bad_address"
    INTERRUPTED = "interrupted"
    NEWER_VERSION = "newer_version"
    GAVE_UP = "gave_up"
    NO_RECEIVER = "no_receiver"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one attempt.

    `outcome` is DELIVERED, RETRY (later may be better) or DEAD (this message never will be). `after`: seconds the
    receiver asked us to wait, None when it did not say. `doubtful`: the receiver may have the message although we do
    not know it. `detail` is for people, at most 200 characters, and never holds a secret.
    """

    outcome: Delivery
    reason: SendReason
    detail: str = ""
    after: float | None = None
    doubtful: bool = False


def delivered(detail: str = "") -> Answer:
    return Answer(outcome=Delivery.DELIVERED, reason=SendReason.ACCEPTED, detail=detail)


def retry(reason: SendReason, detail: str = "", *, after: float | None = None, doubtful: bool = False) -> Answer:
    return Answer(outcome=Delivery.RETRY, reason=reason, detail=detail, after=after, doubtful=doubtful)


def dead(reason: SendReason, detail: str = "") -> Answer:
    return Answer(outcome=Delivery.DEAD, reason=reason, detail=detail)


class Channel(Protocol):
    """One channel of one receiver. Holds what reaching it takes, and nothing about messages sent before."""

    async def send(self, message: Message, key: str) -> Answer:
        """Try once to hand the message over, within 60 s, and say what came of it.

        `key` is the idempotency key: equal for repeats of one version of one message, and passed on where the
        receiver can use it. Never raises for what a server does. Cancelling abandons the attempt.
        """
        ...
