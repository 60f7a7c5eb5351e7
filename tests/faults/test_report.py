"""The figures of docs/reliability.md: what was run is told, how much of it, and nothing else is touched."""

from pathlib import Path

from tests.faults.__main__ import listed
from tests.faults.progress import Progress
from tests.faults.report import PAGE, line, rewrite
from tests.faults.run import Row, Run
from tests.faults.table import ROWS
from tests.test_docs import agree


async def _count(run: Run) -> None:
    for _ in run.trials():
        run.tally.counts["lost"] += 0


ROW = Row("some", 500, "kills", _count)


def test_every_row_is_explained() -> None:
    """The page says of each row what is done, and of no other."""
    agree("faults", ROWS)


def test_a_part_is_called_a_part() -> None:
    """A row that ran in part says how much of how much; what was not counted has no figure."""
    progress = Progress(seed=7, done=137, date="2026-01-02", commits=["abcdef0"])
    progress.tally.counts["lost"] = 0
    progress.tally.note("restart", 0.5)
    said = "restart 0.5 s, at most 0.5 s"
    assert line(ROW, progress) == f"| `some` | 137 of 500 kills |  | 0 |  |  |  | {said} | 7 | 2026-01-02 | abcdef0 |\n"


def test_a_line_takes_the_place_of_its_last(tmp_path: Path) -> None:
    """Other lines and the text around stay as they are."""
    page = tmp_path / "page.md"
    page.write_text(before := PAGE.read_text("utf-8"), "utf-8")
    rewrite(ROW, Progress(seed=1, done=1), page)
    rewrite(ROW, second := Progress(seed=1, done=500), page)
    after = page.read_text("utf-8")
    assert "| `some` | 500 kills |" in line(ROW, second)
    assert after.replace(line(ROW, second), "") == before


def test_a_shorter_run_leaves_the_figures_of_a_longer_one(tmp_path: Path) -> None:
    """A trial of a row does not take the place of what hours have shown; as many trials do, and a broken law always does."""
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text("utf-8"), "utf-8")
    assert rewrite(ROW, Progress(seed=1, done=500), page)
    full = page.read_text("utf-8")
    assert not rewrite(ROW, Progress(seed=2, done=1), page)
    assert page.read_text("utf-8") == full
    assert rewrite(ROW, Progress(seed=3, done=500), page)
    assert rewrite(ROW, Progress(seed=4, done=1, failed="lost 1"), page)
    assert "| `some` | 1 of 500 kills |" in page.read_text("utf-8")


def test_the_rows_are_listed_in_columns() -> None:
    """However long a name or a unit is: the next column begins at one place in all lines."""
    begins = {listed(row).index(f" {row.times} {row.unit} ") + len(f" {row.times}") for row in ROWS.values()}
    assert len(begins) == 1
