"""While a suspect is handled nothing else is: what kills the process then is known for sure."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from daemon.bus.base import Record
from daemon.bus.memory import MemoryBus, MemoryStore
from daemon.bus.topics import ARTICLES, RAW
from daemon.clock import LoopClock
from daemon.stage.alone import Alone
from daemon.stage.hop import NOTHING, Effects, Hop, Table, Time
from daemon.stage.partition import Kit
from daemon.stage.poison import Opens
from daemon.stage.runner import Stage


class Quiet(Hop[bytes, bytes]):
    time = Time.WALL

    def __init__(self, name: str) -> None:
        self.name = name

    def prepare(self, batch: Sequence[bytes]) -> Sequence[bytes]:
        return batch

    def decide(self, item: bytes, table: Table, now: float) -> Effects:
        return NOTHING


class Hands(Executor):
    """Each call takes two seconds of virtual time; notes what runs at once."""

    def __init__(self) -> None:
        self.running: list[bytes] = []
        self.together: set[tuple[bytes, ...]] = set()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        name = args[0][0] if args else b""
        if name:
            self.running.append(name)
            self.together.add(tuple(sorted(self.running)))

        def end() -> None:
            if name:
                self.running.remove(name)
            future.set_result(fn(*args))

        asyncio.get_running_loop().call_later(2.0 if name else 0.0, end)
        return future


@pytest.mark.virtual_time
async def test_a_suspect_is_alone() -> None:
    """When a process dies while a suspect is handled, that one alone is to blame: nothing else is being handled then."""
    store, hands, alone = MemoryStore(partitions=1, clock=LoopClock()), Hands(), Alone()
    store.append([Record(RAW, "lane", b"", b"suspect", 0.0)])
    store.places("one")[0].rows.apply([Opens(0, opens=3).row()])
    bus = MemoryBus(store)
    kits = [
        Kit(Quiet(name), topic, lambda value: value or b"", LoopClock(), lambda *_: None, executor=hands, alone=alone)
        for name, topic in (("one", RAW), ("two", ARTICLES))
    ]
    stages = [Stage(kit, bus) for kit in kits]
    running = [asyncio.create_task(stage.run()) for stage in stages]
    await asyncio.sleep(1.0)
    await bus.publish([Record(ARTICLES, "lane", b"", b"killer that nobody suspects yet", 0.0)])
    await asyncio.sleep(10.0)
    for stage in stages:
        stage.stop()
    await asyncio.gather(*running)
    assert all(len(names) == 1 for names in hands.together), hands.together
