"""Ten thousand feeds in one process, all hops in it, the service as it runs: lag, memory, and manners by the server's own log.

    python -m benchmarks.many_feeds [--feeds 10000] [--sites 1000] [--interval 300] [--rounds 1]

The server is another process and not counted. Memory: the service's own process, and what its parse workers take beside it.
"""

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Final

import yaml

from benchmarks.start import family
from tests.e2e.service import Service, running
from tests.servers.crowd import Crowd, crowd, entries_of, manners

_EVERY: Final = 5.0
_GAP: Final = 1.0
_PATIENCE: Final = 3.0
"""Rounds may take so many times their interval before the run is given up."""


def write(folder: Path, port: int, *, feeds: int, sites: int, interval: float, gap: float) -> None:
    """config.yaml and a file of feeds on the server's sites."""
    polling = {
        "default_interval": f"{interval:g}s",
        "min_interval": f"{min(60.0, interval):g}s",
        "per_site": {"gap": f"{gap:g}s"},
        "allow_addresses": ["127.0.0.0/8"],
    }
    config = {"server": {"listen": "127.0.0.1:0"}, "polling": polling, "feeds": [{"file": "feeds.yaml"}]}
    (folder / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    entries = list(entries_of(feeds, sites, port, interval))
    (folder / "feeds.yaml").write_text(yaml.safe_dump(entries, default_flow_style=True, width=1000), "utf-8")


def megabytes(process: int, field: str = "VmRSS") -> float:
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1000 for line in status if line.startswith(field)), 0.0)


def spent(process: int) -> tuple[float, float]:
    """Seconds of CPU of a process itself, and of all it ever started."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split()
    own, over = (sum(map(int, fields[at : at + 2])) / os.sysconf("SC_CLK_TCK") for at in (11, 13))
    return own, over + sum(spent(each)[0] for each in family(process) if each != process)


async def watch(service: Service, server: Crowd, options: argparse.Namespace) -> None:
    """Until every feed was polled once and then so many rounds more."""
    main, began, workers = service.process.pid, time.monotonic(), 0.0
    end, at, before = None, 0.0, (0.0, 0.0)
    while time.monotonic() - began < _PATIENCE * options.interval * (options.rounds + 1):
        await asyncio.sleep(_EVERY)
        workers = max(workers, sum(megabytes(each) for each in family(main) if each != main))
        seen, now = manners(server.visits(), options.interval), time.monotonic()
        if end is None and seen.feeds == options.feeds:
            end, at, before = now + options.rounds * options.interval * 1.1, now, spent(main)
            say(f"every feed polled once after {now - began:.0f} s; CPU {before[0]:.0f} s, of workers {before[1]:.0f}")
            say(f"memory {megabytes(main):.0f} MB, parse workers beside it {workers:.0f}")
        if end is not None and now > end:
            break
    shares = [100 * (after - first) / (time.monotonic() - at) for after, first in zip(spent(main), before, strict=True)]
    say(f"then {shares[0]:.1f} % of one core, workers {shares[1]:.1f} %")
    say(f"memory {megabytes(main):.0f} MB, at most {megabytes(main, 'VmHWM'):.0f}; parse workers beside it {workers:.0f}")
    polls = manners(server.visits(), options.interval)
    say(f"{polls.polls} polls of {polls.feeds} feeds; at once on a site {polls.most_at_once}; shortest gap {polls.gap:.3f} s")
    median, late, most = polls.lag(0.5), polls.lag(0.99), polls.lag(1)
    say(f"lag: median {median:.1f} s, p99 {late:.1f}, most {most:.1f} (interval {options.interval:g} s)")


def say(text: str) -> None:
    print(text, flush=True)


async def measure(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name, crowd(options.items) as server:
        said = {"feeds": options.feeds, "sites": options.sites, "interval": options.interval}
        write(Path(name), server.port, **said, gap=_GAP)
        began = time.monotonic()
        async with running(Path(name)) as service:
            await service.event("started", 600)
            say(f"started after {time.monotonic() - began:.1f} s, {megabytes(service.process.pid):.0f} MB")
            await watch(service, server, options)
            await service.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=10_000)
    parser.add_argument("--sites", type=int, default=1_000)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--interval", type=float, default=300.0)
    parser.add_argument("--rounds", type=float, default=1.0)
    options = parser.parse_args()
    say(f"{options.feeds} feeds on {options.sites} sites, {options.items} items each; load {os.getloadavg()[0]:.1f}")
    asyncio.run(measure(options))


if __name__ == "__main__":
    main()
