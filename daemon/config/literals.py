"""Secrets that stand in the configuration itself, where whoever reads the file reads them, too."""

from collections.abc import Iterator
from typing import Any, Final

from daemon.config.document import Document, KeyPath
from daemon.errors import Problem

_SECRET: Final = frozenset({"bearer", "password", "secret", "webhook_url"})
"""Keys of type secret. A webhook's `url` is not among them: most hold no secret."""
_ELSEWHERE: Final = ("${", "file:")
"""How a value begins that is filled in from the environment or read from a file."""


def literal_secrets(document: Document) -> list[Problem]:
    """A warning for each, without its value."""
    reason = 'stands in the file as it is; better "${NAME}" from the environment, or file:PATH'
    return [document.problem(path, reason) for path in _literal(document.value, ())]


def _literal(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(value, dict | list):
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _literal(child, (*path, step))
    elif isinstance(value, str) and value and _holds_secret(path) and not value.startswith(_ELSEWHERE):
        yield path


def _holds_secret(path: KeyPath) -> bool:
    """Also a header that a feed is asked with: `auth.headers.NAME`."""
    return bool(path) and (path[-1] in _SECRET or path[-3:-1] == ("auth", "headers"))
