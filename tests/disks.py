"""Disks that tests may fill: small file systems in memory, which only root can mount."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
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


def fill(folder: Path, free: int) -> Path:
    """Fill the disk but for `free` bytes; gives the file that does it."""
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(free_bytes(folder) - free))
    return ballast
