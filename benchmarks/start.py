"""The service on config.yaml as it stands: seconds to ready, seconds to the sample's alert, idle memory and idle CPU.

python -m benchmarks.start
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.e2e.service import Service, copy_starter, running

IDLE_AFTER: Final = 75.0
"""Seconds until worker processes have ended and the service idles."""
IDLE_FOR: Final = 20.0


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        async with running(copy_starter(Path(folder))) as service:
            await service.event("started")
            print(f"start to ready: {time.perf_counter() - began:.2f} s")
            await service.until(lambda at: any("Lloyd Austin" in line for line in at.out))
            print(f"start to the sample's alert: {time.perf_counter() - began:.2f} s")
            await asyncio.sleep(IDLE_AFTER)
            print(f"idle memory (PSS, with worker processes): {memory(service):.0f} MB")
            before = cpu(service)
            await asyncio.sleep(IDLE_FOR)
            print(f"idle CPU: {100 * (cpu(service) - before) / IDLE_FOR:.2f} % of one core")
            await service.stop()


def family(process: int) -> Iterator[int]:
    """A process and those it started."""
    yield process
    for task in Path(f"/proc/{process}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended meanwhile
            for child in (task / "children").read_text().split():
                yield from family(int(child))


def memory(service: Service) -> float:
    total = 0
    for process in family(service.process.pid):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1000


def cpu(service: Service) -> float:
    ticks = 0
    for process in family(service.process.pid):
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    asyncio.run(main())
