"""Many made-up worlds, one a seed; a seed that fails is told with how to repeat it.

python -m tests.simulation [SEEDS] [FIRST]
"""

import hashlib
import logging
import sys
import time
from collections import Counter

import structlog

from daemon.bus.topics import DEADLETTER, TOPICS
from tests.simulation.laws import judge
from tests.simulation.life import live
from tests.simulation.sense import make_sense
from tests.simulation.world import World

_SILENT = logging.CRITICAL


def figures(world: World) -> Counter[str]:
    """What a world came to. `repeats` are messages a receiver took more than once."""
    killed = [process.at_death for process in world.processes if process.killed]
    return Counter({
        "lives": len(world.processes),
        "kills": len(killed),
        "in a commit": sum(death["in a commit"] > 0 for death in killed),
        "in a step": sum(death["in a step"] > 0 for death in killed),
        "in flight": sum(death["in flight"] > 0 for death in killed),
        "zombies": world.zombies,
        "jumps": len(world.jumps),
        "articles": len(world.press.written),
        "messages": len(world.outside.took),
        "repeats": sum(world.outside.took.values()) - len(world.outside.took),
        "dead letters": sum(1 for _ in world.records(DEADLETTER)),
    })  # fmt: skip


def fingerprint(world: World) -> str:
    """Of everything on all topics."""
    digest = hashlib.blake2b(digest_size=8)
    for topic in TOPICS:
        for record in world.records(topic):
            digest.update(repr(record).encode())
    return digest.hexdigest()


def main(seeds: int, first: int) -> int:
    sense, total, failed, begun = make_sense(), Counter[str](), [], time.monotonic()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_SILENT))
    for seed in range(first, first + seeds):
        world, wrong = live(seed, sense, judge)
        total += figures(world)
        if wrong:
            failed.append(seed)
            _say(f"seed {seed} FAILED; again: python -m tests.simulation 1 {seed}", *wrong[:20])
        if seeds == 1:
            _say(f"seed {seed}: {fingerprint(world)}")
        elif sys.stderr.isatty():
            sys.stderr.write(f"\r{seed - first + 1}/{seeds}")
    minutes = (time.monotonic() - begun) / 60
    _say(
        f"seeds {first} to {first + seeds - 1} in {60 * minutes:.0f} s, {total['lives'] / minutes:.0f} lives a minute: "
        + ", ".join(f"{name} {count}" for name, count in total.items())
        + f", failed {len(failed)}"
    )
    return 1 if failed else 0


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201 - a script's answer


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*(numbers + [1000, 0][len(numbers) :])))
