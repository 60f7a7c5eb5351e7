"""A small file system of its own, in memory, that can be filled up: root only."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def unmountable() -> str | None:
    """Why no file system can be mounted here, or None."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return "a file system of its own can be mounted by root only"
    return None


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """The folder, made for it, is a file system of this size. Raises `CalledProcessError` where mounting is not allowed."""
    folder.mkdir()
    options = ("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder)
    subprocess.run(["mount", *options], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder: Path, free: int) -> Path:
    """Fill the disk but for about `free` bytes, which others may be writing to; gives the file to delete for space."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        while (room := shutil.disk_usage(folder).free - free) > 0:
            with suppress(OSError):  # somebody has taken some of it meanwhile
                os.posix_fallocate(file.fileno(), file.tell(), room)
                file.seek(room, os.SEEK_CUR)
    return ballast
