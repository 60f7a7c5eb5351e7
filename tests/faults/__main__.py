"""Runs rows of the table of faults, for hours if need be, and writes their figures into docs/reliability.md.

    python -m tests.faults [ROW ...] [--seed N] [--times K] [--anew] [--list]

Without ROW: all that are not complete, one after the other. A row goes on where an interrupted run ended; `--times K` does no
more than K trials of each now; `--anew`, or another `--seed`, begins again. Figures of more trials than were run stay, unless
a law was broken. Exit code 1 when a law was broken: the row's
folder in `.cache/faults` stays as it was found, and the row waits for `--anew`.
"""

import argparse
import asyncio
import secrets
import signal
import sys
import traceback
from time import monotonic
from typing import Final

from tests.faults.progress import COUNTED, Progress
from tests.faults.report import rewrite
from tests.faults.run import Row
from tests.faults.table import ROWS

_LONGEST_NAME: Final = max(map(len, ROWS))
_LONGEST_UNIT: Final = max(len(row.unit) for row in ROWS.values())


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a script's answer


async def run(row: Row, seed: int | None, most: int, *, anew: bool) -> bool:
    """One row, or what may be run of it now; whether all laws held."""
    known = Progress.load(row.file)
    if anew or (known is not None and seed not in {None, known.seed}):
        row.forget()
        known = None
    if known is not None and (known.failed or known.done >= row.times):
        say(f"{row.name}: {f'failed: {known.failed}' if known.failed else 'complete'}, seed {known.seed}; --anew to repeat it")
        return not known.failed
    if (reason := row.lacks()) is not None:
        say(f"{row.name}: SKIPPED: {reason}")
        return True
    began, seed = monotonic(), known.seed if known else secrets.randbelow(2**32) if seed is None else seed
    say(f"{row.name}: seed {seed}, from {known.done if known else 0} of {row.times} {row.unit}")
    try:
        await row.run(seed, most)
    except Exception:  # noqa: BLE001 - the boundary of one row: the others are run all the same
        traceback.print_exc()
    progress = Progress.load(row.file)
    assert progress is not None
    if not rewrite(row, progress):
        say(f"{row.name}: docs/reliability.md keeps its figures, which are of more trials")
    counts = ", ".join(f"{name} {count}" for name, count in progress.tally.counts.items() if name in COUNTED)
    say(
        f"{row.name}: {progress.done} of {row.times} {row.unit}: {counts}; {progress.tally.told()}; {monotonic() - began:.0f} s"
    )
    return not progress.failed


def listed(row: Row) -> str:
    progress = Progress.load(row.file)
    state = f"{progress.done} done, seed {progress.seed}" if progress else "not begun"
    failed = " FAILED" if progress and progress.failed else ""
    return f"{row.name:{_LONGEST_NAME}} {row.times:4} {row.unit:{_LONGEST_UNIT}} {state}{failed}"


async def main(arguments: argparse.Namespace) -> int:
    rows = [ROWS[name] for name in arguments.row or ROWS]
    if arguments.list:
        say("\n".join(map(listed, rows)))
        return 0
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    held = [await run(row, arguments.seed, arguments.times, anew=arguments.anew) for row in rows]
    return 0 if all(held) else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Break Rasid on purpose, and count.")
    parser.add_argument("row", nargs="*", choices=[*ROWS, []], help="rows of the table; all when left out", metavar="ROW")
    parser.add_argument("--seed", type=int, help="draw as a run with this seed did")
    parser.add_argument(
        "--times", type=int, default=sys.maxsize, help="at most so many trials of each row now (the page keeps figures of more)"
    )
    parser.add_argument("--anew", action="store_true", help="forget what was run so far")
    parser.add_argument("--list", action="store_true", help="show the rows and how far they are")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(parse())))
    except asyncio.CancelledError:
        sys.exit("interrupted: the same command goes on from here")
