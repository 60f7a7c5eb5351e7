"""What `rasid check` doubts of feeds: mistakes, most likely, with which the service can run all the same."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from daemon.config.literals import literal_secrets
from daemon.config.models import Config, FeedFile, Polling
from daemon.errors import Problem
from daemon.feeds.pace.paces import pace_of
from daemon.feeds.sources.load import Entry, entries, is_opml, read_outlines
from daemon.net.files import is_file, locate
from daemon.urls import site_of

_WITHIN: Final = re.compile(r"https?://[^/?#:@]*:?([^/?#]*)@", re.IGNORECASE)
"""An address with a name in it, and its password."""
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")


def doubtful_feeds(config: Config, config_file: Path, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Of feeds that `load_sources` takes, and of the files they stand in."""
    met: set[str] = {str(config_file)}
    addresses: dict[str, Entry] = {}
    for entry in entries(config, config_file, environ, []):
        first = addresses.setdefault(entry.feed.url, entry)
        if first is not entry:
            place = first.problem("url", "")
            yield entry.problem("url", f"is that of the feed {first.feed.id!r} at {place.file}:{place.line}: both are polled")
        if entry.document.file not in met:
            met.add(entry.document.file)
            yield from literal_secrets(entry.document)
        yield from _doubts(entry, config.polling, config_file.parent, environ)
    for listed in config.feeds:
        if isinstance(listed, FeedFile) and listed.enabled and is_opml(path := config_file.parent / listed.file):
            yield from read_outlines(path).warnings


def _doubts(entry: Entry, polling: Polling, folder: Path, environ: Mapping[str, str]) -> Iterator[Problem]:
    interval, url = entry.feed.interval, entry.feed.url
    shortest = pace_of(polling).of(site_of(url)).shortest
    if interval is not None and interval < shortest:
        least = "polling.min_interval" if shortest == polling.min_interval else "min_interval of its site"
        yield entry.problem("interval", f"is shorter than {least}: the feed is polled every {shortest:g} s")
    if entry.feed.language and not _LANGUAGE.fullmatch(entry.feed.language):
        yield entry.problem("language", f"{entry.feed.language!r} is no BCP 47 tag, such as ar or en-GB")
    is_secure = url.lower().startswith("https:")
    if entry.feed.auth is not None and not is_secure:
        yield entry.problem("auth", "goes over the network in the clear, or nowhere: the address is not https")
    if _WITHIN.match(url) and not is_secure:
        yield entry.problem("url", "its name and password go over the network in the clear: the address is not https")
    within = _WITHIN.match(entry.written(environ) or url)
    if within is not None and within[1] and "${" not in within[1]:
        yield entry.problem("url", 'its password stands in the file as it is; better "${NAME}" from the environment')
    # The service may run elsewhere, or begin before the file is written.
    if is_file(url) and (reason := _missing(locate(url, folder))):
        yield entry.problem("url", reason)


def _missing(path: Path) -> str:
    """Why the file cannot be read, as far as can be told without opening it; empty when it is there."""
    try:
        return "" if path.is_file() else f"there is no file {path}"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
