"""The few requests of Kafka's protocol that a cluster of the tests' own asks for itself, so that it needs no client."""

import socket
import struct
from typing import Final

_NOBODY: Final = -1


def ask(port: int, request: bytes, within: float) -> bytes:
    """The answer to one request, header and all but its length; empty when the broker hung up. Raises `OSError`."""
    with socket.create_connection(("127.0.0.1", port), within) as connection, connection.makefile("rb") as answer:
        connection.sendall(struct.pack(">i", len(request)) + request)
        length = answer.read(4)
        return answer.read(*struct.unpack(">i", length)) if len(length) == 4 else b""


def brokers_known(port: int) -> int:
    """How many live brokers the one at `port` lists; 0 while it does not answer: a metadata request (version 1, no topics)."""
    try:
        answer = ask(port, struct.pack(">hhih", 3, 1, 0, -1) + struct.pack(">i", 0), 0.5)
    except OSError:
        return 0
    return int(struct.unpack(">i", answer[4:8])[0]) if len(answer) >= 8 else 0


def coordinator_of(port: int, group: str) -> int:
    """The node that coordinates a group, as the broker at `port` has it, or -1: a FindCoordinator request (version 0)."""
    name = group.encode()
    answer = ask(port, struct.pack(">hhih", 10, 0, 0, -1) + struct.pack(">h", len(name)) + name, 5.0)
    error, node = struct.unpack(">hi", answer[4:10]) if len(answer) >= 10 else (1, _NOBODY)
    return _NOBODY if error else int(node)
