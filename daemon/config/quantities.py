"""Durations and sizes as people write them: `90s`, `5m`, `1h30m`, `7d`, `20GB`."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES: Final = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?B|[KMG]iB)")


def parse_duration(text: object) -> float:
    """Seconds. A bare number but 0 has no unit and is refused. Raises `ValueError`."""
    if text in (0, "0"):
        return 0.0
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; write it with a unit, like 90s, 5m, 24h or 7d")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def parse_limit(text: object) -> float | None:
    """Seconds, or None for the word `none`."""
    return None if text in (None, "none") else parse_duration(text)


def parse_size(text: object) -> int:
    """Bytes. Raises `ValueError`."""
    found = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise ValueError(f"{text!r} is not a size; write it with a unit, like 500MB or 20GB")
    return int(float(found[1]) * _BYTES[found[2]])


def _with_zero(pattern: str) -> WithJsonSchema:
    """For editors: how a quantity is written, not the number it becomes."""
    return WithJsonSchema({"type": ["string", "integer"], "pattern": f"^({pattern})$", "minimum": 0, "maximum": 0})


Duration = Annotated[float, BeforeValidator(parse_duration), _with_zero(f"{_DURATION.pattern}|0")]
Limit = Annotated[float | None, BeforeValidator(parse_limit), _with_zero(f"{_DURATION.pattern}|0|none")]
Size = Annotated[int, BeforeValidator(parse_size), WithJsonSchema({"type": "string", "pattern": f"^{_SIZE.pattern}$"})]
