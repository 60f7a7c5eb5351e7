"""What somebody may have meant by a key that is unknown where it stands."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import TypeAdapter

_DEEPEST: Final = 4


def unknown_key(key: str, shape: Any) -> str:
    """The reason, with the section of `shape` that has this key or, when there is none, a key that is spelled like it."""
    schema = TypeAdapter(shape).json_schema()
    names = {name for each in (schema, *schema.get("$defs", {}).values()) for name in each.get("properties", {})}
    if key in names:
        sections = sorted(set(_sections(key, schema.get("items", schema), schema, "")) - {""})
        return "unknown key here" + (f"; it belongs under {' or '.join(map(repr, sections))}" if sections else "")
    close = difflib.get_close_matches(key, sorted(names), n=1)
    return "unknown key" + (f"; did you mean {close[0]!r}?" if close else "")


def _sections(key: str, model: Mapping[str, Any], schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """Paths of the sections below that have the key. What stands in lists is none: there may be many, or none."""
    model = schema["$defs"][model["$ref"].rpartition("/")[2]] if "$ref" in model else model
    if key in model.get("properties", {}):
        yield path
    for name, child in model.get("properties", {}).items():
        below = f"{path}.{name}" if path else name
        for choice in child.get("anyOf", child.get("oneOf", (child,))):
            if "$ref" in choice and below.count(".") < _DEEPEST:
                yield from _sections(key, choice, schema, below)
