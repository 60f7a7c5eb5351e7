"""The figures of docs/reliability.md: one line a row of the table, that of the longest run."""

import re
from pathlib import Path
from typing import Final

from tests.e2e.service import ROOT
from tests.faults.progress import COUNTED, Progress
from tests.faults.run import Row

PAGE: Final = ROOT / "docs" / "reliability.md"
_TABLE: Final = re.compile(r"(<!-- faults: begin -->\n)(.*?)(<!-- faults: end -->)", re.DOTALL)


def line(row: Row, progress: Progress) -> str:
    """As much as was run of how much, what it came to, and what it takes to run it again."""
    ran = f"{progress.done} of {row.times} {row.unit}" if progress.done < row.times else f"{row.times} {row.unit}"
    counts = [f"{progress.tally.counts[name]:,}" if name in progress.tally.counts else "" for name in COUNTED]
    said = "; ".join(filter(None, (progress.failed and f"**failed:** {progress.failed}", progress.tally.told())))
    cells = (f"`{row.name}`", ran, *counts, said, str(progress.seed), progress.date, " ".join(progress.commits))
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


def rewrite(row: Row, progress: Progress, page: Path = PAGE) -> bool:
    """Put the row's line in the place of its last one, unless that is of more trials; the others stay as they are.

    A broken law is written in any case. False when the last line stays.
    """
    text = page.read_text("utf-8")
    found = _TABLE.search(text)
    assert found is not None, f"{page} has no place for the figures"
    lines = found[2].splitlines(keepends=True)
    others = [each for each in lines if not each.startswith(f"| `{row.name}` |")]
    if not progress.failed and any(_trials(each) > progress.done for each in lines if each not in others):
        return False
    table = "".join([*others[:2], *sorted([*others[2:], line(row, progress)])])
    page.write_text(text[: found.start(2)] + table + text[found.end(2) :], "utf-8")
    return True


def _trials(line: str) -> int:
    """How many were run: the first number of the second cell (`137 of 500 kills`, `500 kills`)."""
    return int(line.split("|")[2].split(maxsplit=1)[0])
