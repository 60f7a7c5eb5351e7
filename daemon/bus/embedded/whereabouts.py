"""Whether the files a service has opened are still those that stand under their names: people move and delete files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeAlias

from daemon.errors import BusRefused

Identity: TypeAlias = tuple[int, int]

_LEFT: Final = ".left-behind"


def identity(path: Path) -> Identity | None:
    """Which file stands there (device and inode), None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def stands(path: Path) -> bool:
    """Whether anything is there. Raises `BusRefused` where that cannot be told: a folder we may not search, a name too long."""
    try:
        return path.exists()
    except OSError as error:
        raise BusRefused(f"whether it is there cannot be told: {error.strerror}", subject=str(path)) from error


class Whereabouts:
    """Knows the files as they were when it was made."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._known = {path: identity(path) for path in files}

    def trouble(self) -> str | None:
        """What has become of them, in one sentence, or None."""
        for path, known in self._known.items():
            now = identity(path)
            if now is None:
                return (
                    f"{path.name} was removed while the service ran; put a backup in its place, or start anew with an empty bus"
                )
            if now != known:
                return f"{path.name} was replaced while the service ran; stop the service first, then use `rasid restore`"
        return None

    def replaced(self, path: Path) -> bool:
        """Whether another file stands under the name of one we knew."""
        return identity(path) not in {None, self._known[path]}


def leave_behind(path: Path) -> None:
    """Move the log of a file that was replaced out of the way: applied to its successor, it would ruin that one."""
    for log in (path.with_name(path.name + end) for end in ("-wal", "-shm")):
        if log.exists():
            log.replace(log.with_name(log.name + _LEFT))
