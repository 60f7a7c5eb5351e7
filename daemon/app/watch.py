"""Sees that files have changed: what people edit, and what Kubernetes swaps behind a link. Reads none of them.

    folders of the files ─ the kernel's notices ─┐
    every few seconds, as a notice may be missed ┴─▶ look ─▶ other than before?

A notice is only a hint to look; what counts is what `look` finds: so it does not matter whether an editor writes in place or
renames, whether a link is swapped, a folder vanishes and returns, or a file system gives no notices.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

from watchfiles import awatch

LOOK: Final = 5.0
"""Seconds after which one looks without any notice."""
STEP: Final = 250
"""Milliseconds of silence after which a burst of notices is over; a burst that does not end lasts `DEBOUNCE`."""
DEBOUNCE: Final = 1_500
_PAUSE: Final = 1.0
_MOST_MATCHES: Final = 10_000

Glimpse: TypeAlias = Mapping[str, tuple[int, ...]]
"""How each file stands: equal as long as nobody has touched them."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Files by name, and patterns relative to `folder`, which may come to match others."""

    files: frozenset[Path]
    patterns: Sequence[str]
    folder: Path

    def look(self) -> Glimpse:
        """How all of it stands now; a file that is missing stands nowhere."""
        seen = {str(path): _standing(path) for path in self.files}
        for pattern in self.patterns:
            found = islice(self._matches(pattern), _MOST_MATCHES)
            seen |= {str(path): _standing(path) for path in found}
        return seen

    def folders(self) -> frozenset[tuple[str, int, int]]:
        """Existing folders in which changes show, each with what tells it from another of the same name."""
        wanted = {folder for path in self.files for folder in _places(path)}
        wanted |= {self.folder / _fixed(pattern) for pattern in self.patterns}
        return frozenset(found for folder in wanted if (found := _existing(folder)) is not None)

    def _matches(self, pattern: str) -> Iterator[Path]:
        given = Path(pattern)
        root = Path(given.anchor) if given.is_absolute() else self.folder
        with suppress(OSError, ValueError):
            yield from root.glob(str(given.relative_to(given.anchor)))


class Holder:
    """What is watched at present."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched


async def watch(holder: Holder, stir: asyncio.Event) -> None:
    """Set `stir` whenever it is time to look. Goes on until it is cancelled."""
    while True:
        folders = await asyncio.to_thread(holder.watched.folders)
        with suppress(OSError, RuntimeError):  # a folder vanished meanwhile, or there are no notices to be had
            await _follow(holder, folders, stir)
        stir.set()
        await asyncio.sleep(_PAUSE)


async def _follow(holder: Holder, folders: frozenset[tuple[str, int, int]], stir: asyncio.Event) -> None:
    """Until other folders are to be followed."""
    names = sorted(name for name, _, _ in folders)
    notices = awatch(
        *names,
        watch_filter=None,
        debounce=DEBOUNCE,
        step=STEP,
        rust_timeout=int(LOOK * 1000),
        yield_on_timeout=True,
        recursive=False,
        ignore_permission_denied=True,
    )
    async with aclosing(notices):
        async for _ in notices:
            stir.set()
            if await asyncio.to_thread(holder.watched.folders) != folders:
                return


def _standing(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _places(path: Path) -> Iterable[Path]:
    """The folder of a file, those of links on the way to it, and that of the file they lead to."""
    yield path.absolute().parent
    with suppress(OSError, RuntimeError):
        yield from (step.parent for step in path.absolute().parents if step.is_symlink())
        yield path.resolve().parent


def _fixed(pattern: str) -> Path:
    """The folder up to a pattern's first part that is none."""
    parts = Path(pattern).parts[:-1]
    cut = next((index for index, part in enumerate(parts) if set("*?[") & set(part)), len(parts))
    return Path(*parts[:cut])


def _existing(folder: Path) -> tuple[str, int, int] | None:
    """The folder, or the nearest above it that is there: in it the others will appear again."""
    for candidate in (folder, *folder.parents):
        with suppress(OSError, ValueError):
            found = candidate.stat()
            if candidate.is_dir():
                return str(candidate), found.st_dev, found.st_ino
    return None
