"""What a file of a million names costs at start: read and built, and read back from what is stored; time and memory.

    python -m benchmarks.names [NAMES]     1,000,000 by default

Each start is a process of its own. CPU time; the wall's, too, because disks take part.
"""

import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

_RNG: Final = random.Random(3)
_ALPHABETS: Final = ("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", "abcdefghiklmnoprstuvwyz")
_WATCHLIST: Final = "desk: d\nactors: [{file: names.csv}]\nrules: [{id: r, where: 'actor:a7 AND war'}]\n"


def write(folder: Path, count: int) -> None:
    """Two names an actor on average, half of them Arabic."""
    words = [["".join(_RNG.choices(letters, k=_RNG.randint(3, 9))) for _ in range(40_000)] for letters in _ALPHABETS]
    with (folder / "names.csv").open("w", encoding="utf-8") as file:
        file.write("id,kind,lang,name\n")
        for number in range(count):
            name = " ".join(_RNG.choices(words[number % 2], k=_RNG.choice((2, 2, 2, 3))))
            file.write(f"a{number // 2},person,{('ar', 'en')[number % 2]},{name}\n")
    (folder / "w.yaml").write_text(_WATCHLIST, "utf-8")


def start(folder: Path) -> None:
    """One start, told in a line."""
    from consumers.compile import compile_desks  # noqa: PLC0415 - what importing costs is a start's, too
    from consumers.given import given_article  # noqa: PLC0415
    from consumers.matcher import judge_article  # noqa: PLC0415
    from consumers.stored import Stored  # noqa: PLC0415
    from consumers.watchlist.read import read_watchlists  # noqa: PLC0415

    wall, cpu = time.perf_counter(), time.process_time()
    stored = Stored(folder / "cache")
    desks = read_watchlists(["w.yaml"], folder, {}, stored)
    read = time.process_time() - cpu
    compiled = compile_desks(desks, stored=stored)
    seconds, waited = time.process_time() - cpu, time.perf_counter() - wall
    name = desks[0].actors[7].aliases[0].text
    ((_, judgement),) = judge_article(compiled, given_article({"body": f"war {name} war"}, "a"))
    resident = int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize() / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    found = [actor.id for actor in judgement.actors] + [rule.id for rule in judgement.rules]
    sys.stdout.write(
        f"read {read:.2f} s, ready {seconds:.2f} s of CPU ({waited:.2f} s); resident {resident:.0f} MB, peak {peak:.0f} MB; "
        f"{len(compiled.searcher.terms):,} names, found {' '.join(found)}\n"
    )


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), count)
        for _ in ("built", "stored", "stored"):
            subprocess.run([sys.executable, "-m", "benchmarks.names", "start", folder], check=True)
        sizes = {path.name.split("-")[0]: path.stat().st_size / 1e6 for path in Path(folder, "cache").iterdir()}
        sys.stdout.write(f"on disk: {', '.join(f'{name} {size:.0f} MB' for name, size in sizes.items())}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["start"]:
        start(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
