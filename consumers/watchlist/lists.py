"""Files of names, `id,kind,lang,name`: CSV as spreadsheets save it too (byte order mark, semicolons, tabs), or JSON lines."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import orjson

from consumers.watchlist.models import Kind, check_name
from daemon.config.files import LIST, read_plain
from daemon.errors import ConfigError, Problem

_COLUMNS: Final = ("id", "kind", "lang", "name")
_KINDS: Final = get_args(Kind)
_MOST_PROBLEMS: Final = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """An actor of a file: its names in the file's order, and the line it begins at. `id` is empty when the file gives none."""

    id: str
    kind: str
    names: tuple[str, ...]
    line: int


def read_list(path: Path) -> tuple[Listed, ...]:
    """The actors of a file; rows of one id form one actor. Raises `ConfigError` with the lines of what is wrong."""
    try:
        text = read_plain(path, LIST).decode("utf-8-sig")
    except OSError as error:
        raise ConfigError([Problem(file=str(path), reason=f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(file=str(path), reason="is not UTF-8; save it as “CSV UTF-8”")]) from error
    rows = _json_rows(text, path) if path.suffix in {".jsonl", ".ndjson"} else _csv_rows(text, path)
    return _grouped(rows, path)


def _csv_rows(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    columns: tuple[str, ...] = ()
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if not columns:
                columns = _columns(cells, path)
                if "name" in map(str.lower, cells):
                    continue
            if len(cells) > len(columns) and any(cells[len(columns) :]):
                yield (
                    reader.line_num,
                    {"": f"has {len(cells)} cells where {len(columns)} are expected; quote a name with a comma"},
                )
            else:
                yield reader.line_num, dict(zip(columns, cells, strict=False))
    except csv.Error as error:
        raise ConfigError([Problem(file=str(path), line=reader.line_num, reason=f"not valid CSV: {error}")]) from error


def _columns(cells: list[str], path: Path) -> tuple[str, ...]:
    named = tuple(cell.lower() for cell in cells)
    if "name" not in named:
        if len(cells) == len(_COLUMNS):
            return _COLUMNS
        raise ConfigError([Problem(file=str(path), line=1, reason="the first line must name the columns: id,kind,lang,name")])
    unknown = [name for name in named if name and name not in _COLUMNS]
    if unknown:
        raise ConfigError(
            [Problem(file=str(path), line=1, key=unknown[0], reason="unknown column; they are id,kind,lang,name")]
        )
    return named


def _json_rows(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ConfigError([Problem(file=str(path), line=number, reason=f"not valid JSON: {error}")]) from error
        yield number, row if isinstance(row, dict) else {"": "is no JSON object"}


def _grouped(rows: Iterable[tuple[int, Mapping[str, object]]], path: Path) -> tuple[Listed, ...]:
    actors: dict[object, tuple[str, str, list[str], int]] = {}
    problems: list[Problem] = []
    for line, row in rows:
        try:
            actor, kind, name = _checked(row)
        except ValueError as error:
            problems.append(Problem(file=str(path), line=line, reason=str(error)))
            continue
        known = actors.setdefault(actor or line, (actor, kind, [], line))
        if kind and known[1] and kind != known[1]:
            problems.append(
                Problem(file=str(path), line=line, reason=f"{actor} is a {known[1]} on line {known[3]}, here a {kind}")
            )
        known[2].append(name)
    if problems:
        raise ConfigError(problems[:_MOST_PROBLEMS])
    return tuple(Listed(actor, kind or "other", tuple(names), line) for actor, kind, names, line in actors.values())


def _checked(row: Mapping[str, object]) -> tuple[str, str, str]:
    if row.get(""):
        raise ValueError(str(row[""]))
    unknown = [name for name in row if name and name not in _COLUMNS]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; they are id, kind, lang, name")
    values = [row.get(column) or "" for column in ("id", "kind", "name")]
    for value in values:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} must be a text")  # noqa: TRY004 - all that is wrong with a row is a ValueError
    actor, kind, name = (str(value).strip() for value in values)
    if kind and kind not in _KINDS:
        raise ValueError(f"kind {kind!r} is none of {', '.join(_KINDS)}")
    return actor, kind, check_name(name)
