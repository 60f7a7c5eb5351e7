"""From a file and the environment to a typed, frozen model; every mistake with file, line, key and reason.

file ─ Document ─ RASID_A__B overrides ─ "${NAME}" filled in ─ pydantic ─▶ model   or ConfigError(problems)
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from daemon.config.document import Document, KeyPath, parse_document, read_document
from daemon.config.hints import unknown_key
from daemon.config.models import Config
from daemon.errors import ConfigError

T = TypeVar("T")

PREFIX: Final = "RASID_"
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

_WORDS: Final = {
    "model_type": "must be a section, with keys of its own",
    "dict_type": "must be a section, with keys of its own",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_type": "must be a text; put quotes round it",
    "path_type": "must be a path",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "too_short": "needs at least {min_length}, has {actual_length}",
    "string_too_short": "is empty",
    "string_pattern_mismatch": "must be Latin letters, digits, dots, - and _, at most 80, a letter or digit first",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
"""The library's kinds of mistakes that people make, in words for those who write YAML."""
_BUS: Final = ("data_dir", "bus")
_POLLED: Final = ("polling", "feeds")


class AsWritten(Mapping[str, str]):
    """The environment of somebody who looks on: what is not set stands for itself, and `file:` secrets are left unread.

    For commands that ask no feed: what they show of addresses is what is written.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        return self._environ.get(name, f"${{{name}}}")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """config.yaml with its overrides (`RASID_BUS__KIND=kafka`). Raises `ConfigError`."""
    document = _override(read_document(path), environ)
    return validate(Config, document, environ, folder=path.parent, entry="feed")


def load_bus_config(path: Path, environ: Mapping[str, str]) -> Config:
    """As `load_config`, for commands that only need the bus: the rest, and the secrets in it, is left unread."""
    return validate(Config, _only(_override(read_document(path), environ), _BUS), environ, folder=path.parent)


def load_feeds_config(path: Path, environ: Mapping[str, str]) -> Config:
    """As `load_bus_config`, with what is said of feeds and of polling: but for the bus, it needs no secret."""
    document = _override(read_document(path), environ)
    bus = validate(Config, _only(document, _BUS), environ, folder=path.parent)
    polled = validate(Config, _only(document, _POLLED), AsWritten(environ), folder=path.parent)
    return polled.model_copy(update={name: getattr(bus, name) for name in _BUS})


def _only(document: Document, keys: Sequence[str]) -> Document:
    """The document with only these keys of a configuration, and those that none has."""
    if not isinstance(document.value, dict):
        return document
    kept = {key: value for key, value in document.value.items() if key in keys or key not in Config.model_fields}
    return replace(document, value=kept)


def validate(shape: type[T], document: Document, environ: Mapping[str, str] | None, folder: Path, *, entry: str = "") -> T:
    """The document as `shape` (a model, or a type such as `list[Feed]`). `file:` secrets are read relative to `folder`.

    Where the environment is `AsWritten`, secrets are placeholders.

    Without an environment `${NAME}` is a text like others: in what strangers wrote it must not become what it stands for.
    Raises `ConfigError` with all problems. The values of secrets never stand in them; with `entry`, what entries of lists
    are called, the ids of those that have one do.
    """
    unset: dict[KeyPath, str] = {}
    value = document.value if environ is None else _filled(document.value, (), environ, unset)
    told = [(path, f"the environment variable {name} is not set") for path, name in unset.items()]
    try:
        read = TypeAdapter(shape).validate_python(value, context={"folder": folder, "unread": isinstance(environ, AsWritten)})
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True, include_input=False)
        found = [(document.place(detail["loc"]), _reason(detail, shape)) for detail in details]
        # What stands in the place of an unset variable may be wrong in other ways; that is not told.
        told += [(path, reason) for path, reason in found if path not in unset]
    if told:
        say = partial(document.problem_of, entry) if entry else document.problem
        raise ConfigError([say(path, reason) for path, reason in told])
    return read


def _filled(value: Any, path: KeyPath, environ: Mapping[str, str], unset: dict[KeyPath, str]) -> Any:
    """The value with its variables filled in; those that are not set are put into `unset`, and stay as they stand."""
    if isinstance(value, dict):
        return {key: _filled(child, (*path, key), environ, unset) for key, child in value.items()}
    if isinstance(value, list):
        return [_filled(child, (*path, index), environ, unset) for index, child in enumerate(value)]
    if not isinstance(value, str):
        return value
    missing = [name for name in _VARIABLE.findall(value) if name not in environ]
    if missing:
        unset[path] = missing[0]
    return fill(value, environ)


def variables(text: str) -> list[str]:
    """The names of the variables in a text."""
    return _VARIABLE.findall(text)


def fill(text: str, environ: Mapping[str, str]) -> str:
    """The text with its variables filled in; those that are not set stay as they stand."""
    return _VARIABLE.sub(lambda found: environ.get(found[1], found[0]), text)


def _override(document: Document, environ: Mapping[str, str]) -> Document:
    """The document with what `RASID_…` variables say put in; `__` separates keys, numbers index lists."""
    value, places = document.value, dict(document.places)
    origins: dict[KeyPath, str] = {}
    for name in sorted(environ):
        keys = name.removeprefix(PREFIX).lower().split("__")
        if not name.startswith(PREFIX) or (keys[0] not in Config.model_fields and len(keys) == 1):
            continue  # other programs' variables may begin alike: RASID_PORT is what Kubernetes makes of a service's name
        path = _path(value, keys)
        value = _put(value, path, parse_document(environ[name], name).value if environ[name] else "")
        places = {known: place for known, place in places.items() if known[: len(path)] != path}
        origins |= {path[:length]: name for length in range(1, len(path) + 1) if path[:length] not in places}
    return Document(document.file, value, places, origins)


def _path(value: Any, keys: Sequence[str]) -> KeyPath:
    """The keys as steps through `value`: numbers where a list stands."""
    path: KeyPath = ()
    for key in keys:
        is_index = isinstance(value, list) and key.isdigit() and int(key) < len(value)
        step: str | int = int(key) if is_index else key
        value = value[step] if is_index or (isinstance(value, dict) and key in value) else None
        path = (*path, step)
    return path


def _put(value: Any, path: KeyPath, new: Any) -> Any:
    if not path:
        return new
    head, rest = path[0], path[1:]
    if isinstance(head, int):
        return [_put(child, rest, new) if index == head else child for index, child in enumerate(value)]
    known = value if isinstance(value, dict) else {}
    return {**known, head: _put(known.get(head), rest, new)}


def _reason(detail: ErrorDetails, shape: Any) -> str:
    if detail["type"] == "extra_forbidden":
        return unknown_key(str(detail["loc"][-1]), shape)
    if detail["type"] == "missing":
        return f"the key {detail['loc'][-1]!r} is missing"
    if detail["type"] in _WORDS:
        return _WORDS[detail["type"]].format_map(detail.get("ctx", {}))
    return detail["msg"].removeprefix("Value error, ")
