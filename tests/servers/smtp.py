"""A mail server on aiosmtpd: STARTTLS, TLS or neither, with or without a login, answering as scripted, keeping the letters."""

import asyncio
import ssl
import warnings
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

DROP = "drop"
"""Scripted in place of an answer: take the letter, then break the connection."""


class MailServer:
    """Listens on 127.0.0.1. `answers[stage]` are the next answers at `RCPT` or `DATA`; without any: accepted."""

    def __init__(
        self, tls: ssl.SSLContext | None = None, *, implicit: bool = False, login: tuple[str, str] | None = None
    ) -> None:
        self._tls = tls
        self._implicit = implicit
        self._login = login
        self._protocols: list[SMTP] = []
        self.answers: dict[str, list[str]] = {"RCPT": [], "DATA": []}
        self.letters: list[tuple[str, EmailMessage]] = []
        self.sources: list[bytes] = []
        self.port = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        tls = self._tls if self._implicit else None
        self._server = await loop.create_server(self._protocol, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for protocol in self._protocols:
            _abort(protocol)
        await self._server.wait_closed()

    def _protocol(self) -> SMTP:
        with warnings.catch_warnings():
            # aiosmtpd warns of logins without TLS; it knows STARTTLS only, and a test asks for the other two forms, too.
            warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS", UserWarning)
            protocol = SMTP(
                self,
                hostname="mail.test",
                tls_context=None if self._implicit else self._tls,
                require_starttls=self._tls is not None and not self._implicit,
                auth_required=self._login is not None,
                auth_require_tls=False,
                authenticator=self._authenticate,
                enable_SMTPUTF8=True,
                loop=asyncio.get_running_loop(),
            )
        self._protocols.append(protocol)
        return protocol

    def _authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        sound = self._login is not None and (data.login.decode(), data.password.decode()) == self._login
        return AuthResult(success=sound, handled=sound)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds its hooks by these names
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.answers["RCPT"]:
            return self.answers["RCPT"].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - see above
        answer = self.answers["DATA"].pop(0) if self.answers["DATA"] else "250 queued"
        if answer == DROP or answer.startswith("250"):
            source = bytes(envelope.original_content or b"")
            letter = message_from_bytes(source, policy=default)
            self.sources.append(source)
            self.letters.extend((recipient, letter) for recipient in envelope.rcpt_tos)
        if answer == DROP:
            _abort(server)
        return answer


def _abort(protocol: SMTP) -> None:
    if isinstance(protocol.transport, asyncio.WriteTransport):
        protocol.transport.abort()
