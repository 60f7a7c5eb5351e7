"""A Kafka of a fault test's own: brokers, the network between them and their clients, and workers who have it for a bus.

workers ─▶ Proxy of node n ─▶ node n        brokers among themselves go past the proxies
"""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from daemon.config.models import KafkaSettings
from tests.e2e.workplace import write
from tests.faults.ledger import WATCHLIST, Ledger
from tests.faults.proxy import Proxy
from tests.servers.kafka import Cluster

PARTITIONS: Final = 3
_AS_SHIPPED: Final = ("broker.session.timeout.ms=9000", "broker.heartbeat.interval.ms=2000")
"""Kafka's own: how long a cluster takes to miss a broker belongs to what is measured. Other tests are in a hurry."""


@dataclass(frozen=True, slots=True)
class Brokers:
    """`network`: by node, what leads clients to it; empty where they go there directly."""

    cluster: Cluster
    network: Mapping[int, Proxy]
    prefix: str

    def settings(self) -> KafkaSettings:
        nodes = len(self.cluster.nodes)
        return KafkaSettings(
            bootstrap_servers=self.cluster.bootstrap_servers,
            topic_prefix=self.prefix,
            partitions=PARTITIONS,
            replication_factor=min(3, nodes),
        )

    def coordinator(self, hop: str) -> int:
        """The node that coordinates a hop's group."""
        return self.cluster.coordinator(self.prefix + hop)


@asynccontextmanager
async def brokers(nodes: int, *, fronted: bool = False) -> AsyncIterator[Brokers]:
    """`fronted`: with a network that can go bad. Starting them takes its time, in which nothing else of this loop runs."""
    async with AsyncExitStack() as stack:
        numbers = range(1, nodes + 1) if fronted else ()
        network = {node: await stack.enter_async_context(Proxy()) for node in numbers}
        fronts = {node: proxy.port for node, proxy in network.items()}
        cluster = stack.enter_context(Cluster(nodes, fronts=fronts, properties=_AS_SHIPPED))
        for node, proxy in network.items():
            proxy.target = cluster.behind(node)
        yield Brokers(cluster, network, f"f{uuid.uuid4().hex[:12]}.")


def workers(
    folder: Path, ledger: Ledger, kafka: KafkaSettings, count: int = 3, *, named: bool = True
) -> Mapping[str, Sequence[str]]:
    """So many processes with all roles on one folder, for `staged`; each with an instance name if `named`."""
    write(folder, WATCHLIST, [ledger.feed()], ledger.sink.url, kafka=kafka)
    names = [f"worker-{number}" for number in range(1, count + 1)]
    return {name: _own(folder, name) if named else () for name in names}


def _own(folder: Path, name: str) -> Sequence[str]:
    """The arguments of a worker that has a configuration of its own, which differs in its name."""
    config = yaml.safe_load((folder / "config.yaml").read_text("utf-8"))
    config["bus"]["kafka"]["instance"] = name
    own = folder / f"{name}.yaml"
    own.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), "utf-8")
    return ("--config", str(own))
