"""One service at a time: a lock on a side file, which the system frees when its holder dies, however it dies.

Forked children share the lock: worker processes must be spawned, or they would keep a dead service's place.
"""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from daemon.bus.embedded.whereabouts import identity
from daemon.errors import BusRefused

_NO_LOCKS: Final = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}
_FOR_SERVICES: Final = "for more than one process, use bus.kind: kafka"


class ServiceLock:
    """Held from `take` to `release`."""

    def __init__(self, path: Path) -> None:
        self.file = path.with_name(path.name + ".lock")
        self._path = path
        self._descriptor: int | None = None

    def take(self, advice: str = _FOR_SERVICES) -> None:
        """`advice`: what to do about the service that holds it.

        Raises `BusRefused` when another service lives, and `OSError` when the side file cannot be made.
        """
        descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            reason = f"another service (process {holder}) already runs on this file; {advice}"
            raise BusRefused(reason, subject=str(self._path)) from error
        except OSError as error:
            os.close(descriptor)
            if error.errno not in _NO_LOCKS:
                raise
            reason = f"the file system there has no locks ({error.strerror}); put data_dir on a local disk"
            raise BusRefused(reason, subject=str(self._path)) from error
        if identity(self.file) != (os.fstat(descriptor).st_dev, os.fstat(descriptor).st_ino):
            os.close(descriptor)
            raise BusRefused(f"{self.file.name} was removed at this moment; start again", subject=str(self._path))
        self._descriptor = descriptor
        with suppress(OSError):  # the number is for people; a full disk must not refuse it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
