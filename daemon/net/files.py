"""`file:` addresses: where they lie and what they hold. Only below one folder, symlinks followed before that is judged.

The rest of the address is a plain path, relative to the folder unless absolute; nothing in it is percent-decoded.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from daemon.errors import RasidError
from daemon.net.answers import Fetched, FetchOutcome
from daemon.net.bodies import Limits

SCHEME: Final = "file:"


class OutsideFolder(RasidError):
    """A `file:` address leads out of the folder that files may be read from."""


def is_file(url: str) -> bool:
    return url[: len(SCHEME)].lower() == SCHEME


def locate(url: str, folder: Path) -> Path:
    """The file's real path. Raises `OutsideFolder`; whether the file exists is not asked."""
    path = url[len(SCHEME) :]
    base = folder.resolve()
    try:
        found = (base / path.removeprefix("//")).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise OutsideFolder("is not a path that can be followed", subject=url) from error
    if not found.is_relative_to(base):
        raise OutsideFolder("lies outside the config file's folder; only files below it are read", subject=url)
    return found


@dataclass(frozen=True, slots=True)
class Files:
    """What `file:` addresses may name: files below the folder, of so many bytes at most."""

    folder: Path
    limit: int = Limits().decoded

    def read(self, url: str, known: str) -> Fetched:
        """See `read_file`."""
        return read_file(url, self.folder, known=known, limit=self.limit)


def read_file(url: str, folder: Path, *, known: str, limit: int) -> Fetched:
    """The file as if a server had sent it; its time and size are the ETag, and `known` is the one had before."""
    try:
        path = locate(url, folder)
        stat = path.stat()
        etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
        if not path.is_file():
            return Fetched(outcome=FetchOutcome.UNREADABLE_FILE, final_url=url, detail="is not a plain file")
        if etag == known:
            return Fetched(outcome=FetchOutcome.NOT_MODIFIED, final_url=url, etag=etag)
        with path.open("rb") as file:
            body = file.read(limit + 1)
    except OutsideFolder as error:
        return Fetched(outcome=FetchOutcome.REFUSED_FILE, final_url=url, detail=error.reason)
    except OSError as error:
        return Fetched(outcome=FetchOutcome.UNREADABLE_FILE, final_url=url, detail=error.strerror or "cannot be read")
    if len(body) > limit:
        return Fetched(outcome=FetchOutcome.TOO_LARGE, final_url=url, detail=f"over {limit} bytes")
    return Fetched(outcome=FetchOutcome.OK, body=body, final_url=url, etag=etag)
