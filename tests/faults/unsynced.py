"""A disk that forgets: an SQLite VFS that knows which writes no sync has covered, and can undo them as a power cut would.

files ─ Disk (every write since the last sync, with what it overwrote) ─ cut ─▶ a folder as a machine finds it when it starts

While a `Disk` is mounted, it is the default VFS of this process.
"""
# ruff: noqa: N802, FBT001 - the methods are called as SQLite's interface calls them

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

import apsw

BASE: Final = apsw.vfs_names()[0]
SECTOR: Final = 512
"""What a disk writes whole or not at all."""


class Cut(StrEnum):
    """What becomes of what was not synced."""

    ALL = "all"
    """Nothing of it arrived."""
    TAIL = "tail"
    """The disk wrote in order, up to a point."""
    SECTORS = "sectors"
    """The disk wrote in any order: of each write any of its sectors arrived."""


@dataclass(frozen=True, slots=True)
class _Change:
    """One write, or a truncation when `new` is None: where, what stood there, how long the file was before."""

    at: int
    old: bytes
    size: int
    new: bytes | None


@dataclass(slots=True)
class _Held:
    """What is not durable of one file."""

    durable: bool
    changes: list[_Change] = field(default_factory=list)


class Disk:
    """The files of one folder. After `cut` no write succeeds any more."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._lock = threading.RLock()
        self._held: dict[str, _Held] = {}
        self._off = False

    @contextmanager
    def mounted(self) -> Iterator[Self]:
        vfs = _Vfs(self)
        try:
            yield self
        finally:
            vfs.unregister()

    def cut(self, source: Path, target: Path, kind: Cut) -> None:
        """End all writing, and make in `target` what of `source` would be found after a start."""
        target.mkdir()
        with self._lock:
            self._off = True
            for path in source.iterdir():
                held = self._held.get(path.name, _Held(durable=True))
                if path.name.endswith(("-shm", ".lock")) or not (held.durable or self._survives(kind)):
                    continue
                (target / path.name).write_bytes(self._found(path.read_bytes(), held.changes, kind))

    def opened(self, name: str, *, new: bool) -> None:
        with self._lock:
            if new or name not in self._held:
                self._held[name] = _Held(durable=not new)

    def deleted(self, name: str) -> None:
        with self._lock:
            self.refuse()
            self._held.pop(name, None)

    @contextmanager
    def changing(self, name: str, change: _Change) -> Iterator[None]:
        with self._lock:
            self.refuse()
            self._held[name].changes.append(change)
            yield

    def synced(self, name: str) -> None:
        """The real disk need not be asked: what this one says is all that counts."""
        with self._lock:
            self.refuse()
            self._held[name] = _Held(durable=True)

    def refuse(self) -> None:
        if self._off:
            raise apsw.IOError("the power is off")

    def _survives(self, kind: Cut) -> bool:
        """Whether a file whose name was never synced is there."""
        return kind is not Cut.ALL and self._rng.random() < 0.5

    def _found(self, content: bytes, changes: Sequence[_Change], kind: Cut) -> bytes:
        image = bytearray(content)
        for change in reversed(changes):
            _resize(image, change.size)
            image[change.at : change.at + len(change.old)] = change.old
        arrived = {Cut.ALL: 0, Cut.TAIL: self._rng.randint(0, len(changes)), Cut.SECTORS: len(changes)}[kind]
        for change in changes[:arrived]:
            if change.new is None:
                _resize(image, change.at)
            else:
                self._write(image, change.at, change.new, kind)
        return bytes(image)

    def _write(self, image: bytearray, at: int, new: bytes, kind: Cut) -> None:
        share = 1.0 if kind is Cut.TAIL else self._rng.choice((0.0, 0.5, 1.0))
        _resize(image, max(len(image), at + len(new)))
        for start in range(0, len(new), SECTOR):
            if self._rng.random() < share:
                sector = new[start : start + SECTOR]
                image[at + start : at + start + len(sector)] = sector


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str, filename: "str | apsw.URIFilename | None", flags: list[int]) -> None:
        super().__init__(BASE, filename, flags)
        self._disk = disk
        self._name = name

    def xWrite(self, data: "bytes", offset: int) -> None:
        size = self.xFileSize()
        old = self.xRead(min(len(data), size - offset), offset) if offset < size else b""
        with self._disk.changing(self._name, _Change(offset, bytes(old), size, bytes(data))):
            super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        size = self.xFileSize()
        old = self.xRead(size - newsize, newsize) if newsize < size else b""
        with self._disk.changing(self._name, _Change(newsize, bytes(old), size, None)):
            super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        self._disk.synced(self._name)


class _Vfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        super().__init__("unsynced", BASE, makedefault=True)
        self._disk = disk

    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> apsw.VFSFile:
        path = Path(str(name.filename() if isinstance(name, apsw.URIFilename) else name))
        new = not path.exists()
        file = _File(self._disk, path.name, name, flags)
        self._disk.opened(path.name, new=new)
        return file

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self._disk.deleted(Path(filename).name)
        super().xDelete(filename, syncdir)


def _resize(image: bytearray, size: int) -> None:
    if len(image) > size:
        del image[size:]
    else:
        image.extend(bytes(size - len(image)))
