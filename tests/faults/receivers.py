"""Faults of who receives: it asks for a pause, refuses, or takes a message and says nothing."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from time import monotonic
from typing import Final

from tests.faults.intake import Intake
from tests.faults.scene import PATIENCE, Scene
from tests.servers.hooks import Say

_EARLY: Final = 0.1
"""Seconds by which a request may come early: the pause is counted from when the answer was read, and clocks have ticks."""


@contextmanager
def manner(intake: Intake, say: Callable[[], Say]) -> Iterator[None]:
    """The sink answers so for a while."""
    intake.manner = say
    try:
        yield
    finally:
        intake.manner = Say


class Manner:
    """Says an answer, and remembers when."""

    def __init__(self, answer: Say) -> None:
        self.answer = answer
        self.instants: list[float] = []
        self.asked = asyncio.Event()

    def __call__(self) -> Say:
        self.instants.append(monotonic())
        self.asked.set()
        return self.answer


@dataclass(frozen=True, slots=True)
class Storm:
    """429 to everything for so many seconds, each with a pause to be kept: nothing is asked meanwhile."""

    seconds: float
    pause: int

    async def strike(self, scene: Scene) -> None:
        refusing = Manner(Say(429, headers={"Retry-After": str(self.pause)}))
        with manner(scene.ledger.intake, refusing):
            scene.ledger.publish(5)
            async with asyncio.timeout(PATIENCE):
                await refusing.asked.wait()
            await asyncio.sleep(self.seconds)
        gaps = [later - earlier for earlier, later in pairwise(refusing.instants)]
        scene.tally.counts["refused"] += len(refusing.instants)
        assert all(gap > self.pause - _EARLY for gap in gaps), gaps
        began = monotonic()
        await scene.at_work(self.pause + PATIENCE)
        scene.tally.note("resume", monotonic() - began)


class _Moods(Manner):
    """Draws an answer for each request: 500, the message taken and the connection dropped, or all well."""

    def __init__(self, scene: Scene, share: float) -> None:
        super().__init__(Say())
        self._scene = scene
        self._share = share

    def __call__(self) -> Say:
        luck, counts = self._scene.chance.random(), self._scene.tally.counts
        if luck < self._share:
            counts["refused"] += 1
            return Say(500)
        if luck < 2 * self._share:
            counts["dropped"] += 1
            counts["doubts"] += 1
            return Say(drop=True)
        return super().__call__()


@dataclass(frozen=True, slots=True)
class Moody:
    """Of the requests a share is answered with 500, and of as many the answer is dropped, until all articles have arrived."""

    share: float

    async def strike(self, scene: Scene) -> None:
        with manner(scene.ledger.intake, _Moods(scene, self.share)):
            assert await scene.ledger.taken_all(2 * PATIENCE)
