"""Hands letters to an SMTP server, one connection and one recipient an attempt. 4xx is tried again, 5xx is dead."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from enum import StrEnum
from typing import Final

import aiosmtplib

from alerts.channels.base import Answer, SendReason, dead, delivered, retry
from alerts.channels.letter import Letters
from alerts.safe import clean, shorten
from daemon.clock import Clock
from daemon.config.models import Smtp
from daemon.messages.alert import Message

_STEP: Final = 20.0
_WHOLE: Final = 50.0
_PARTING: Final = 2.0
_HIDDEN: Final = "[secret]"
_ABOUT_LOGIN: Final = frozenset({530, 534, 535, 538})


class Stage(StrEnum):
    """How far a conversation with the server has come; from DATA on, losing it leaves a doubt."""

    CONNECT = "connect"
    LOGIN = "login"
    ENVELOPE = "envelope"
    DATA = "data"


@dataclass(slots=True)
class _Talk:
    stage: Stage = Stage.CONNECT


class Mail:
    """One recipient of one receiver: a retry never repeats a letter to those already served."""

    def __init__(self, recipient: Address, letters: Letters, smtp: Smtp, clock: Clock, tls: ssl.SSLContext) -> None:
        self._recipient = recipient
        self._letters = letters
        self._smtp = smtp
        self._clock = clock
        self._tls = tls

    async def send(self, message: Message, key: str) -> Answer:
        letter = self._letters.write(message, key, self._recipient, self._clock.now())
        talk = _Talk()
        client = aiosmtplib.SMTP(
            hostname=self._smtp.host,
            port=self._smtp.port,
            timeout=_STEP,
            use_tls=self._smtp.security == "tls",
            start_tls=self._smtp.security == "starttls",
            tls_context=None if self._smtp.security == "none" else self._tls,
        )
        try:
            async with asyncio.timeout(_WHOLE):
                sender = letter["From"].addresses[0].addr_spec
                return await self._converse(client, talk, sender, letter.as_bytes())
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return classify(error, talk.stage, self._smtp.password.get_secret_value())
        finally:
            client.close()

    async def _converse(self, client: aiosmtplib.SMTP, talk: _Talk, sender: str, letter: bytes) -> Answer:
        await client.connect()
        if self._smtp.username:
            talk.stage = Stage.LOGIN
            await client.login(self._smtp.username, self._smtp.password.get_secret_value())
        talk.stage = Stage.ENVELOPE
        await client.mail(sender)
        await client.rcpt(self._recipient.addr_spec)
        talk.stage = Stage.DATA
        response = await client.data(letter)
        with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            async with asyncio.timeout(_PARTING):
                await client.quit()
        return delivered(_detail(Stage.DATA, response.code, response.message, self._smtp.password.get_secret_value()))


def classify(error: Exception, stage: Stage, secret: str = "") -> Answer:
    """What an SMTP failure at `stage` means (RFC 5321, 4.2.1). Servers may echo: at login only the code is told.

    `secret` is blanked in what the server said later.
    """
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _answered(error, stage, secret)
    doubtful = stage is Stage.DATA
    detail = shorten(clean(": ".join((stage, type(error).__name__, *_system_words(error)))), 200)
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return retry(SendReason.TLS, detail, doubtful=doubtful)
    if isinstance(error, TimeoutError):
        return retry(SendReason.TIMED_OUT, detail, doubtful=doubtful)
    if isinstance(error, aiosmtplib.SMTPServerDisconnected) or not isinstance(error, aiosmtplib.SMTPException):
        return retry(SendReason.ANSWER_LOST if doubtful else SendReason.UNREACHABLE, detail, doubtful=doubtful)
    if isinstance(error, aiosmtplib.SMTPConnectError):
        return retry(SendReason.UNREACHABLE, detail)
    return retry(SendReason.LOGIN if stage is Stage.LOGIN else SendReason.UNEXPECTED_ANSWER, detail, doubtful=doubtful)


def _system_words(error: Exception) -> list[str]:
    """What the system said: the error's own words or, where the library wraps it, its cause's. They hold no secret."""
    said = [each.strerror for each in (error, error.__cause__) if isinstance(each, OSError) and each.strerror]
    return said[:1]


def _answered(error: aiosmtplib.SMTPResponseException, stage: Stage, secret: str) -> Answer:
    if stage is Stage.LOGIN or error.code in _ABOUT_LOGIN:
        return retry(SendReason.LOGIN, f"{stage}: {error.code}")
    detail = _detail(stage, error.code, error.message, secret)
    if stage is Stage.CONNECT or error.code < 500:
        return retry(SendReason.SERVER_ERROR, detail)
    return dead(SendReason.REFUSED, detail)


def _detail(stage: Stage, code: int, text: str, secret: str) -> str:
    said = text.replace(secret, _HIDDEN) if secret else text
    return shorten(clean(f"{stage}: {code} {said}").strip(), 200)
