"""Which feeds are polled: those of config.yaml and of its files of feeds, with everything the poller needs to know.

    config.yaml ─┬─ a feed ──────────────────────┐
                 ├─ file: x.yaml, a list of them ┼─▶ Entry ─▶ Source
                 └─ file: x.opml (opml.py) ──────┘

Reads files; asks no server. A mistake names file, line, key and reason, and no feed is used until all are right.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from daemon.config.document import Document, KeyPath, read_document
from daemon.config.files import DOCUMENT, read_plain
from daemon.config.load import fill, validate, variables
from daemon.config.models import Config, Feed, FeedFile, Polling
from daemon.errors import ConfigError, Problem
from daemon.feeds.sources.opml import Outlines, read_opml
from daemon.messages.article import FeedCard, FirstFetch
from daemon.net.files import OutsideFolder, is_file, locate
from daemon.urls import MAX_LENGTH, is_usable, site_of, without_credentials

OPML: Final = frozenset({".opml", ".xml"})
"""Endings of files of feeds that are not YAML."""
_UP_TO_PATH: Final = re.compile(r"^(?:[^/?#]*://)?[^/?#]*")
_PORT: Final = re.compile(r"https?://[^/?#]+:([^:/?#@\]]+)(?:[/?#]|$)", re.IGNORECASE)
_LAST_PORT: Final = 65535
_SHORTEST_SECRET: Final = 8
"""Characters of a variable in an address from which on it counts as a secret: `${LANG}` would be blanked in every word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One feed to poll. `max_age` in seconds, None for no limit.

    `url` is what is asked for, secrets included; `shown` is for records and people. `interval`: the operator's own for this
    feed, in seconds, not yet bounded; None where its rhythm decides. `headers`: those of its login, and `credentials` a
    fingerprint of them: empty without a login, and another one when it changes (feeds 3). `user_agent`: empty for polling's.
    `secrets`: what must not be told.
    """

    id: str
    url: str = field(repr=False)
    shown: str
    site: str
    name: str = ""
    language: str = ""
    country: str = ""
    tags: tuple[str, ...] = ()
    interval: float | None = None
    max_age: float | None = None
    first_fetch: FirstFetch = FirstFetch.SUMMARY
    user_agent: str = ""
    delta: bool = False
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    credentials: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def address(self) -> str:
        """`url` as rows keep it: where it holds secrets, what is shown and a fingerprint of the whole."""
        return self.url if self.url == self.shown else f"{self.shown} {fingerprint(self.url)}"

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
        return self.document.problem_of("feed", (*self.path, key), reason)

    def shown(self, environ: Mapping[str, str]) -> str:
        """The address without credentials; behind its host as it stands in the file, so that `${…}` hides what it is."""
        plain, written = without_credentials(self.feed.url), self.written(environ)
        if is_file(plain) or not written:
            return plain
        parts = urlsplit(plain)
        return f"{parts.scheme}://{parts.netloc}{_UP_TO_PATH.sub('', written)}"

    def secrets(self, environ: Mapping[str, str]) -> Iterator[str]:
        """What must not be told of it."""
        if self.feed.auth is not None:
            yield from self.feed.auth.secrets()
        if self.feed.url != without_credentials(self.feed.url):
            yield urlsplit(self.feed.url).netloc.rpartition("@")[0].partition(":")[2]
        values = (environ[name] for name in variables(self.written(environ)))
        yield from (value for value in values if len(value) >= _SHORTEST_SECRET)

    def written(self, environ: Mapping[str, str]) -> str:
        """The address as it stands in the file, with variables that were filled in; empty when there are none."""
        value = self.document.value
        try:
            for step in (*self.path, "url"):
                value = value[step]
        except (KeyError, IndexError, TypeError):  # an override put it there
            return ""
        written = str(value)
        return written if written != self.feed.url and fill(written, environ) == self.feed.url else ""


def with_version(user_agent: str) -> str:
    """A User-Agent as it is sent."""
    return user_agent.replace("{version}", _version())


@cache
def _version() -> str:
    """Asked once: the package's description is read anew each time, which takes a millisecond, and feeds are thousands."""
    return version("rasid")


def fingerprint(text: str) -> str:
    """Four hex digits, by which a change is told: so few that of a weak password next to nothing can be learned from them."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=2).hexdigest() if text else ""


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
        reason = why_unusable(feed.url, config_file.parent)
        if reason:
            problems.append(entry.problem("url", reason))
            continue
        sources[feed.id] = _source(entry, environ, config.polling)
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
            yield from _file_entries(entry, config_file.parent, environ, problems)
        except ConfigError as error:
            problems.extend(error.problems)


def _file_entries(entry: FeedFile, folder: Path, environ: Mapping[str, str], problems: list[Problem]) -> Iterator[Entry]:
    path = folder / entry.file
    if is_opml(path):
        outlines = read_outlines(path)
        if outlines.broken is not None:  # what is missing behind the break must not stop being polled
            raise ConfigError([outlines.broken])
        yield from _sound(outlines.document, None, folder, problems)
        return
    document = read_document(path)
    if not document.places:  # half-written, or cut by a full disk: it must not stop what is polled
        raise ConfigError([document.problem((), "is empty; write [] where no feed is meant")])
    yield from (entry for entry in _sound(document, environ, folder, problems) if entry.feed.enabled)


def _sound(document: Document, environ: Mapping[str, str] | None, folder: Path, problems: list[Problem]) -> list[Entry]:
    """The feeds of a file; where some are not as they must be, that is a problem, and the others, whose addresses may be."""
    try:
        feeds = validate(list[Feed], document, environ, folder, entry="feed")
    except ConfigError as error:
        problems.extend(error.problems)
        values = enumerate(document.value if isinstance(document.value, list) else ())
        alone = ((index, replace(document, value=[value], places={}, origins={})) for index, value in values)
        return [Entry(feed, document, (index,)) for index, one in alone for feed in _alone(one, environ, folder)]
    return [Entry(feed, document, (index,)) for index, feed in enumerate(feeds)]


def _alone(document: Document, environ: Mapping[str, str] | None, folder: Path) -> list[Feed]:
    """The one feed of a document, unless it has a mistake."""
    try:
        return validate(list[Feed], document, environ, folder)
    except ConfigError:
        return []


def is_opml(path: Path) -> bool:
    """Whether a file of feeds is a list of OPML; else it is YAML."""
    return path.suffix.lower() in OPML


def read_outlines(path: Path) -> Outlines:
    """The feeds of an OPML file. Raises `ConfigError`."""
    try:
        return read_opml(read_plain(path, DOCUMENT), str(path))
    except OSError as error:
        raise ConfigError([Problem(file=str(path), reason=f"cannot be read: {error.strerror}")]) from error


def why_unusable(url: str, folder: Path | None) -> str:
    """Why the address cannot be polled; empty when it can. Without a folder, `file:` addresses are not followed."""
    if is_file(url):
        if folder is None:
            return ""
        try:
            locate(url, folder)
        except OutsideFolder as error:
            return error.reason
        return ""
    if any(map(str.isspace, url)):
        return "has a space in it; write %20 where one belongs there"
    return "" if is_usable(url) else _wrong_in(url)


def _wrong_in(url: str) -> str:
    if len(url) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    port = _PORT.match(url)
    if port is not None and not (re.fullmatch(r"\d{1,5}", port[1], re.ASCII) and int(port[1]) <= _LAST_PORT):
        return f"its port {port[1]} is no number up to {_LAST_PORT}"
    return "not an http, https or file address"


def _source(entry: Entry, environ: Mapping[str, str], polling: Polling) -> Source:
    feed, sent = entry.feed, {} if entry.feed.auth is None else entry.feed.auth.sent()
    return Source(
        id=feed.id,
        url=feed.url,
        shown=entry.shown(environ),
        site=site_of(feed.url),
        name=feed.name,
        language=feed.language,
        country=feed.country,
        tags=feed.tags,
        interval=feed.interval,
        max_age=feed.max_age if "max_age" in feed.model_fields_set else polling.max_age,
        first_fetch=feed.first_fetch or polling.first_fetch,
        user_agent=with_version(feed.user_agent),
        delta=feed.delta,
        headers=tuple(sent.items()),
        credentials=fingerprint("\x1f".join(f"{name}:{value}" for name, value in sorted(sent.items()))),
        secrets=tuple(filter(None, entry.secrets(environ))),
    )
