"""SQLite's errors and the file system's, in Rasid's words: what about which file, and whether later may be better."""

import errno
from pathlib import Path
from typing import Final

import apsw

from daemon.errors import BusError, BusRefused

_Reasons = tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...]

FULL: Final = "the disk is full; nothing was written, and writing goes on once there is space"
FULL_FOR_ONCE: Final = "the disk is full: make space, then try again"
"""Said by a command, which does not wait for space."""
_WAIT: Final[_Reasons] = (((apsw.BusyError, apsw.LockedError), "another process keeps the file locked"),)
_ACT: Final[_Reasons] = (
    (
        apsw.NotADBError,
        "the file is damaged (it is not an SQLite file); restore a backup, or move it away to begin an empty one",
    ),
    (apsw.CorruptError, "the file is damaged ({}); restore a backup, or move it away to begin an empty one"),
    ((apsw.ReadOnlyError, PermissionError), "the file or its folder may not be written by this user"),
    ((apsw.CantOpenError, OSError), "the file cannot be opened or made there: {}"),
)


def translate(error: apsw.Error | OSError, path: Path, *, service: bool = True) -> BusError:
    """The error to raise from `error`. What people must put right is a `BusRefused`; a `service` waits for space."""
    if isinstance(error, apsw.FullError) or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        return BusError(FULL if service else FULL_FOR_ONCE, subject=str(path))
    for kinds, reason in _ACT:
        if isinstance(error, kinds):
            return BusRefused(reason.format(getattr(error, "strerror", None) or error), subject=str(path))
    for kinds, reason in _WAIT:
        if isinstance(error, kinds):
            return BusError(reason, subject=str(path))
    return BusError(f"the file cannot be read or written now: {error}", subject=str(path))
