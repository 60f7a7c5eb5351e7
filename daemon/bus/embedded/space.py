"""The floor of free space beside the file: what is left below it is for the hops to finish what is on the bus."""

import shutil
from pathlib import Path
from typing import Final

_ABOVE: Final = 1.05
"""So many times the floor must be free again, so that a disk about at its floor does not go back and forth."""


class FreeSpace:
    """Asks the file system each time. Where it cannot be asked nothing should be put either, and that is what is said."""

    def __init__(self, folder: Path, floor: int) -> None:
        self._folder = folder
        self._floor = floor
        self._short = False

    def trouble(self) -> str | None:
        """Why nothing more should be put there, in one sentence, or None. Cheap."""
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            return f"{self._folder}: how much space is free there cannot be told: {error.strerror}"
        self._short = free < self._floor * (_ABOVE if self._short else 1.0)
        if not self._short:
            return None
        return f"{self._folder}: only {free} bytes are free on the disk, and the floor is {self._floor} (bus.embedded.min_free)"
