"""How tests of feeds read one: from a place, at a time."""

from datetime import UTC, datetime
from typing import Any

from daemon.feeds.parse.feed import parse_feed
from daemon.feeds.parse.parsed import Parsed
from daemon.messages.article import Item

NOW = datetime(2024, 2, 6, tzinfo=UTC).timestamp()


def parse(raw: bytes | str, **more: Any) -> Parsed:
    raw = raw if isinstance(raw, bytes) else raw.encode()
    return parse_feed(raw, now=NOW, **{"url": "https://feeds.example.net/news/feed.xml", **more})


def only(raw: bytes | str, **more: Any) -> Item:
    (one,) = parse(raw, **more).items
    return one
