"""Structured logs: events with fields, for people on a terminal, as JSON lines otherwise; never a secret.

Library logs (the standard library's `logging`) go through the same pipe.
"""

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, Final, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SHORTEST: Final = 4
_HIDDEN: Final = "[secret]"
_NOISY: Final = {
    "aiokafka": logging.CRITICAL,
    "trafilatura": logging.CRITICAL,
    "asyncio": logging.WARNING,
    "aiohttp.access": logging.WARNING,
    "watchfiles": logging.WARNING,
}


class Redactor:
    """A processor that blanks known secrets wherever they stand in an event: the last line of defence, not the first."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets: list[str] = []
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """From now on these, too; those of before may still stand in what is in flight."""
        known = {*self._secrets, *(secret for secret in secrets if len(secret) >= _SHORTEST)}
        self._secrets = sorted(known, key=len, reverse=True)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {key: self._clean(value) for key, value in event.items()} if self._secrets else event

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, _HIDDEN)
            return value
        if isinstance(value, dict):
            return {key: self._clean(child) for key, child in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(child) for child in value]
        return value


def configure_logging(stream: TextIO = sys.stderr, *, secrets: Iterable[str] = (), level: int = logging.INFO) -> Redactor:
    """Set up structlog and `logging` for this process, writing to `stream` what is at least of `level`.

    Gives what blanks secrets, to be told of new ones.
    """
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if stream.isatty()
        else structlog.processors.JSONRenderer(serializer=_dumps)
    )
    redactor = Redactor(secrets)
    after: list[Processor] = [structlog.processors.format_exc_info, redactor, render]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *after],
            foreign_pre_chain=before,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quiet in _NOISY.items():
        logging.getLogger(name).setLevel(quiet)
    return redactor


def _dumps(event: MutableMapping[str, Any], **_options: Any) -> str:
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
