"""The poller's rows: what is remembered of a feed and of each of its items, and their bytes.

    feed/<id>               one a feed; `wake` = next poll, or when a feed that left is forgotten
    item/<id>/<identity>    one an item; `wake` only once it left the feed's window: 30 days later it is forgotten (feeds 25)
    site/<site>             one a site of several feeds that has some due or is left alone; `wake` = as soon as it may be asked
    turn/<site>/<number>    one a feed that waits until its site is free (turns.py); its bytes are the feed's id

The bytes of the others are JSON led by a version; a change of format needs a stop and a start.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final, TypeVar

import msgspec
import orjson

from daemon.errors import DecodeError, NewerRow
from daemon.feeds.elsewhere.pages import CatchUp
from daemon.feeds.pace.rhythm import UNHEARD, Rhythm
from daemon.feeds.pace.wishes import DAY, NO_WISH, Wish

KEPT: Final = 30 * DAY
"""How long an item is remembered after it left its feed's window, and a feed after it left the files (seconds)."""

MAX_ITEMS: Final = 20_000
"""Item rows a feed may have; beyond it, items are forgotten as soon as they leave the window."""

MAX_WINDOW: Final = 5_000
"""Items of one document that count, in its order; the others are passed over, counted and said (feeds 20)."""

FEED: Final = b"feed/"
ITEM: Final = b"item/"
SITE: Final = b"site/"
TURN: Final = b"turn/"
_VERSION: Final = 1


class FeedState(StrEnum):
    """How a feed has been doing."""

    NEW = "new"
    OK = "ok"
    FAILING = "failing"
    GONE = "gone"
    LEFT = "left"


class NamedBy(StrEnum):
    """What a feed's items are known by (feeds 23, 24): each is taken where those before it do not last."""

    ID = "id"
    LINK = "link"
    WORDS = "title_and_date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An element of the feed's last window: the hash of its bytes (empty: not known) and the item it is, by its key's end."""

    hash: str
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Where permanent redirects have led of late, how many polls found the feed there, and since when (feeds 12).

    None yet: what was read there shared nothing with the window before; but the validators are of there.
    """

    url: str
    since: float
    polls: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """One feed. Validators hold for `url`, `credentials` and `parser`; `body` is the hash of the last body that was parsed.

    `url` is what `Source.address` says: no secret stands in a row.

    `fetched`: whether a window of this URL was ever read as a whole. `portions`: how many polls in a row have left items
    of one document to the next; while it is not 0 there are neither validators nor `body`.
    `polled_at`: when this URL was polled last; None before its first poll, which is due at once.
    `left_at`: since when the files no longer name the feed; `elsewhere`: another partition has had it since, and no window
    was read after that.
    `named_by`: what its items' keys are made of. `gap_at`: when its window was last found to have rolled over between two
    polls; `gaps`: how often its interval is halved since then (gaps.py). `catching`: where what was missed is looked for.
    `credentials`: a hash of those it was asked with. `whole_at`: when a whole answer (a 200) came last (feeds 3).
    `interval`: the operator's own when `next_at` was decided, None for none. `pace`: seconds between polls, as decided then.
    `moved_to`: the address that is asked instead of `url`, empty for none; `move`: what may become one.
    `asked`: ids of the last “poll now” that were taken; `asked_after`: `attempt` at the last; `refused_until`: when the site
    may be asked again, where that was refused.
    `sought_at`: when the feeds of a page that came instead were looked for last; `named`: which there were, in words.
    """

    url: str
    parser: int
    state: FeedState = FeedState.NEW
    next_at: float = 0.0
    etag: str = ""
    last_modified: str = ""
    body: str = ""
    window: tuple[Seen, ...] = ()
    fetched: bool = False
    portions: int = 0
    attempt: int = 0
    failures: int = 0
    polled_at: float | None = None
    success_at: float | None = None
    outcome: str = ""
    detail: str = ""
    items: int = 0
    kept: int = 0
    left_at: float | None = None
    elsewhere: bool = False
    named_by: NamedBy = NamedBy.ID
    gaps: int = 0
    gap_at: float | None = None
    catching: CatchUp | None = None
    credentials: str = ""
    whole_at: float | None = None
    interval: float | None = None
    pace: float | None = None
    rhythm: Rhythm = UNHEARD
    wish: Wish = NO_WISH
    moved_to: str = ""
    move: Move | None = None
    asked: tuple[str, ...] = ()
    asked_after: int = 0
    refused_until: float | None = None
    sought_at: float | None = None
    named: str = ""

    def hashes(self) -> frozenset[str]:
        """Of the elements that need no parsing."""
        return frozenset(seen.hash for seen in self.window if seen.hash)

    def unconditional(self) -> "FeedRow":
        """Without what was known of the last answer: the next poll asks for all of it (feeds 3)."""
        return replace(self, etag="", last_modified="", body="")

    def unread(self) -> "FeedRow":
        """The same, and each element is to be parsed again, though its item is known."""
        return replace(self.unconditional(), window=tuple(Seen(hash="", item=seen.item) for seen in self.window))


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """One item of a feed: the article it became, fixed at first sight, and hashes of its parts as `parser` read them.

    `words`: the hash of its title and date (`words_hash`). `withdrawn`: the feed took it back (feeds 28).
    """

    article: str
    site: str
    parts: dict[str, str]
    parser: int
    first_at: float
    words: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """A site's queue: the feed whose poll was started (empty: none), and the tickets from `first` to before `after`.

    The site is left alone from `paused_at` to `free_at`; `refusals`: how often in a row it has said “too many” (feeds 14).
    """

    feed: str = ""
    first: int = 0
    after: int = 0
    refusals: int = 0
    paused_at: float = 0.0
    free_at: float = 0.0


T = TypeVar("T", FeedRow, ItemRow, SiteRow)


class _Head(msgspec.Struct):
    v: int


_HEAD: Final = msgspec.json.Decoder(_Head)
_DECODERS: Final[dict[type[Any], msgspec.json.Decoder[Any]]] = {
    cls: msgspec.json.Decoder(cls) for cls in (FeedRow, ItemRow, SiteRow)
}
_LEAD: Final = b'{"v":%d,' % _VERSION


def encode(row: FeedRow | ItemRow | SiteRow) -> bytes:
    return _LEAD + orjson.dumps(row)[1:]


def decode(shape: type[T], value: bytes | None) -> T:
    """The row in `value`. Raises `NewerRow`, and `DecodeError` for what is no row."""
    try:
        version = _HEAD.decode(value or b"").v
        if version != _VERSION:
            raise NewerRow(f"a row of the poller ({shape.__name__})", version)
        decoded: T = _DECODERS[shape].decode(value or b"")
    except msgspec.MsgspecError as error:
        raise DecodeError(f"not a row: {error}", subject=shape.__name__) from error
    return decoded


def feed_key(feed: str) -> bytes:
    return FEED + feed.encode()


def feed_of(key: bytes) -> str:
    """The id of the feed that a feed's or an item's key belongs to."""
    return key.split(b"/")[1].decode()


def site_key(site: str) -> bytes:
    return SITE + site.encode()


def site_named(key: bytes) -> str:
    """The site that a site's key belongs to."""
    return key.removeprefix(SITE).decode()


def ticket_key(site: str, number: int) -> bytes:
    return TURN + site.encode() + b"/%012d" % number


def items_prefix(feed: str) -> bytes:
    return ITEM + feed.encode() + b"/"


def item_name(identity: str) -> str:
    """The end of an item's key where it is known by its identity: a hash of that, 24 hex digits."""
    return blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def item_key(feed: str, name: str) -> bytes:
    return items_prefix(feed) + name.encode()
