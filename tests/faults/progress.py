"""How far a row of the table has come, and what it has counted: a file that an interrupted run goes on from."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final, Self

import orjson

from tests.faults.balance import Balance

COUNTED: Final = ("published", "lost", "doubled", "repeats", "doubtful")


@dataclass(slots=True)
class Tally:
    """Counts and times of a row. `times`: seconds, by what took them (`restart`, `exit`, `gap`)."""

    counts: Counter[str] = field(default_factory=Counter)
    times: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, seconds: float) -> None:
        self.times.setdefault(what, []).append(round(seconds, 3))

    def state(self, balance: Balance) -> None:
        """The balance of a ledger that goes through the whole row takes the place of an earlier one."""
        self.counts.update(dict.fromkeys(COUNTED, 0))
        for name, count in _counts(balance).items():
            self.counts[name] = count

    def add(self, other: "Tally") -> None:
        """What another has counted, of a ledger of its own, on top."""
        self.counts.update(other.counts)
        for what, seconds in other.times.items():
            self.times.setdefault(what, []).extend(seconds)

    def told(self) -> str:
        """The times, and what else was counted, in words."""
        times = [f"{what} {median(took):.1f} s, at most {max(took):.1f} s" for what, took in sorted(self.times.items())]
        counts = [f"{what} {count:,}" for what, count in sorted(self.counts.items()) if what not in {*COUNTED, "doubts"}]
        return ", ".join(times + counts)


def _counts(balance: Balance) -> Mapping[str, int]:
    return {
        "published": len(balance.published),
        "lost": balance.lost,
        "doubled": balance.doubled,
        "repeats": balance.repeats,
        "doubtful": balance.doubtful,
    }


@dataclass(slots=True)
class Progress:
    """`done` of the row's times. `interruptions`: how often a run ended without having settled; each killed what then ran.

    `commits` are those of the code that was run; `failed` the first line of what ended the row, `date` its last day.
    """

    seed: int
    done: int = 0
    interruptions: int = 0
    under_way: bool = False
    failed: str = ""
    date: str = ""
    commits: list[str] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """What stands there, if anything does."""
        if not path.exists():
            return None
        kept = orjson.loads(path.read_bytes())
        tally = kept.pop("tally")
        return cls(**kept, tally=Tally(Counter(tally["counts"]), tally["times"]))

    def save(self, path: Path) -> None:
        """Whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_bytes(orjson.dumps(self, option=orjson.OPT_INDENT_2))
        new.replace(path)
