"""The phrases that announce what is not the article's own text: read from `headings.yaml`, found in lines."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from consumers.text.fold import fold_key, fold_keys
from consumers.zones.reasons import BlockReason
from daemon.config.document import Document, read_document
from daemon.errors import ConfigError

_Parts: TypeAlias = tuple[str, ...]

_FILE: Final = Path(__file__).parent / "headings.yaml"
_LONGEST: Final = 400
_STEM: Final = 80
_HEAD: Final = 60
_COLON: Final = re.compile(r"[:：﹕|｜】\]›»–—]")


@dataclass(frozen=True, slots=True)
class Heading:
    """What a line announces. `tail` is what follows the phrase on the line itself; empty where the phrase stands alone."""

    reason: BlockReason
    tail: str = ""


class Headings:
    """Finds phrases in lines. A phrase holds for a whole line or before a colon; one with “…” for a line's beginning."""

    def __init__(self, phrases: Iterable[tuple[str, BlockReason]]) -> None:
        self._whole: dict[str, BlockReason] = {}
        self._begun: dict[str, list[tuple[_Parts, BlockReason]]] = {}
        for phrase, reason in phrases:
            parts = tuple(filter(None, (fold_key(part) for part in phrase.split("…"))))
            if "…" in phrase and parts:
                self._begun.setdefault(parts[0][0], []).append((parts, reason))
            elif parts:
                self._whole.setdefault(parts[0], reason)

    def find(self, lines: Sequence[str]) -> list[Heading | None]:
        """For each line what it announces, if anything. All are folded in one go: that is what keeps it cheap."""
        colons = [_colon(line) for line in lines]
        heads = [line[: max(colon, 0)] for line, colon in zip(lines, colons, strict=True)]
        keys = fold_keys([*(line[:_STEM] for line in lines), *heads])
        return [
            self._heading(line, key, head, line[colon + 1 :].strip(" -–—"))
            for line, colon, key, head in zip(lines, colons, keys, keys[len(lines) :], strict=False)
        ]

    def _heading(self, line: str, stem: str, head: str, tail: str) -> Heading | None:
        if stem in self._whole and len(line) <= _STEM:
            return Heading(self._whole[stem])
        if head in self._whole:
            return Heading(self._whole[head], tail)
        for parts, reason in self._begun.get(stem[:1], ()):
            if stem.startswith(parts[0]) and len(line) <= _LONGEST and _follows(fold_key(line), parts):
                return Heading(reason, line)
        return None


def load_headings(file: Path = _FILE) -> Headings:
    """The phrases of a file like `headings.yaml`. Raises `ConfigError` naming file, line and key."""
    document = read_document(file)
    return Headings(_phrases(document))


def _phrases(document: Document) -> Iterable[tuple[str, BlockReason]]:
    for path, value in _leaves(document):
        if len(path) != len(("reason", "language", "number")) or path[0] not in set(BlockReason) or not isinstance(value, str):
            reason = "expected a reason, under it languages, under each a list of phrases"
            raise ConfigError([document.problem(path, f"{reason}; reasons: {', '.join(BlockReason)}")])
        if value.strip().startswith("…") or not fold_key(value):
            raise ConfigError([document.problem(path, "a phrase needs a letter before “…”")])
        yield value, BlockReason(path[0])


def _leaves(document: Document) -> Iterable[tuple[tuple[str | int, ...], object]]:
    stack: list[tuple[tuple[str | int, ...], object]] = [((), document.value)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, Mapping):
            stack.extend(((*path, key), below) for key, below in value.items())
        elif isinstance(value, list):
            stack.extend(((*path, number), below) for number, below in enumerate(value))
        else:
            yield path, value


def _colon(line: str) -> int:
    """Where the colon or dash stands that may part a heading from what follows; -1 for none near the beginning."""
    colon = _COLON.search(line, 1, _HEAD)
    return colon.start() if colon else line.find(" - ", 1, _HEAD)


def _follows(key: str, parts: _Parts) -> bool:
    at = 0
    for part in parts:
        at = key.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True
