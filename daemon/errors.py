"""What can go wrong, typed: what, about which thing, and whether trying again can help.

Library errors are translated into these at the edge; the cause is chained.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class RasidError(Exception):
    """Base of all errors Rasid raises on purpose. `subject` names the thing, `retry` says whether later may be better."""

    retry = False

    def __init__(self, reason: str, *, subject: str = "") -> None:
        super().__init__(f"{subject}: {reason}" if subject else reason)
        self.reason = reason
        self.subject = subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake in a file people write: where it stands (line and column from 1, 0 when unknown), which key, and why."""

    file: str
    line: int = 0
    column: int = 0
    key: str = ""
    reason: str

    def __str__(self) -> str:
        place = ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])
        return f"{place}: {self.key}: {self.reason}" if self.key else f"{place}: {self.reason}"


class ConfigError(RasidError):
    """Files that people write cannot be used as they are. Carries every problem found, in the order of the files."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class DecodeError(RasidError):
    """Bytes on a topic are not a message this version can read."""


class BusError(RasidError):
    """The bus cannot do what was asked now: broker away, disk full, file locked."""

    retry = True


class BusRefused(BusError):
    """The bus must not be used as it is: a second service, another version's file, other partition counts. People must act."""

    retry = False


class NewerRow(BusRefused):
    """A newer version of Rasid wrote a row in a format this one does not know. It is no record's fault: nothing is set aside.

    Whoever leaves a lease by it is offered no more; the engine's `leases` ends with it, told `at` which place.
    """

    def __init__(self, row: str, version: object, *, subject: str = "") -> None:
        super().__init__(
            f"{row} has format {version} of a newer version of Rasid; run that version: this one leaves all as it is",
            subject=subject,
        )
        self._made_of = (row, version)

    def at(self, place: str) -> "NewerRow":
        """The same, of a row that stands there."""
        return NewerRow(*self._made_of, subject=place)


class TooLarge(RasidError):
    """A record or row exceeds 8 MiB; nothing of its step was written. The step's fault, not the bus's."""


class Lost(BusError):
    """The lease is no longer ours: nothing of the step was committed, its results are to be dropped."""
