"""Faults of one worker among several on Kafka: what it held has to be held by the others, and soon."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

from daemon.app.roles import Role
from tests.e2e.service import Service
from tests.faults.scene import PATIENCE, Scene

_LOOK: Final = 0.1
_LOST: Final = frozenset({"lease_lost", "bus_failed", "lease_broke"})


async def all_held(services: Iterable[Service], partitions: int, within: float = PATIENCE) -> None:
    """Wait until these processes hold every partition of every hop among them."""
    services = list(services)
    try:
        async with asyncio.timeout(within):
            while sum([await _leases(service) for service in services]) < partitions * len(Role):  # noqa: ASYNC110 - in other processes
                await asyncio.sleep(_LOOK)
    except TimeoutError:
        raise AssertionError(f"some partitions are nobody's for {within:g} s") from None


async def _leases(service: Service) -> float:
    return sum(value for name, value in (await service.metrics()).items() if name.startswith("rasid_leases{"))


def leases_lost(service: Service, *hops: str) -> int:
    """How many leases of these hops the process has said to have lost by an error; being fenced is one."""
    return sum(entry.get("event") in _LOST and entry["hop"] in hops for entry in service.log)


@asynccontextmanager
async def doubtful(scene: Scene) -> AsyncIterator[None]:
    """Where the bus breaks, living workers lose leases; each of the sender's may have been amid a message."""
    before = {service: leases_lost(service, Role.SENDER) for service in scene.services.values()}
    yield
    for service in scene.services.values():
        scene.tally.counts["doubts"] += leases_lost(service, Role.SENDER) - before.get(service, 0)


@dataclass(frozen=True, slots=True)
class Leave:
    """SIGTERM: the worker ends within 10 s, and what it held is the others' soon."""

    partitions: int
    hand_over: float = 5.0

    async def strike(self, scene: Scene) -> None:
        name = scene.victim()
        others = [service for other, service in scene.services.items() if other != name]
        began = monotonic()
        stopping = asyncio.create_task(scene.stop(name))
        await all_held(others, self.partitions)
        scene.tally.note("hand-over", handed_over := monotonic() - began)
        scene.tally.note("exit", ended := await stopping)
        assert handed_over < self.hand_over
        assert ended < 10.0


@dataclass(frozen=True, slots=True)
class Vanish:
    """Kill -9 of a worker that is not started again before the others have what it held: within 30 s."""

    partitions: int

    async def strike(self, scene: Scene) -> None:
        began = monotonic()
        await scene.kill(scene.victim())
        await all_held(scene.services.values(), self.partitions)
        scene.tally.note("take-over", taken_over := monotonic() - began)
        assert taken_over < 30.0


@dataclass(frozen=True, slots=True)
class Oversleep:
    """SIGSTOP for longer than a session: others take over, and it wakes with everything in its hands that it had.

    Counts in `fenced` the leases that it then finds to be another's.
    """

    partitions: int
    seconds: float

    async def strike(self, scene: Scene) -> None:
        name = scene.victim()
        sleeper = scene.services[name]
        scene.tally.counts["doubts"] += 1
        lost, began = leases_lost(sleeper, *Role), monotonic()
        sleeper.process.send_signal(signal.SIGSTOP)
        try:
            others = [service for other, service in scene.services.items() if other != name]
            await all_held(others, self.partitions, self.seconds)
            scene.tally.note("take-over", monotonic() - began)
            await asyncio.sleep(began + self.seconds - monotonic())
        finally:
            sleeper.process.send_signal(signal.SIGCONT)
        await scene.at_work()
        await all_held(scene.services.values(), self.partitions)
        scene.tally.counts["fenced"] += leases_lost(sleeper, *Role) - lost
