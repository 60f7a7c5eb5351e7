"""What took seconds to build, kept on disk between two starts: the names of files, and the automaton.

    <data_dir>/cache/<kind>-<key>      key: hash of all that it was made of, and of the code that made it

A file begins with a hash of the rest: one that is damaged, cut short or of another code is as none, and is built anew. The
hash is no signature. What is stored is numbers, texts and the automaton's own format, never objects of Python; the automaton's
library believes its format, so whoever may write into the data directory can crash the service, as with the bus beside it.
"""

import hashlib
import os
import sys
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

_KEPT: Final = 4
"""Files of one kind; those used longest ago go."""
_DIGEST: Final = 32
_MADE_BY: Final = ("", "text", "watchlist")


class Stored:
    """One folder. Nothing of it raises: without a disk everything is built, every time."""

    def __init__(self, folder: Path, least: int = 1_000_000) -> None:
        """What has fewer than `least` bytes is built again faster than it is worth keeping."""
        self._folder = folder
        self._least = least

    def get(self, kind: str, parts: Iterable[bytes]) -> bytes | None:
        """What was put, if it is whole."""
        path = self._path(kind, parts)
        try:
            content = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        whole = hashlib.blake2b(memoryview(content)[_DIGEST:], digest_size=_DIGEST).digest() == content[:_DIGEST]
        return content[_DIGEST:] if whole else None

    def put(self, kind: str, parts: Iterable[bytes], content: bytes) -> None:
        """Keep it, at once or not at all."""
        if len(content) < self._least:
            return
        path = self._path(kind, parts)
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._folder, prefix=f"{kind}-", suffix=".new", delete=False) as file:
                try:
                    file.write(hashlib.blake2b(content, digest_size=_DIGEST).digest())
                    file.write(content)
                    file.close()
                    Path(file.name).replace(path)
                except OSError:
                    Path(file.name).unlink(missing_ok=True)
                    raise
            self._tidy(kind)

    def _path(self, kind: str, parts: Iterable[bytes]) -> Path:
        key = hashlib.blake2b(made_by(), digest_size=16)
        for part in parts:
            key.update(len(part).to_bytes(8))
            key.update(part)
        return self._folder / f"{kind}-{key.hexdigest()}"

    def _tidy(self, kind: str) -> None:
        found = sorted(self._folder.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime)
        for path in found[:-_KEPT]:
            path.unlink(missing_ok=True)


class NotStored(Stored):
    """For commands that are run once, and for tests: keeps nothing."""

    def __init__(self) -> None:
        super().__init__(Path(os.devnull))

    def put(self, kind: str, parts: Iterable[bytes], content: bytes) -> None: ...


@cache
def made_by() -> bytes:
    """A hash of all that decides what is made of a name: this code, its libraries, Unicode, the machine's order of bytes."""
    digest = hashlib.blake2b(digest_size=16)
    for name in ("daachorse", "numpy", "msgspec"):
        with suppress(ImportError):
            digest.update(version(name).encode())
    digest.update(f"{sys.version_info} {unicodedata.unidata_version} {sys.byteorder}".encode())
    for folder in _MADE_BY:
        for source in sorted(files("consumers").joinpath(folder).iterdir(), key=lambda entry: entry.name):
            if source.name.endswith((".py", ".yaml")):
                digest.update(source.read_bytes())
    return digest.digest()
