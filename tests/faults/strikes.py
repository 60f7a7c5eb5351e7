"""Faults: small objects that break something of a scene, in one way, and mend it where it can be mended.

To add one: a frozen dataclass whose fields are its measures, with a `strike`. Draw from `scene.chance` only, end processes by
`scene.kill` and `scene.stop` only, add to `scene.tally.counts["doubts"]` what a strike can have cut off beyond these, and
`scene.tally.note` what the report is to tell of times.
"""

import asyncio
import signal
from dataclasses import dataclass
from typing import Protocol

from tests.faults.scene import Scene


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
