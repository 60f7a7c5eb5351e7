"""Faults: small objects that break something of a scene, in one way, and mend it where it can be mended.

To add one: a frozen dataclass whose fields are its measures, with a `strike`. Draw from `scene.chance` only, end processes by
`scene.kill` and `scene.stop` only, add to `scene.tally.counts["doubts"]` what a strike can have cut off beyond these, and
`scene.tally.note` what the report is to tell of times.
"""

import asyncio
import signal
from dataclasses import dataclass
from time import monotonic, time
from typing import Protocol

from daemon.bus.base import Record
from daemon.bus.topics import ARTICLES, FEEDS, MATCHES, OUTBOX, RAW
from tests.disks import fill
from tests.e2e.service import Service
from tests.e2e.workplace import beside
from tests.faults.balance import POISON
from tests.faults.scene import PATIENCE, Scene


class Fault(Protocol):
    """Something that happens to a running service."""

    async def strike(self, scene: Scene) -> None:
        """Do it once. What it ended stays ended, what else it broke works again; raises when a promise was broken meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill -9 of one process."""

    async def strike(self, scene: Scene) -> None:
        await scene.kill(scene.victim())


@dataclass(frozen=True, slots=True)
class Terminate:
    """SIGTERM to one process, which ends in good order."""

    async def strike(self, scene: Scene) -> None:
        scene.tally.note("exit", await scene.stop(scene.victim()))


@dataclass(frozen=True, slots=True)
class StopAndContinue:
    """One process stands still for so many seconds, and wakes without knowing it."""

    seconds: float

    async def strike(self, scene: Scene) -> None:
        service = scene.services[scene.victim()]
        scene.tally.counts["doubts"] += 1
        service.process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            service.process.send_signal(signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that no hop can handle is put on one of the topics beside the service: work goes on, and soon."""

    async def strike(self, scene: Scene) -> None:
        await scene.started()
        number = scene.tally.counts["poison"]
        topic = scene.chance.choice((FEEDS, RAW, ARTICLES, MATCHES, OUTBOX))
        value = scene.chance.choice((b"{", b'{"kind": "\xff\xfe"}', b'{"kind": "riddle", "v": 1}', b"", b"null"))
        async with beside(scene.folder) as bus:
            lane = f"news{number % 10}.example"
            await bus.publish([Record(topic, lane, POISON + b"%d" % number, value, time())])
        scene.tally.counts["poison"] += 1
        scene.ledger.publish(10)
        began = monotonic()
        await scene.at_work()
        scene.tally.note("gap", monotonic() - began)


@dataclass(frozen=True, slots=True)
class FullDisk:
    """The disk under the bus is full, or nearly so, for a drawn while: `/readyz` fails, and all resumes by itself."""

    longest: float = 10.0
    within: float = 30.0

    async def strike(self, scene: Scene) -> None:
        service = scene.services[scene.victim()]
        scene.tally.counts["doubts"] += 1
        ballast = fill(scene.folder / "data", scene.chance.choice((0, 50_000, 500_000, 50_000_000)))
        scene.ledger.publish(20)
        try:
            await _answers(service, 503)
            await scene.moment(self.longest)
        finally:
            ballast.unlink()
        began = monotonic()
        scene.ledger.publish(5)
        await _answers(service, 200)
        await scene.at_work()
        scene.tally.note("resume", took := monotonic() - began)
        assert took < self.within, f"no work for {took} s after there was space"


async def _answers(service: Service, status: int) -> None:
    """Until `/readyz` answers so."""
    async with asyncio.timeout(PATIENCE):
        while (await service.get("/readyz"))[0] != status:  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.1)
