"""The seconds of the end fit into the promise, and no part of it can take more than its own."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from daemon.app.end import OVERDUE, PROMISED, SECONDS, TELLING, End, Part
from daemon.bus.group import LEAVE_WITHIN
from daemon.bus.kafka.timing import Timing
from daemon.stage.partition import LAST_COMMITS, Limits
from tests.e2e.service import EXIT_WITHIN, ROOT

HANGS = """
import asyncio, time
from daemon.app import end

async def main():
    end.OVERDUE = 0.3
    ending = end.End()
    ending.ask()
    await ending.within(end.Part.BUS, hang())

async def hang():
    time.sleep(60)

asyncio.run(main())
"""

THREAD_AT_WORK = """
import time
from concurrent.futures import ThreadPoolExecutor
from daemon.app.end import leave

threads = ThreadPoolExecutor(1)
threads.submit(time.sleep, 60)
threads.shutdown(wait=False)
leave(0)
"""


def test_the_seconds_of_the_end_fit() -> None:
    """All parts at their slowest, one after the other, are over before the watch, and the watch is before the promise."""
    assert set(SECONDS) == set(Part)
    assert sum(SECONDS.values()) < OVERDUE
    assert OVERDUE + TELLING < PROMISED


def test_each_part_fits_into_its_seconds() -> None:
    """What hops grant themselves is less than what the end grants them: by themselves they are never broken off.

    An engine may be, when a broker is frozen: there is nothing to lose any more but the order in which connections close.
    """
    leaving = Limits().patience + LAST_COMMITS
    assert leaving < SECONDS[Part.HOPS]
    assert leaving < min(Timing().leave, LEAVE_WITHIN)


@asynccontextmanager
async def stubborn(until: asyncio.Event) -> AsyncIterator[str]:
    """Whose leaving takes no cancellation for an answer."""
    yield "opened"
    while not until.is_set():
        try:
            await until.wait()
        except asyncio.CancelledError:
            continue


@pytest.mark.virtual_time
@pytest.mark.parametrize("part", Part)
async def test_what_outlasts_its_seconds_is_broken_off(part: Part) -> None:
    """Even what ignores that it is cancelled holds up the end for its own seconds only; the log says which part it was."""
    loop, until = asyncio.get_running_loop(), asyncio.Event()
    with capture_logs() as log:
        async with End().closing(part, stubborn(until)) as opened:
            assert opened == "opened"
            began = loop.time()
    assert loop.time() - began == pytest.approx(SECONDS[part])
    assert log == [{"event": "end_cut_short", "log_level": "warning", "part": part.value, "seconds": SECONDS[part]}]
    until.set()


async def test_what_was_raised_inside_comes_out() -> None:
    """A start that is refused ends with its own error: the bound on the end takes nothing away."""
    with pytest.raises(KeyError):
        async with End().closing(Part.BUS, stubborn(asyncio.Event())):
            raise KeyError


def test_the_watch_ends_a_hanging_loop() -> None:
    """When the loop itself hangs, the process ends with 1 and says in which part and where."""
    code, said = python(HANGS)
    assert code == 1
    assert all(word in said for word in ("end_overdue", "part=bus", "hang"))


def test_no_thread_is_waited_for() -> None:
    """A thread that still prepares records keeps no process from its good end."""
    assert python(THREAD_AT_WORK) == (0, "")


def python(script: str) -> tuple[int, str]:
    """Its exit code and all it said; nobody is waited for beyond a test's patience."""
    run = [sys.executable, "-c", script]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, timeout=EXIT_WITHIN, check=False, text=True)
    return done.returncode, done.stdout + done.stderr
