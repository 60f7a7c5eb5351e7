"""Faults of brokers, and of the network between them and their clients."""

import asyncio
from dataclasses import dataclass

from tests.faults.brokers import Brokers
from tests.faults.proxy import Mode
from tests.faults.scene import Scene
from tests.servers.kafka import Cluster


@dataclass(frozen=True, slots=True)
class Roll:
    """Every broker is stopped in order and started again, one after the other."""

    cluster: Cluster

    async def strike(self, scene: Scene) -> None:
        for node in self.cluster.nodes:
            await asyncio.to_thread(self.cluster.stop, node)
            await back(self.cluster, node)
            await scene.at_work()


@dataclass(frozen=True, slots=True)
class BrokerKill:
    """Kill -9 of one broker, which is away for a drawn time."""

    cluster: Cluster
    longest: float = 20.0

    async def strike(self, scene: Scene) -> None:
        node = scene.chance.choice(self.cluster.nodes)
        await asyncio.to_thread(self.cluster.kill, node)
        await scene.moment(self.longest)
        await back(self.cluster, node)


@dataclass(frozen=True, slots=True)
class BrokerFreeze:
    """SIGSTOP of one broker: its connections stand, and it says nothing, to clients and to other brokers."""

    cluster: Cluster
    seconds: float

    async def strike(self, scene: Scene) -> None:
        node = scene.chance.choice(self.cluster.nodes)
        self.cluster.freeze(node)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.cluster.thaw(node)


@dataclass(frozen=True, slots=True)
class Partition:
    """Clients reach one broker no more, which the other brokers do not notice. `hop`: the one that coordinates its group.

    It goes on leading its partitions, so what is in them waits until it is over. What was on the way then is gone, or, as
    likely, arrives after all.
    """

    brokers: Brokers
    seconds: float
    hop: str | None = None

    async def strike(self, scene: Scene) -> None:
        node = scene.chance.choice(self.brokers.cluster.nodes)
        if self.hop is not None:
            node = await asyncio.to_thread(self.brokers.coordinator, self.hop)
        self.brokers.network[node].mode = scene.chance.choice((Mode.BLACK_HOLE, Mode.STALL))
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.brokers.network[node].mode = Mode.PASS


async def back(cluster: Cluster, node: int) -> None:
    """Start a broker again, and wait until all know each other."""
    cluster.launch(node)
    await asyncio.to_thread(cluster.await_ready, node, brokers=len(cluster.nodes))
