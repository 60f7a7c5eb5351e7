"""The service on config.yaml as it stands, on either bus: seconds to ready, to the sample's alert, idle memory and idle CPU.

python -m benchmarks.start
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Final

from tests.e2e.service import Service, copy_starter, running
from tests.servers import kafka

IDLE_AFTER: Final = 75.0
"""Seconds until worker processes have ended and the service idles."""
IDLE_FOR: Final = 20.0


async def measure(brokers: Sequence[str]) -> None:
    async with AsyncExitStack() as stack:
        services = {"embedded": await started(stack, "embedded", {})}
        if brokers:
            kafka_bus = {
                "RASID_BUS__KIND": "kafka",
                "RASID_BUS__KAFKA__BOOTSTRAP_SERVERS": str(list(brokers)),
                "RASID_BUS__KAFKA__REPLICATION_FACTOR": "1",
            }
            services["kafka"] = await started(stack, "kafka", kafka_bus)
        await asyncio.sleep(IDLE_AFTER)
        before = {bus: cpu(service) for bus, service in services.items()}
        await asyncio.sleep(IDLE_FOR)
        for bus, service in services.items():
            used = 100 * (cpu(service) - before[bus]) / IDLE_FOR
            print(
                f"{bus}: idle memory (PSS, with worker processes) {memory(service):.0f} MB, idle CPU {used:.2f} % of one core"
            )
            await service.stop()


async def started(stack: AsyncExitStack, bus: str, environ: Mapping[str, str]) -> Service:
    """A service on the sample, which it has told of."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    began = time.perf_counter()
    service = await stack.enter_async_context(running(copy_starter(Path(folder)), **environ))
    await service.event("started")
    print(f"{bus}: start to ready {time.perf_counter() - began:.2f} s", flush=True)
    await service.until(lambda at: any("Lloyd Austin" in line for line in at.out))
    print(f"{bus}: start to the sample's alert {time.perf_counter() - began:.2f} s", flush=True)
    return service


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


def main() -> None:
    if reason := kafka.missing():
        print(f"kafka left out: {reason}")
        asyncio.run(measure(()))
        return
    with kafka.Cluster() as cluster:
        asyncio.run(measure(cluster.bootstrap_servers))


if __name__ == "__main__":
    main()
