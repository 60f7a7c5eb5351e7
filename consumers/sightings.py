"""The enricher's rows: what is remembered of an article's revisions and of what each feed last said of it; and their bytes.

    article/<id>    one an article; `wake` = when it is forgotten, 30 days after it was last seen

Bytes are JSON led by a version; a change of format needs a stop and a start.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import orjson

from daemon.errors import DecodeError, NewerRow

ROW_LIFE: Final = 30 * 86400.0
"""Seconds an article is remembered after a feed last said something of it."""
MAX_FEEDS: Final = 32
"""Feeds remembered for one article; beyond it the one that spoke longest ago is forgotten."""

_PREFIX: Final = b"article/"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sightings:
    """An article's history. `feeds`: hashes by zone of what each feed last said, by feed id, the last to speak last."""

    revision: int
    first_seen: float
    feeds: Mapping[str, Mapping[str, str]]
    v: int = _VERSION

    def saw(self, feed: str, hashes: Mapping[str, str]) -> "Sightings":
        """With what a feed says now."""
        others = [(name, texts) for name, texts in self.feeds.items() if name != feed]
        return replace(self, feeds=dict([*others, (feed, hashes)][-MAX_FEEDS:]))


class _Head(msgspec.Struct):
    v: int


_HEAD: Final = msgspec.json.Decoder(_Head)
_DECODER: Final = msgspec.json.Decoder(Sightings)


def row_key(article: str) -> bytes:
    return _PREFIX + article.encode()


def write_sightings(row: Sightings) -> bytes:
    return orjson.dumps(row)


def read_sightings(stored: bytes) -> Sightings:
    """The row `write_sightings` wrote. Raises `NewerRow`, and `DecodeError` for what is no row."""
    try:
        version = _HEAD.decode(stored).v
        if version != _VERSION:
            raise NewerRow("a row of the enricher", version)
        return _DECODER.decode(stored)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(f"not a row of the enricher: {error}") from error
