"""Everything that people wrote, read and checked as a whole: the configuration, its feeds, its watchlists.

One mistake anywhere and nothing of it is used; all mistakes are told at once.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, SecretStr

from alerts.route import check_routes
from consumers.stored import NotStored, Stored
from consumers.watchlist.desk import Desk
from consumers.watchlist.read import read_watchlists
from daemon.config.document import Document, read_document
from daemon.config.files import noting
from daemon.config.load import load_config
from daemon.config.models import Config
from daemon.errors import ConfigError, Problem
from daemon.feeds.sources.load import Source, load_sources

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setup:
    """A configuration that has been checked as a whole."""

    file: Path
    config: Config
    sources: tuple[Source, ...]
    desks: tuple[Desk, ...]
    files: frozenset[Path] = frozenset()
    """All that was read."""
    lists: frozenset[Path] = frozenset()
    """Those of `files` that the desks were read from."""

    @property
    def folder(self) -> Path:
        """What paths in the configuration are relative to."""
        return self.file.parent

    @property
    def stored(self) -> Stored:
        """Where what takes long to build is kept between two starts."""
        return _stored(self.file, self.config)

    def secrets(self) -> tuple[str, ...]:
        """Every secret's value, for the log to blank."""
        return (*_secrets(self.config), *(secret for source in self.sources for secret in source.secrets))


def load_setup(file: Path, environ: Mapping[str, str], before: Setup | None = None, *, store: bool = False) -> Setup:
    """Read and check everything; long files of names as `stored` has them. Raises `ConfigError` with all problems found.

    `before`: a setup of this file whose watchlists nobody has touched since; they are taken from it when they are the same.
    """
    with noting() as files:
        setup = _load(file, environ, before, store=store)
    return replace(setup, files=frozenset(files | setup.lists))


def _load(file: Path, environ: Mapping[str, str], before: Setup | None, *, store: bool) -> Setup:
    config = load_config(file, environ)
    stored = _stored(file, config) if store else NotStored()
    problems: list[Problem] = []
    sources = _collect(lambda: load_sources(config, file, environ), problems)
    desks: tuple[Desk, ...] | None
    lists: set[Path] | frozenset[Path]
    if before is not None and before.config.watchlists == config.watchlists:
        desks, lists = before.desks, before.lists
    else:
        with noting() as lists:
            desks = _collect(lambda: read_watchlists(config.watchlists, file.parent, environ, stored), problems)
    problems.extend(check_receivers(config, desks or (), read_document(file)))
    if problems:
        raise ConfigError(problems)
    return Setup(file, config, sources or (), desks or (), lists=frozenset(lists))


def _stored(file: Path, config: Config) -> Stored:
    return Stored(file.parent / config.data_dir / "cache")


def check_receivers(config: Config, desks: tuple[Desk, ...], document: Document) -> list[Problem]:
    """Routes and `notify` that name no receiver, and receivers that stand twice."""
    return check_routes(config, document, [named for desk in desks for named in desk.notified])


def _collect(read: Callable[[], T], problems: list[Problem]) -> T | None:
    try:
        return read()
    except ConfigError as error:
        problems.extend(error.problems)
        return None


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, tuple | dict):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _secrets(child)
