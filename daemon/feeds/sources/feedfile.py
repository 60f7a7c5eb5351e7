"""Feeds on their way out of and into files: as OPML has them (`opml.py`), and as a YAML file of feeds, written. Pure.

entries ─ portable ─▶ plain feeds ─ write_opml          read_opml ─▶ plain feeds ─ acceptable ─ yaml_text
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from daemon.config.document import Document
from daemon.config.models import Feed
from daemon.errors import Problem
from daemon.feeds.sources.load import Entry, why_unusable

_ORDER: Final = (
    "id",
    "url",
    "name",
    "language",
    "country",
    "tags",
    "interval",
    "max_age",
    "first_fetch",
    "user_agent",
    "delta",
)
_UNPRINTED: Final = re.compile(r"[^ -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def portable(entry: Entry, environ: Mapping[str, str]) -> Mapping[str, Any]:
    """The feed as its file has it, without its login, and with its address as it is shown."""
    feed = entry.feed
    said = {
        "id": feed.id,
        "url": entry.shown(environ),
        "name": feed.name,
        "language": feed.language,
        "country": feed.country,
        "tags": list(feed.tags),
        "interval": _duration(feed.interval),
        "max_age": _duration(feed.max_age) or "none" if "max_age" in feed.model_fields_set else "",
        "first_fetch": str(feed.first_fetch or ""),
        "user_agent": feed.user_agent,
        "delta": feed.delta,
    }
    return {name: value for name, value in said.items() if value}


def has_secret(feed: Feed, shown: str) -> bool:
    """Whether the feed cannot be asked with what `portable` says of it."""
    return feed.auth is not None or feed.url != shown


def acceptable(document: Document, warnings: list[Problem]) -> Iterator[Mapping[str, Any]]:
    """The feeds of a list that a file of feeds may have; of the others it is said why not."""
    taken: set[str] = set()
    for index, feed in enumerate(document.value):
        reason = why_unusable(feed["url"], None)
        if "${" in feed["url"]:
            reason = "holds ${, which would be filled in from the environment; write this feed by hand"
        if feed["id"] in taken:
            reason = f"has the id {feed['id']!r} of another feed"
        if reason:
            warnings.append(document.problem((index, "url"), f"is left out: {reason}"))
            continue
        taken.add(feed["id"])
        yield {name: _disarmed(value) for name, value in feed.items() if value}


def yaml_text(feeds: Iterable[Mapping[str, Any]], title: str) -> str:
    """A file of feeds; every text in quotes, so that none is read as something else."""
    lines = [f"# {_UNPRINTED.sub('?', title)}"]
    for feed in feeds:
        said = [f"{name}: {_written(feed[name])}" for name in _ORDER if feed.get(name)]
        lines += [("- " if number == 0 else "  ") + line for number, line in enumerate(said)]
    return "\n".join(lines) + "\n"


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return f"[{', '.join(map(_written, value))}]"
    return _UNPRINTED.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}"


def _disarmed(value: Any) -> Any:
    """Without what would be filled in."""
    if isinstance(value, list):
        return [_disarmed(part) for part in value]
    return value if isinstance(value, bool) else str(value).replace("${", "$ {")


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
