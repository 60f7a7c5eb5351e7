"""Files of names, `id,kind,lang,name`: CSV as spreadsheets save it too (byte order mark, semicolons, tabs), or JSON lines.

content ─ rows, one at a time ─▶ gather ─▶ Listing
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Final, TextIO

import orjson

from consumers.watchlist.gather import Row, Rows, gather
from consumers.watchlist.listing import KINDS, Listing
from daemon.config.files import LIST, read_plain
from daemon.errors import ConfigError, Problem

_COLUMNS: Final = ("id", "kind", "lang", "name")
_KINDS: Final = frozenset({"", *KINDS})


def read_list(path: Path) -> bytes:
    """A file's content. Raises `ConfigError`."""
    try:
        return read_plain(path, LIST)
    except OSError as error:
        raise ConfigError([Problem(file=str(path), reason=f"cannot be read: {error.strerror}")]) from error


def make_listing(content: bytes, path: Path) -> Listing:
    """The actors of a file; rows of one id form one actor. Raises `ConfigError` with the lines of what is wrong."""
    text = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline="")
    rows = _json_rows(text, path) if path.suffix in {".jsonl", ".ndjson"} else _csv_rows(text, path)
    try:
        return gather(rows, str(path))
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(file=str(path), reason="is not UTF-8; save it as “CSV UTF-8”")]) from error


def _csv_rows(text: TextIO, path: Path) -> Rows:
    first = text.readline()
    text.seek(0)
    reader = csv.reader(text, delimiter=max(",;\t", key=first.count), strict=True)
    rows = ((reader.line_num, cells) for cells in reader if any(map(str.strip, cells)))
    try:
        yield from _named(rows, path)
    except csv.Error as error:
        raise ConfigError([Problem(file=str(path), line=reader.line_num, reason=f"not valid CSV: {error}")]) from error


def _named(rows: Iterator[tuple[int, list[str]]], path: Path) -> Rows:
    """Rows by the columns that the first one names, or the usual four."""
    line, first = next(rows, (0, [*_COLUMNS]))
    columns = _columns([cell.strip() for cell in first], path)
    width = len(columns)
    places = [columns.index(name) if name in columns else width for name in ("id", "kind", "name")]
    for number, cells in rows if "name" in (cell.strip().lower() for cell in first) else chain([(line, first)], rows):
        if len(cells) > width and any(cells[width:]):
            reason = f"has {len(cells)} cells where {width} are expected; quote a name with a comma"
            yield Problem(file=str(path), line=number, reason=reason)
            continue
        padded = cells[:width] + [""] * (width + 1 - len(cells))
        yield _row(number, [padded[place] for place in places], path)


def _columns(cells: Sequence[str], path: Path) -> tuple[str, ...]:
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


def _json_rows(text: Iterable[str], path: Path) -> Rows:
    for number, line in zip(count(1), text, strict=False):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ConfigError([Problem(file=str(path), line=number, reason=f"not valid JSON: {error}")]) from error
        yield _of_json(number, row, path)


def _of_json(number: int, row: object, path: Path) -> Row | Problem:
    reason = ""
    if not isinstance(row, dict):
        return Problem(file=str(path), line=number, reason="is no JSON object")
    values = [row.get("id") or "", row.get("kind") or "", row.get("name") or ""]
    if unknown := [name for name in row if name not in _COLUMNS]:
        reason = f"unknown key {unknown[0]!r}; they are id, kind, lang, name"
    elif not_text := [value for value in values if not isinstance(value, str)]:
        reason = f"{not_text[0]!r} must be a text"
    return Problem(file=str(path), line=number, reason=reason) if reason else _row(number, values, path)


def _row(number: int, values: Sequence[str], path: Path) -> Row | Problem:
    actor, kind, name = map(str.strip, values)
    if kind not in _KINDS:
        return Problem(file=str(path), line=number, reason=f"kind {kind!r} is none of {', '.join(KINDS)}")
    return Row(number, actor, kind, name)
