"""What one node of a cluster is told about itself and the others: its ports and its `server.properties`."""

import contextlib
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.kafka_jars import HERE
from tests.servers.kafka_security import PROTOCOLS, Security


@dataclass(frozen=True, slots=True)
class Ports:
    """`plain` is for brokers among themselves, and for clients where there is no front."""

    plain: int
    controller: int
    front: int
    secured: Mapping[str, int]


def choose_ports(nodes: int) -> dict[int, Ports]:
    """Free ports of the system's choice, by node. Brokers cannot take them over open, so in theory another may be faster."""
    chosen = iter(_free_ports((3 + len(PROTOCOLS)) * nodes))
    return {
        node: Ports(next(chosen), next(chosen), next(chosen), {each: next(chosen) for each in PROTOCOLS})
        for node in range(1, nodes + 1)
    }


@dataclass(frozen=True, slots=True)
class Plan:
    """A cluster's nodes. `fronts`: by node, the port where clients are told to find it, which is somebody else's."""

    ports: Mapping[int, Ports]
    fronts: Mapping[int, int]
    security: Security | None
    properties: Sequence[str]

    def settings(self, node: int, home: Path) -> str:
        replication = min(3, len(self.ports))
        own = self.ports[node]
        secured = self.security.listeners(own.secured) if self.security else ""
        front = self.fronts.get(node)
        extra = [*self.properties, *(self.security.properties(home) if self.security else ())]
        return (
            (HERE / "server.properties")
            .read_text("utf-8")
            .format(
                node=node,
                port=own.plain,
                controller_port=own.controller,
                voters=",".join(f"{other}@127.0.0.1:{its.controller}" for other, its in self.ports.items()),
                folder=home,
                replication=replication,
                in_sync=2 if replication == 3 else 1,
                listeners=secured + (f",FRONT://127.0.0.1:{own.front}" if front else ""),
                advertised=secured + (f",FRONT://127.0.0.1:{front}" if front else ""),
                extra="\n".join(extra),
            )
        )


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
