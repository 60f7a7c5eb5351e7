"""From configured receivers to channels: which there are, and the objects that reach them.

A mail channel is one channel a recipient (`mail:desk@example.org`): each has its own attempts.
"""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import aiohttp

from alerts.channels.base import Channel
from alerts.channels.console import Console
from alerts.channels.letter import Letters
from alerts.channels.mail import Mail
from alerts.channels.slack import SlackWebhook
from alerts.channels.webhook import Webhook
from daemon.clock import Clock
from daemon.config.models import MailChannel, Receiver
from daemon.config.receivers import read_address, read_keys
from daemon.config.trust import trusting


def channel_names(receivers: Sequence[Receiver]) -> dict[str, tuple[str, ...]]:
    """The names of each receiver's channels, in a fixed order. A name's part before `:` is its kind."""
    return {receiver.name: tuple(_names(receiver)) for receiver in receivers}


def _names(receiver: Receiver) -> Iterator[str]:
    for kind in ("console", "slack"):
        if getattr(receiver, kind) is not None:
            yield kind
    if receiver.mail is not None:
        yield from dict.fromkeys(f"mail:{read_address(to).addr_spec}" for to in receiver.mail.to)
    if receiver.webhook is not None:
        yield "webhook"


@dataclass(frozen=True, slots=True)
class Outside:
    """What channels share: the one HTTP session, where the console prints, the time, and where `ca_file` is looked for."""

    session: aiohttp.ClientSession
    stream: TextIO
    clock: Clock
    folder: Path


def build_channels(receivers: Sequence[Receiver], outside: Outside) -> Mapping[tuple[str, str], Channel]:
    """Every channel by receiver and channel name. Raises `ConfigError` for a `ca_file` that cannot be used."""
    screen = Console(outside.stream)
    built: dict[tuple[str, str], Channel] = {}
    for receiver in receivers:
        if receiver.console is not None:
            built[receiver.name, "console"] = screen
        if receiver.slack is not None:
            built[receiver.name, "slack"] = SlackWebhook(
                receiver.slack.webhook_url.get_secret_value(),
                outside.session,
                outside.clock,
                tls=_trust(receiver.slack.ca_file, receiver, outside),
            )
        if receiver.mail is not None:
            built |= {(receiver.name, name): mail for name, mail in _mails(receiver.mail, receiver, outside)}
        if receiver.webhook is not None:
            built[receiver.name, "webhook"] = _webhook(receiver, outside)
    return built


def _mails(settings: MailChannel, receiver: Receiver, outside: Outside) -> Iterator[tuple[str, Mail]]:
    tls = _trust(settings.smtp.ca_file, receiver, outside) or trusting(None)
    letters = Letters(read_address(settings.from_))
    for recipient in map(read_address, settings.to):
        yield f"mail:{recipient.addr_spec}", Mail(recipient, letters, settings.smtp, outside.clock, tls)


def _webhook(receiver: Receiver, outside: Outside) -> Webhook:
    if receiver.webhook is None:
        raise AssertionError("asked for a webhook that is not configured")
    secret = receiver.webhook.secret
    keys = read_keys(secret.get_secret_value()) if secret is not None else ()
    tls = _trust(receiver.webhook.ca_file, receiver, outside)
    return Webhook(receiver.webhook.url.get_secret_value(), outside.session, outside.clock, keys=keys, tls=tls)


def _trust(ca_file: Path | None, receiver: Receiver, outside: Outside) -> ssl.SSLContext | None:
    """None for what the session trusts already."""
    return None if ca_file is None else trusting(outside.folder / ca_file, key=f"receiver {receiver.name}")
