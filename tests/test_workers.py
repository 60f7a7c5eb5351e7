"""Worker processes: limits hold, and what breaks one worker breaks nothing else."""

import asyncio
import os
import random
import resource
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.workers import Trouble, WorkerFailed, WorkerLimits, Workers, limited

ROOT = Path(__file__).parent.parent
LIMITS = WorkerLimits(seconds=0.5, memory=64 * 1024 * 1024)


def double(number: int) -> int:
    return 2 * number


def spin() -> None:
    while True:
        pass


def swell() -> int:
    return len(bytearray(1 << 30))


def die() -> None:
    os._exit(3)


def explode() -> None:
    raise ValueError("what the input did")


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def test_answers_come_back() -> None:
    """A function's answer comes back typed as it was given."""
    async with Workers(1, LIMITS) as workers:
        assert await workers.run(double, 21) == 42


@pytest.mark.parametrize(
    ("function", "trouble"),
    [(spin, Trouble.TIMEOUT), (swell, Trouble.MEMORY), (die, Trouble.DIED), (explode, Trouble.RAISED)],
)
async def test_limits_hold_and_the_pool_lives_on(function: object, trouble: Trouble) -> None:
    """Too long, too large, a death or an exception is one typed error; the next call works (feeds 20)."""
    async with Workers(1, LIMITS) as workers:
        assert callable(function)
        with pytest.raises(WorkerFailed) as caught:
            await workers.run(function)
        assert caught.value.trouble is trouble
        assert await workers.run(double, 4) == 8


async def test_processes_are_recycled() -> None:
    """After so many calls a process is replaced, whatever its memory has become (feeds 20)."""
    async with Workers(1, WorkerLimits(calls=2)) as workers:
        processes = [await workers.run(os.getpid) for _ in range(6)]
    assert [processes.count(process) for process in dict.fromkeys(processes)] == [2, 2, 2]


async def test_neighbours_of_a_killer_are_not_blamed() -> None:
    """When one call kills its process, calls beside it still get their answers."""
    async with Workers(2, LIMITS) as workers:
        calls = [workers.run(double, number) for number in range(6)]
        answers = await asyncio.gather(workers.run(die), *calls, return_exceptions=True)
    assert isinstance(answers[0], WorkerFailed)
    assert answers[1:] == [0, 2, 4, 6, 8, 10]


async def test_no_process_starts_before_it_is_needed() -> None:
    """An idle pool costs nothing, and leaving an unused one takes no time."""
    began = time.monotonic()
    async with Workers(4, LIMITS):
        pass
    assert time.monotonic() - began < 3


async def test_the_limit_is_of_work_not_of_waiting() -> None:
    """A machine busy with other things makes no input bad: a call that waited longer than its limit is answered."""
    async with Workers(1, WorkerLimits(seconds=0.1)) as workers:
        assert await workers.run(nap) == 1


async def test_who_waits_for_ever_is_ended() -> None:
    """A call that neither works nor answers ends all the same, and the pool lives on."""
    async with Workers(1, WorkerLimits(seconds=0.01)) as workers:
        with pytest.raises(WorkerFailed) as caught:
            await workers.run(time.sleep, 60.0)
        assert caught.value.trouble is Trouble.TIMEOUT
        assert await workers.run(nap) == 1


async def test_idle_processes_end_and_come_back() -> None:
    """After the idle time no process is left; the next call is answered all the same."""
    limits = WorkerLimits(idle=0.05)
    async with Workers(1, limits) as workers:
        first = await workers.run(os.getpid)
        async with asyncio.timeout(10):
            while alive(first):  # noqa: ASYNC110 - the end of another process is no event of ours
                await asyncio.sleep(0.02)
        assert await workers.run(os.getpid) != first


def nap() -> int:
    time.sleep(0.2)
    return 1


async def test_waiting_for_a_process_is_no_time_out() -> None:
    """However many calls wait, each gets its answer: only the time in the process counts, and a hang ends no other call."""
    async with Workers(1, LIMITS) as workers:
        hang = asyncio.create_task(workers.run(spin))
        answers = await asyncio.gather(*(workers.run(nap) for _ in range(40)))
        with pytest.raises(WorkerFailed):
            await hang
    assert answers == [1] * 40


def interrupted() -> str:
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    return "ended"


async def test_signals_to_the_whole_group_end_no_call() -> None:
    """A supervisor that signals every process of the service leaves the calls in hand to the parent."""
    async with Workers(1, LIMITS) as workers:
        assert await workers.run(interrupted) == "ended"


ROUNDS = """
import asyncio, signal
from daemon.workers import Workers

def on_signals(handler):
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)

async def rounds():
    for _ in range(4):
        async with Workers(2) as workers:
            assert await workers.run(abs, -1) == 1

on_signals(lambda *_: None)
print("ready", flush=True)
asyncio.run(rounds())
on_signals(signal.SIG_IGN)
"""


async def test_signals_to_the_whole_group_while_workers_start() -> None:
    """Whenever it is sent while workers start, no worker dies of it, and none writes anything."""
    seed = secrets.randbelow(2**32)
    print(f"seed {seed}")  # noqa: T201 - what it takes to draw the same instants again
    chance = random.Random(seed)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ROUNDS, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    ended = asyncio.create_task(process.communicate())
    async with asyncio.timeout(60):
        while not ended.done():
            os.killpg(process.pid, chance.choice((signal.SIGINT, signal.SIGTERM)))
            await asyncio.wait([ended], timeout=chance.uniform(0.005, 0.1))
    assert (process.returncode, await ended) == (0, (b"", b""))


@pytest.mark.parametrize(("work", "trouble"), [(spin, Trouble.TIMEOUT), (swell, Trouble.MEMORY), (explode, Trouble.RAISED)])
def test_limits_without_a_worker(work: Callable[[], object], trouble: Trouble) -> None:
    """A command keeps a worker's limits in its own process, and is as free as before when the call has ended."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(WorkerFailed) as caught:
        limited(LIMITS, work)
    assert caught.value.trouble is trouble
    assert limited(LIMITS, double, 4) == 8
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
