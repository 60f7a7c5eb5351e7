"""What the poller asks to be done outside and what comes back: pure data, in and out."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from daemon.feeds.elsewhere.pages import Page
from daemon.feeds.pace.schedule import Answer
from daemon.feeds.parse.parsed import NO_HINTS, Deleted, Hints
from daemon.messages.article import Item
from daemon.net.answers import FetchOutcome
from daemon.net.logins import OPEN, Veil


class PollOutcome(StrEnum):
    """How a poll ended when it is not the request that says so (`FetchOutcome`): of a body that came."""

    UNCHANGED = "unchanged"
    EMPTY = "empty"
    HTML = "html"
    NO_FEED = "no_feed"
    OTHER_JSON = "other_json"
    DOCUMENT_TOO_LARGE = "document_too_large"
    UNREADABLE = "unreadable"
    BUG = "bug"


Outcome: TypeAlias = FetchOutcome | PollOutcome
"""How a poll ended: by the request, or by what its body was. No value stands for two of them."""


class PageOutcome(StrEnum):
    """How a look at an older page ended, where it was neither the request nor the body that says so."""

    ROBOTS = "robots"


@dataclass(frozen=True, slots=True, kw_only=True)
class PollJob:
    """Poll one feed: what to ask for, and what is known already so that it need not be sent or parsed again.

    `user_agent`: empty for the worker's. `headers`: those of a login; they go to the origin of `url` only.
    `moved_to`: the address that is really asked, when the feed has moved from `url`. `veil`: over what is told of addresses.
    `seek`: whether the feeds of a web page that comes instead are to be looked for.
    """

    feed: str
    url: str = field(repr=False)
    moved_to: str = ""
    veil: Veil = OPEN
    language: str = ""
    user_agent: str = ""
    delta: bool = False
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    etag: str = ""
    last_modified: str = ""
    body: str = ""
    known: frozenset[str] = frozenset()
    seek: bool = False

    @property
    def address(self) -> str:
        """What is asked."""
        return self.moved_to or self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class PageJob:
    """Look at one older page of a feed, at `address` (feeds 22). `url` is the feed's own, `headers` are for the page."""

    feed: str
    url: str = field(repr=False)
    page: Page
    address: str = field(repr=False)
    veil: Veil = OPEN
    language: str = ""
    user_agent: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageResult:
    """What was found there: items, and addresses that the page names: an older archive, sitemaps. `url` is the job's.

    `answer`, `site` and `retry_after` as of a poll; an `answer` that failed also where nobody was asked.
    """

    url: str = field(repr=False)
    page: Page
    outcome: Outcome | PageOutcome
    fetched_at: float
    answer: Answer = Answer.FAILED
    site: str = ""
    retry_after: float | None = None
    items: tuple[Item, ...] = ()
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An element of the window that was parsed: its hash (empty: not known) and the item in it."""

    hash: str
    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a feed held: the elements known before by hash and those parsed now.

    `left`: how many are left for the next polls. `beyond`: how many are passed over because a document has too many.
    `partial`: only what is new was sent (a 226, feeds 6). `repaired`: the document was broken and read all the same (feeds 19).
    """

    known: frozenset[str] = frozenset()
    entries: tuple[Entry, ...] = ()
    left: int = 0
    beyond: int = 0
    partial: bool = False
    repaired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PollResult:
    """How a poll ended. `outcome` is of a fixed list; validators and `body` only count when `answer` is good.

    `window` is None when nothing was parsed: not modified, the same body again, or a failure. `hints`, `archive` and
    `deleted` are the document's (see `Parsed`) and say something only beside a window; without one, those before still hold.
    `url` is the job's. `moved`: where permanent redirects alone have led; `redirected`: whether any redirect was followed.
    `fresh_for`: how long the answer says it holds (seconds). `site`: who said that it is asked too often; empty when
    nobody did. `sought`: whether feeds of the page that came instead were looked for; `named`: the sentence that names them.
    """

    url: str
    outcome: Outcome
    answer: Answer
    fetched_at: float
    site: str = ""
    fresh: bool = False
    """Whether a whole answer came (a 200, not a 226): its validators replace the old ones, absent ones too (feeds 2)."""
    etag: str = ""
    last_modified: str = ""
    body: str = ""
    window: Window | None = None
    hints: Hints = NO_HINTS
    archive: str = ""
    deleted: tuple[Deleted, ...] = ()
    moved: str = field(default="", repr=False)
    redirected: bool = False
    fresh_for: float | None = None
    retry_after: float | None = None
    sought: bool = False
    named: str = ""
    detail: str = ""
