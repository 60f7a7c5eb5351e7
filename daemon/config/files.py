"""Files that people name in configuration, read whole: plain files of a bounded size, never a device or a pipe.

Whoever wants to know which files were read, to see them change, asks by `noting`.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

SECRET: Final = 1_000_000
DOCUMENT: Final = 64_000_000
LIST: Final = 1_000_000_000
"""Most bytes of a secret, of a YAML file, of a list of names."""

_NOTED: Final[ContextVar[set[Path] | None]] = ContextVar("noted", default=None)
"""Secrets are read by validators deep inside pydantic, which hand nothing back: so what was read is noted here."""


@contextmanager
def noting() -> Iterator[set[Path]]:
    """All files that are read in the block, or were to be read and could not be; a block around this one has them, too."""
    files: set[Path] = set()
    around = _NOTED.get()
    token = _NOTED.set(files)
    try:
        yield files
    finally:
        _NOTED.reset(token)
        if around is not None:
            around |= files


def read_plain(path: Path, limit: int) -> bytes:
    """The file's bytes. Raises `OSError`, also for what is not a plain file or holds more than `limit` bytes."""
    noted = _NOTED.get()
    if noted is not None:
        noted.add(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error)) from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a plain file")
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit} bytes")
    return content
