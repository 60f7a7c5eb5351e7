"""Runs one row of the table: trial after trial, each drawn from the seed, on record when it is done.

    Row.experiment(run) ─▶ for number in run.trials(): … run.chance(number) … ─▶ counts in run.tally; raises if a law breaks

An experiment either leads one ledger through all its trials (`run.folder` outlives the harness), or makes everything anew
in each batch (`run.batches`).
"""

import random
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.e2e.service import ROOT
from tests.faults.progress import Progress, Tally

KEPT: Final = ROOT / ".cache" / "faults"
_CODE: Final = ("daemon", "consumers", "alerts", "tests")


class Run:
    """A row under way. `most`: trials to be done now; the row may be longer."""

    def __init__(self, folder: Path, progress: Progress, save: Callable[[], None], most: int) -> None:
        self.folder = folder
        self.progress = progress
        self._save = save
        self._until = progress.done + most

    @property
    def tally(self) -> Tally:
        return self.progress.tally

    @property
    def seed(self) -> int:
        return self.progress.seed

    @property
    def cut_off(self) -> int:
        """Messages whose answer interruptions may have cut off: each may have killed a process, and forgotten a trial."""
        return 2 * self.progress.interruptions

    def chance(self, number: int) -> random.Random:
        """What trial `number` draws from."""
        return random.Random(f"{self.seed}.{number}")

    def trials(self) -> Iterator[int]:
        """The numbers of the trials to be done now. One is done, and on record, when the next is asked for."""
        for batch in self.batches(1):
            yield batch[0]

    def batches(self, size: int) -> Iterator[Sequence[int]]:
        """The same, so many at a time, for trials that share what does not outlive the harness."""
        while self.progress.done < self._until:
            batch = range(self.progress.done, min(self.progress.done + size, self._until))
            yield batch
            self.progress.done = batch.stop
            self._save()


@dataclass(frozen=True, slots=True)
class Row:
    """One experiment. `times`: how often the table of delivery.md asks for it, in `unit`s. `lacks`: why it cannot run here."""

    name: str
    times: int
    unit: str
    experiment: Callable[[Run], Awaitable[None]]
    lacks: Callable[[], str | None] = lambda: None
    kept: Path = KEPT

    @property
    def file(self) -> Path:
        """Where its progress stands."""
        return self.kept / f"{self.name}.json"

    @property
    def folder(self) -> Path:
        """Where its ledger and its bus are kept until it is done."""
        return self.kept / self.name

    async def run(self, seed: int, most: int) -> Progress:
        """Go on where the last run ended, or begin with the seed. Progress tells of a broken law, too, by `failed`."""
        progress = Progress.load(self.file) or Progress(seed)
        progress.interruptions += progress.under_way
        progress.under_way = True
        if (commit := _commit()) not in progress.commits:
            progress.commits.append(commit)
        progress.date = datetime.now(UTC).date().isoformat()
        progress.save(self.file)
        self.folder.mkdir(parents=True, exist_ok=True)
        most = min(most, self.times - progress.done)
        try:
            await self.experiment(Run(self.folder, progress, lambda: progress.save(self.file), most))
            progress.under_way = False
            if progress.done >= self.times:
                shutil.rmtree(self.folder)
        except Exception as error:
            progress.failed, progress.under_way = (str(error) or repr(error)).splitlines()[0][:200], False
            raise
        finally:
            # A run that was cancelled has not settled: it stays under way.
            progress.save(self.file)
        return progress

    def forget(self) -> None:
        """So that the next run begins anew."""
        self.file.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def _commit() -> str:
    """The commit checked out, with a plus where code differs from it."""
    commit, changed = (_git(*command) for command in (("rev-parse", "--short=7", "HEAD"), ("status", "--porcelain", *_CODE)))
    return f"{commit or 'unknown'}{'+' if changed else ''}"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False, text=True).stdout.strip()
