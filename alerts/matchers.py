"""Matchers, in Alertmanager's words: `label="value"`, `!=`, `=~`, `!~`; expressions are anchored at both ends."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from alerts.finding import LABELS
from daemon.messages.match import Severity, Stage

_SHAPE: Final = re.compile(r'\s*([a-z_]+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*')
_ESCAPED: Final = re.compile(r"\\(.)")
_KNOWN: Final = {"severity": [*Severity], "stage": [*Stage]}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. A label that is absent is empty."""

    label: str
    holds: Callable[[str], bool]

    def __call__(self, labels: Mapping[str, str]) -> bool:
        return self.holds(labels.get(self.label, ""))


def parse_matcher(text: str) -> Matcher:
    """Raises `ValueError` for anything else, and for what could never hold: unknown labels and severities."""
    found = _SHAPE.fullmatch(text)
    if not found:
        raise ValueError(f'{text!r} is not a matcher; write it like desk="iraq" or severity=~"normal|low", quotes included')
    label, operator, value = found[1], found[2], found[3]
    if label not in LABELS:
        raise ValueError(f"there is no label {label!r}; there are: {', '.join(LABELS)}")
    if operator in {"=", "!="}:
        return _plain(label, _ESCAPED.sub(r"\1", value), negated=operator == "!=")
    return _expression(label, value.replace('\\"', '"'), negated=operator == "!~")


def _plain(label: str, value: str, *, negated: bool) -> Matcher:
    known = _KNOWN.get(label)
    if known and value not in known:
        raise ValueError(f"there is no {label} {value!r}; there are: {', '.join(known)}")
    return Matcher(label, lambda actual: (actual == value) is not negated)


def _expression(label: str, value: str, *, negated: bool) -> Matcher:
    try:
        expression = re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is not a regular expression: {error}") from error
    known = _KNOWN.get(label)
    if known and not any(expression.fullmatch(word) for word in known):
        raise ValueError(f"{value!r} fits no {label}; there are: {', '.join(known)}")
    return Matcher(label, lambda actual: (expression.fullmatch(actual) is not None) is not negated)
