"""One process of the service in the made-up world: all five hops on a bus of its own, to be killed, frozen and stopped."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor, Future
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from alerts.alerter import Alerter
from alerts.sender import Sender
from consumers.compile import Compiled
from consumers.enricher import Enricher
from consumers.matcher import Matcher
from daemon.bus.memory import MemoryBus, MemoryStore
from daemon.bus.topics import ARTICLES, FEEDS, MATCHES, OUTBOX, RAW
from daemon.clock import WallClock
from daemon.config.models import Route
from daemon.feeds.pace.schedule import Pace
from daemon.feeds.poller import Poller
from daemon.messages import wire
from daemon.messages.article import RawArticle
from daemon.stage.alone import Alone
from daemon.stage.hop import Hop
from daemon.stage.partition import Kit, Limits
from daemon.stage.runner import Stage
from tests.simulation.bus import RoughBus, Weather
from tests.simulation.loop import PROCESS, SeededLoop
from tests.simulation.outside import CHANNELS, SOURCES, Outside
from tests.simulation.press import DEADLY

ROUTE: Final = Route.model_validate({
    "receiver": "desk",
    "group_wait": {"high": 0, "normal": "20s", "low": "2m"},
    "update_interval": "1m",
    "update_interval_max": "4m",
    "routes": [{"matchers": ['severity="high"'], "receiver": "chief", "continue": True}, {"matchers": ['desk="south"']}],
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sense:
    """What understands articles: the same in every life, and slow to build."""

    enricher: Enricher
    compiled: Compiled

    def hops(self) -> dict[str, Hop[Any, Any]]:
        """New ones, by the topic they read: they may remember nothing."""
        return {
            FEEDS: Poller(SOURCES, pace=Pace(), parser=1),
            RAW: self.enricher,
            ARTICLES: Matcher(self.compiled),
            MATCHES: Alerter(ROUTE, frozenset(CHANNELS)),
            OUTBOX: Sender(CHANNELS),
        }


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where processes live."""

    loop: SeededLoop
    chance: random.Random
    store: MemoryStore
    outside: Outside
    wall: Callable[[], float]
    weather: Callable[[], Weather]


class Process:
    """Lives from its making on. `broken` is what must never happen in it, `ended` whether it is gone."""

    def __init__(self, name: str, sense: Sense, around: Surroundings) -> None:
        self.name = name
        self.broken: list[str] = []
        self.ended = self.killed = False
        self.frozen = self.missed = False
        self._ran_until: float | None = None
        self.at_death = Counter[str]()
        self._around = around
        self._bus = MemoryBus(around.store)
        self._rough = RoughBus(self._bus, around.chance, around.weather, self.kill, around.outside.answers)
        self._hands = _Hands(around.chance, self.kill)
        alone = Alone()
        self.clock = clock = WallClock(around.wall, around.loop.time)
        limits = Limits(records=around.chance.choice((1, 3, 500)), patience=around.chance.choice((0.5, 6.0)))
        work: dict[str, Callable[[Any], Awaitable[object]]] = {
            FEEDS: partial(around.outside.poll, clock),
            OUTBOX: around.outside.send,
        }
        self._stages = [
            Stage(
                Kit(
                    hop,
                    topic,
                    wire.decode,
                    clock,
                    self._observe,
                    work=work.get(topic),
                    executor=self._hands,
                    limits=limits,
                    alone=alone,
                ),
                self._rough,
            )
            for topic, hop in sense.hops().items()
        ]
        context = copy_context()
        context.run(PROCESS.set, name)
        self._running = [around.loop.create_task(stage.run(), context=context) for stage in self._stages]

    def kill(self) -> None:
        """As kill -9: nothing of it runs again, nobody is told."""
        if not self.ended:
            self.ended = self.killed = True
            self.at_death = Counter({
                "in a commit": self._rough.committing,
                "in a step": self._rough.committing + self._hands.busy,
                "in flight": self._around.outside.in_flight(self.name),
            })  # fmt: skip
            self._look()
            self._rough.crash(self._around.loop.time() if self._ran_until is None else self._ran_until)
            self._around.loop.freeze(self.name)

    def freeze(self) -> None:
        """As SIGSTOP."""
        if not self.ended and not self.frozen:
            self.frozen, self._ran_until = True, self._around.loop.time()
            self._around.loop.freeze(self.name)

    def miss(self) -> None:
        """The broker misses it: its partitions are for others."""
        if self.frozen:
            self.missed = True
            self._bus.fall_silent()

    def thaw(self) -> None:
        """It goes on where it stood, a zombie if it was missed."""
        if self.frozen and not self.ended:
            self.frozen, self._ran_until = False, None
            self._around.loop.thaw(self.name)

    def rejoin(self) -> None:
        """It notices that it was missed."""
        if not self.ended and not self.frozen:
            self._bus.speak_again()

    async def stop(self, within: float) -> None:
        """As SIGTERM; it is to end in good order within so many seconds."""
        for stage in self._stages:
            stage.stop()
        _, late = await asyncio.wait(self._running, timeout=within)
        if self.ended:
            return
        self.broken += [f"{stage.name} did not end within {within} s" for stage, task in self._pairs() if task in late]
        self._look()
        self.ended = True
        if late:
            self._bus.crash()
            self._around.loop.freeze(self.name)

    def _pairs(self) -> list[tuple[Stage[Any, Any], "asyncio.Task[None]"]]:
        return list(zip(self._stages, self._running, strict=True))

    def _look(self) -> None:
        for stage, task in self._pairs():
            if task.done() and (task.cancelled() or task.exception() is not None):
                self.broken.append(f"{stage.name} ended by {task!r}")
            self.broken += [f"{stage.name}: {trouble}" for trouble in (stage.stopped, stage._broken) if trouble]

    def _observe(self, name: str, labels: Mapping[str, str] | None = None, amount: float = 1.0) -> None:
        if name == "rasid_hop_failures_total":
            self.broken.append(f"a hop failed: {labels}")


class _Hands(Executor):
    """What CPU work takes a while in, without a thread; a deadly article kills there."""

    def __init__(self, chance: random.Random, die: Callable[[], None]) -> None:
        self._die = die
        self._chance = chance
        self.busy = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        self.busy += 1
        asyncio.get_running_loop().call_later(self._chance.uniform(0.0, 0.3), self._run, future, fn, args)
        return future

    def _run(self, future: "Future[Any]", fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if any(isinstance(one, RawArticle) and DEADLY in one.url for batch in args for one in batch):
            self._die()
            return
        self.busy -= 1
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(fn(*args))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits
            future.set_exception(error)
