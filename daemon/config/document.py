"""YAML as people write it, read strictly: 1.2's booleans, no base-60 numbers, no dates, no duplicate keys; places kept.

text ─ bounds.py ─ compose ─▶ nodes ─ build ─▶ Document(value, places)
"""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from daemon.config.bounds import MAX_DEPTH, BeyondBounds, check_bounds
from daemon.config.files import DOCUMENT, read_plain
from daemon.errors import ConfigError, Problem

KeyPath: TypeAlias = tuple[str | int, ...]

_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DOUBTFUL: Final = {"yes", "no", "on", "off"}
_NULLS: Final = {"", "~", "null", "Null", "NULL"}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MAX_PARTS: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data read from one file, and where each part of it stood (line and column from 1)."""

    file: str
    value: Any
    places: Mapping[KeyPath, tuple[int, int]] = field(default_factory=dict)
    origins: Mapping[KeyPath, str] = field(default_factory=dict)
    """Where parts came from that do not stand in the file: names of environment variables."""
    doubtful: tuple[KeyPath, ...] = ()
    """Unquoted words that older YAML reads as booleans (`no`, `on` …) and that are text here."""

    def place(self, path: Sequence[str | int]) -> KeyPath:
        """The nearest part that stands in the file (or was put in); steps that are unknown there are left out."""
        known: KeyPath = ()
        for step in path:
            if (*known, step) in self.places or (*known, step) in self.origins:
                known = (*known, step)
        return known

    def problem(self, path: Sequence[str | int], reason: str) -> Problem:
        """A problem at `path`, placed as `place` says."""
        known = self.place(path)
        origins = [self.origins[known[:length]] for length in range(len(known) + 1) if known[:length] in self.origins]
        line, column = self.places.get(known, (0, 0))
        file = origins[-1] if origins else self.file
        return Problem(file=file, line=line, column=column, key=_dotted(known), reason=reason)

    def problem_of(self, entry: str, path: Sequence[str | int], reason: str) -> Problem:
        """As `problem`, with the id of what it is in, an `entry` of a list (such as a feed): nobody counts to [123]."""
        value = self.value
        for step in path if path[-1:] != ("id",) else ():
            value = value[step] if _has(value, step) else None
            if isinstance(step, int) and isinstance(value, dict) and isinstance(value.get("id"), str):
                return self.problem(path, f"{reason} ({entry} {value['id']})")
        return self.problem(path, reason)


def read_document(path: Path) -> Document:
    """Read one YAML file. Raises `ConfigError` naming file, line and column; also when it cannot be opened or decoded."""
    try:
        text = read_plain(path, DOCUMENT).decode("utf-8-sig")
    except OSError as error:
        raise ConfigError([Problem(file=str(path), reason=f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 (byte {error.start} is {error.object[error.start]:#04x}); save it as UTF-8"
        raise ConfigError([Problem(file=str(path), reason=reason)]) from error
    return parse_document(text, str(path))


def parse_document(text: str, file: str) -> Document:
    """Like `read_document`, from text. An empty text is an empty mapping."""
    try:
        check_bounds(text)
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except BeyondBounds as error:
        raise ConfigError([Problem(file=file, line=error.place[0], column=error.place[1], reason=error.reason)]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError([Problem(file=file, line=line, column=column, reason=f"not valid YAML: {said}")]) from error
    except UnicodeEncodeError as error:
        raise ConfigError([Problem(file=file, reason="holds bytes that are not UTF-8")]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError([Problem(file=file, reason=f"not valid YAML: {str(error).splitlines()[0]}")]) from error
    builder = _Builder(file)
    value = {} if node is None else builder.build(node, ())
    if builder.problems:
        raise ConfigError(builder.problems)
    return Document(file, value, builder.places, doubtful=tuple(builder.doubtful))


class _Builder:
    """Plain data from nodes; collects places and problems on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[KeyPath, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self.doubtful: list[KeyPath] = []
        self._built = 0

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        self._built += 1
        if self._built > _MAX_PARTS:
            if self._built == _MAX_PARTS + 1:
                self._refuse(node, (), f"more than {_MAX_PARTS} parts once its aliases are filled in")
            return None
        self.places.setdefault(path, _place(node))
        if len(path) > MAX_DEPTH:
            self._refuse(node, path, f"nested more than {MAX_DEPTH} deep once its aliases are filled in")
            return None
        if isinstance(node, yaml.ScalarNode):
            if "\0" in node.value:
                self._refuse(node, path, "holds a NUL character, which no name or path may")
            if not node.style and node.value.lower() in _DOUBTFUL:
                self.doubtful.append(path)
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, index)) for index, child in enumerate(node.value) if self._built <= _MAX_PARTS]
        return self._mapping(node, path)

    def _mapping(self, node: yaml.Node, path: KeyPath) -> dict[Hashable, Any]:
        built: dict[Hashable, Any] = {}
        for key_node, child in node.value:
            if self._built > _MAX_PARTS:
                break
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, path, "a key must be a plain word")
                continue
            key = str(key_node.value)
            if key in built:
                self._refuse(key_node, (*path, key), "this key stands here twice")
                continue
            self.places[(*path, key)] = _place(key_node)
            built[key] = self.build(child, (*path, key))
        return built

    def _refuse(self, node: yaml.Node, path: KeyPath, reason: str) -> None:
        line, column = _place(node)
        self.problems.append(Problem(file=self.file, line=line, column=column, key=_dotted(path), reason=reason))


def _scalar(node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    if node.style or node.tag == "!":
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text) and len(text) < 19:
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _has(value: Any, step: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and step < len(value)
    return isinstance(value, dict) and step in value


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _dotted(path: KeyPath) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
