"""Listeners of a test broker that demand TLS, a login, or both, beside the plain one that brokers use among themselves."""

import hashlib
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.servers.certificates import Authority

PROTOCOLS: Final = ("SSL", "SASL_SSL", "SASL_PLAINTEXT")
_SCRAM: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_PLAIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"


@dataclass(frozen=True, slots=True)
class Security:
    """Who signs the brokers' certificate, and the one user: by SCRAM-SHA-512, and over `SASL_PLAINTEXT` by PLAIN too."""

    authority: Authority
    user: str
    password: str

    def listeners(self, ports: Mapping[str, int]) -> str:
        """For `listeners` and `advertised.listeners`, behind others."""
        return "".join(f",{protocol}://127.0.0.1:{port}" for protocol, port in ports.items())

    def properties(self, home: Path) -> Sequence[str]:
        """For `server.properties`; the certificate goes into `home`, in PEM, so no keystore of Java's is needed."""
        sasl = "listener.name.sasl"
        return (
            "ssl.keystore.type=PEM",
            f"ssl.keystore.location={self.authority.write_server(home / 'server.pem')}",
            f"{sasl}_ssl.sasl.enabled.mechanisms=SCRAM-SHA-512",
            f"{sasl}_ssl.scram-sha-512.sasl.jaas.config={_SCRAM}",
            f"{sasl}_plaintext.sasl.enabled.mechanisms=PLAIN",
            f'{sasl}_plaintext.plain.sasl.jaas.config={_PLAIN} user_{self.user}="{self.password}";',
        )

    def users(self) -> Sequence[str]:
        """For formatting the first node's storage."""
        return ("--add-scram", f"SCRAM-SHA-512=[name={self.user},password={self.password}]")


def scram_request(user: str, password: str) -> bytes:
    """An AlterUserScramCredentials request (version 0) that makes one user for SCRAM-SHA-512."""
    head, iterations, salt = struct.pack(">hhihx", 51, 0, 1, -1), 4096, os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)
    upsertion = _counted(user.encode()) + struct.pack(">bi", 2, iterations) + _counted(salt) + _counted(salted) + b"\0"
    return head + b"\1" + b"\2" + upsertion + b"\0"


def _counted(short: bytes) -> bytes:
    """A compact string or bytes of fewer than 127 bytes."""
    return bytes([len(short) + 1]) + short
