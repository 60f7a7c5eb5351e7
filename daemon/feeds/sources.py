"""Which feeds are polled: those of config.yaml and of its files of feeds, with everything the poller needs to know.

Reads files; asks no server. A mistake names file, line, key and reason, and no feed is used until all are right.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from daemon.config.document import Document, KeyPath, read_document
from daemon.config.load import fill, validate
from daemon.config.models import Config, Feed, FeedFile, Polling
from daemon.errors import ConfigError, Problem
from daemon.messages.article import FeedCard, FirstFetch
from daemon.net.files import OutsideFolder, is_file, locate
from daemon.urls import is_usable, site_of, without_credentials

_UP_TO_PATH: Final = re.compile(r"^(?:[^/?#]*://)?[^/?#]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One feed to poll. `interval` in seconds, not yet clamped; `max_age` in seconds, None for no limit.

    `url` is what is asked for, secrets included; `shown` is for records and people.
    """

    id: str
    url: str
    shown: str
    site: str
    name: str = ""
    language: str = ""
    country: str = ""
    tags: tuple[str, ...] = ()
    interval: float = 300.0
    max_age: float | None = None
    first_fetch: FirstFetch = FirstFetch.SUMMARY

    def card(self) -> FeedCard:
        """What later hops need to know of it."""
        return FeedCard(
            id=self.id,
            url=self.shown,
            name=self.name,
            language=self.language,
            country=self.country,
            tags=self.tags,
            max_age=self.max_age,
            first_fetch=self.first_fetch,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A feed and where it stands."""

    feed: Feed
    document: Document
    path: KeyPath

    def problem(self, key: str, reason: str) -> Problem:
        return self.document.problem((*self.path, key), reason)

    def shown(self, environ: Mapping[str, str]) -> str:
        """The address without credentials; behind its host as it stands in the file, so that `${…}` hides what it is."""
        plain, written = without_credentials(self.feed.url), self._written()
        if is_file(plain) or written == self.feed.url or fill(written, environ) != self.feed.url:
            return plain
        parts = urlsplit(plain)
        return f"{parts.scheme}://{parts.netloc}{_UP_TO_PATH.sub('', written)}"

    def _written(self) -> str:
        """The address as it stands in the file; empty where an override put it there."""
        value = self.document.value
        try:
            for step in (*self.path, "url"):
                value = value[step]
        except (KeyError, IndexError, TypeError):
            return ""
        return str(value)


def load_sources(config: Config, config_file: Path, environ: Mapping[str, str]) -> tuple[Source, ...]:
    """All enabled feeds, ids unique, in the order of the files. Raises `ConfigError` with every problem found."""
    problems: list[Problem] = []
    sources: dict[str, Source] = {}
    places: dict[str, Problem] = {}
    for entry in entries(config, config_file, environ, problems):
        feed, here = entry.feed, entry.problem("id", "")
        if feed.id in places:
            first = places[feed.id]
            problems.append(entry.problem("id", f"the feed id {feed.id!r} stands at {first.file}:{first.line} already"))
            continue
        places[feed.id] = here
        reason = _unusable(feed.url, config_file.parent)
        if reason:
            problems.append(entry.problem("url", reason))
            continue
        sources[feed.id] = _source(feed, entry.shown(environ), config.polling)
    if problems:
        raise ConfigError(problems)
    return tuple(sources.values())


def entries(config: Config, config_file: Path, environ: Mapping[str, str], problems: list[Problem]) -> Iterator[Entry]:
    """The enabled feeds with their places, files of feeds opened on the way."""
    document = read_document(config_file) if config.feeds else Document(str(config_file), {})
    for index, entry in enumerate(config.feeds):
        if not entry.enabled:
            continue
        if isinstance(entry, Feed):
            yield Entry(entry, document, ("feeds", index))
            continue
        try:
            yield from _file_entries(entry, config_file.parent, environ)
        except ConfigError as error:
            problems.extend(error.problems)


def _file_entries(entry: FeedFile, folder: Path, environ: Mapping[str, str]) -> Iterator[Entry]:
    path = folder / entry.file
    document = read_document(path)
    feeds = validate(list[Feed], document, environ, folder) if document.value != {} else []
    yield from (Entry(feed, document, (index,)) for index, feed in enumerate(feeds) if feed.enabled)


def _unusable(url: str, folder: Path) -> str:
    """Why the address cannot be polled; empty when it can."""
    if is_file(url):
        try:
            locate(url, folder)
        except OutsideFolder as error:
            return error.reason
        return ""
    if any(map(str.isspace, url)):
        return "has a space in it; write %20 where one belongs there"
    return "" if is_usable(url) else "not an http, https or file address"


def _source(feed: Feed, shown: str, polling: Polling) -> Source:
    said = feed.model_fields_set
    return Source(
        id=feed.id,
        url=feed.url,
        shown=shown,
        site=site_of(feed.url),
        name=feed.name,
        language=feed.language,
        country=feed.country,
        tags=feed.tags,
        interval=polling.default_interval if feed.interval is None else feed.interval,
        max_age=feed.max_age if "max_age" in said else polling.max_age,
        first_fetch=feed.first_fetch or polling.first_fetch,
    )
