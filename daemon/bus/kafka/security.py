"""How clients get in: what aiokafka is told of TLS and login, and, when a broker does not let us in, why in one sentence.

aiokafka itself only says that nobody could be reached, whatever the reason. No sentence holds the password.
"""

import ssl
from pathlib import Path
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import IllegalSaslStateError, KafkaConnectionError, SaslAuthenticationFailed, UnsupportedSaslMechanismError
from aiokafka.protocol.metadata import MetadataRequest

from daemon.config.models import KafkaSettings
from daemon.config.trust import trusting


def access(settings: KafkaSettings, folder: Path) -> dict[str, Any]:
    """What every client of aiokafka is made with. `folder` is what `ca_file` is relative to. Raises `ConfigError`."""
    security = settings.security
    if security is None:
        return {}
    found: dict[str, Any] = {"security_protocol": security.protocol}
    if security.protocol.endswith("SSL"):
        found["ssl_context"] = trusting(None if security.ca_file is None else folder / security.ca_file)
    if security.mechanism is not None:
        found["sasl_mechanism"] = security.mechanism
        found["sasl_plain_username"] = security.username
        found["sasl_plain_password"] = security.password.get_secret_value()
    return found


async def refusal(settings: KafkaSettings, access: dict[str, Any], patience_ms: int) -> str | None:
    """Why a broker does not let us in, or None: one does, or none is there at all. Bounded by `patience_ms` a server."""
    for host, port, _ in collect_hosts(list(settings.bootstrap_servers)):
        try:
            await _knock(host, port, request_timeout_ms=patience_ms, **access)
        except Exception as error:  # noqa: BLE001 - the edge to aiokafka; what cannot be told is left to its own words
            if reason := _reason(error, settings):
                return f"{host}:{port}: {reason}"
        else:
            return None
    return None


async def _knock(host: str, port: int, **access: Any) -> None:
    connection = await create_conn(host, port, **access)
    try:
        # A listener that wants a login answers the first request of all without one, but not the next.
        await connection.send(MetadataRequest([]))
    finally:
        await connection.close()


def _reason(error: Exception, settings: KafkaSettings) -> str | None:
    security = settings.security
    protocol = security.protocol if security else "PLAINTEXT"
    mechanism, user = (security.mechanism, security.username) if security else (None, "")
    match error:
        case SaslAuthenticationFailed():
            return f"the broker refuses the login of user {user!r} by {mechanism}: no such user, or another password"
        case UnsupportedSaslMechanismError():
            return f"the broker does not offer {mechanism} (bus.kafka.security.mechanism)"
        case IllegalSaslStateError():
            return f"the broker wants no login there, but bus.kafka.security.protocol is {protocol}"
        case ssl.SSLCertVerificationError():
            return f"the broker's certificate is not trusted: {error.verify_message} (bus.kafka.security.ca_file)"
        case ssl.SSLError() | ConnectionResetError() | KafkaConnectionError():
            wanted = "no TLS" if protocol.endswith("SSL") else "TLS, or a login"
            return (
                f"the broker breaks the connection off: perhaps it wants {wanted} (bus.kafka.security.protocol is {protocol})"
            )
        case _:
            return None
