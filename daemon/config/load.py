"""From a file and the environment to a typed, frozen model; every mistake with file, line, key and reason.

file ─ Document ─ RASID_A__B overrides ─ "${NAME}" filled in ─ pydantic ─▶ model   or ConfigError(problems)
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from daemon.config.document import Document, KeyPath, parse_document, read_document
from daemon.config.models import Config
from daemon.errors import ConfigError, Problem

T = TypeVar("T")

PREFIX: Final = "RASID_"
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def load_config(path: Path, environ: Mapping[str, str]) -> Config:
    """config.yaml with its overrides (`RASID_BUS__KIND=kafka`). Raises `ConfigError`."""
    document = _override(read_document(path), environ)
    return validate(Config, document, environ, folder=path.parent)


def validate(shape: type[T], document: Document, environ: Mapping[str, str], folder: Path) -> T:
    """The document as `shape` (a model, or a type such as `list[Feed]`). `file:` secrets are read relative to `folder`.

    Raises `ConfigError` with all problems. The values of secrets never stand in them.
    """
    problems: list[Problem] = []
    value = _filled(document, document.value, (), environ, problems)
    if problems:
        raise ConfigError(problems)
    try:
        return TypeAdapter(shape).validate_python(value, context={"folder": folder})
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True, include_input=False)
        raise ConfigError([document.problem(detail["loc"], _reason(detail, shape)) for detail in details]) from None


def _filled(document: Document, value: Any, path: KeyPath, environ: Mapping[str, str], problems: list[Problem]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(document, child, (*path, key), environ, problems) for key, child in value.items()}
    if isinstance(value, list):
        return [_filled(document, child, (*path, index), environ, problems) for index, child in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value
    unset = sorted(set(_VARIABLE.findall(value)) - set(environ))
    problems.extend(document.problem(path, f"the environment variable {name} is not set") for name in unset)
    return _VARIABLE.sub(lambda found: environ.get(found[1], ""), value)


def _override(document: Document, environ: Mapping[str, str]) -> Document:
    """The document with what `RASID_…` variables say put in; `__` separates keys, numbers index lists."""
    value, places, origins = document.value, dict(document.places), {}
    for name in sorted(environ):
        keys = name.removeprefix(PREFIX).lower().split("__")
        if not name.startswith(PREFIX) or keys[0] not in Config.model_fields:
            continue
        path = _path(value, keys)
        value = _put(value, path, parse_document(environ[name], name).value if environ[name] else "")
        places = {known: place for known, place in places.items() if known[: len(path)] != path}
        origins[path] = name
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
        close = difflib.get_close_matches(str(detail["loc"][-1]), sorted(set(_names(shape))), n=1)
        return "unknown key" + (f"; did you mean {close[0]!r}?" if close else "")
    if detail["type"] == "missing":
        return f"the key {detail['loc'][-1]!r} is missing"
    return detail["msg"].removeprefix("Value error, ")


def _names(shape: Any) -> Iterator[str]:
    """All key names below a shape, for hints."""
    schema = TypeAdapter(shape).json_schema()
    for definition in (schema, *schema.get("$defs", {}).values()):
        yield from definition.get("properties", {})
