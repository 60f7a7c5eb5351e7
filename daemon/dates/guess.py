"""The last rung: dateparser, told the language and bounded. It costs milliseconds and is asked only when all else failed."""

from datetime import UTC, datetime
from typing import Final

import dateparser

_LONGEST: Final = 80


def guess(raw: str, *, language: str, now: float) -> float | None:
    """The instant dateparser finds in a short text, asked in the language, then in English; None without a language."""
    if len(raw) > _LONGEST or not language:
        return None
    names = dict.fromkeys((language.partition("-")[0].lower(), "en"))
    return next((found for name in names if (found := _ask(raw, name, now)) is not None), None)


def _ask(raw: str, language: str, now: float) -> float | None:
    try:
        found = dateparser.parse(
            raw,
            languages=[language],
            settings={
                "TIMEZONE": "UTC",
                "RETURN_AS_TIMEZONE_AWARE": True,
                "RELATIVE_BASE": datetime.fromtimestamp(now, UTC).replace(tzinfo=None),
                "PARSERS": ["relative-time", "absolute-time"],
                "REQUIRE_PARTS": ["day", "month", "year"],
            },
        )
        return None if found is None else found.timestamp()
    except Exception:  # noqa: BLE001 - an edge: its tables and regexes raise what they happen to, for unknown languages too
        return None
