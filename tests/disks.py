"""Disks that tests may fill: small file systems in memory, which only root can mount."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own at a new folder. Skips the test where that is not permitted."""
    folder.mkdir()
    try:
        options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs"]
        subprocess.run(["mount", *options, folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system of its own can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def unmountable() -> str | None:
    """Why no file system can be mounted here, or None."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return "a file system of its own can be mounted by root only"
    return None


def fill(folder: Path, free: int) -> Path:
    """Fill the disk but for about `free` bytes, which others may be writing to; gives the file that does it."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        while (room := free_bytes(folder) - free) > 0:
            with suppress(OSError):  # somebody has taken some of it meanwhile
                os.posix_fallocate(file.fileno(), file.tell(), room)
                file.seek(room, os.SEEK_CUR)
    return ballast
