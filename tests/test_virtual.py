"""The loop in virtual time runs plain asyncio code, at once and always in the same way."""

import asyncio
import random
import threading
import time

import pytest

from daemon.clock import LoopClock
from tests.virtual import VirtualLoop


def run_story(seed: int) -> list[tuple[float, str]]:
    """Some tasks that sleep, time out and hand things over, and what happened when."""
    happened: list[tuple[float, str]] = []

    async def worker(name: str, queue: asyncio.Queue[str], rng: random.Random) -> None:
        clock = LoopClock(1000.0)
        for _ in range(20):
            await asyncio.sleep(rng.uniform(0, 3600))
            await queue.put(name)
            try:
                async with asyncio.timeout(rng.uniform(0, 60)):
                    happened.append((clock.now(), f"{name} got {await queue.get()}"))
            except TimeoutError:
                happened.append((clock.now(), f"{name} timed out"))

    async def story() -> None:
        queue: asyncio.Queue[str] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(worker(f"worker-{number}", queue, random.Random(seed + number)))

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story())
    return happened


def test_a_run_is_repeatable() -> None:
    """The same program does the same things at the same instants, every time."""
    assert run_story(7) == run_story(7)


@pytest.mark.virtual_time
async def test_time_jumps() -> None:
    """A month of sleep takes no time, timers fire in order and at their instant."""
    began, order = time.monotonic(), list[float]()
    loop = asyncio.get_running_loop()
    for day in (3, 1, 2):
        loop.call_later(86400 * day, lambda: order.append(loop.time()))
    await asyncio.sleep(30 * 86400)
    assert order == [86400.0, 172800.0, 259200.0]
    assert loop.time() == 30 * 86400
    assert time.monotonic() - began < 5


@pytest.mark.virtual_time
async def test_threads_are_served() -> None:
    """What a thread answers arrives though no timer is set; the time stands still meanwhile."""
    loop = asyncio.get_running_loop()
    assert await asyncio.to_thread(threading.get_ident) != threading.get_ident()
    assert loop.time() == 0.0
