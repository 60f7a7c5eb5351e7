"""Which item of a feed is which, and which of its parts changed (feeds 23 to 25). Pure; an identity holds in its feed only.

What an item is called among its feed's rows follows from it: `naming.py`.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from daemon.feeds.parse.links import is_address
from daemon.messages.article import Item
from daemon.urls import canonical_url

_COUNTED: Final = (
    r"(?:comments?|commentaires?|kommentare?|comentarios?|comentários?|yorum|комментари\w*|коментар\w*|تعليقات|تعليق|نظر)"
)
_COMMENTS: Final = re.compile(rf"(?<!\d)\d{{1,9}} {_COUNTED}\b|\b{_COUNTED} ?[:(\[] ?\d{{1,9}}[)\]]?", re.IGNORECASE)
_SPACES: Final = re.compile(r"\s+")


def identity(
    *,
    guid: str,
    link: str,
    title: str,
    date: str,
    text: str = "",
    repeated: frozenset[str] = frozenset(),
) -> str:
    """What an item is known by in its feed: its guid, else its canonical link, else title and date as written.

    Where there are none of these, by a hash of its text; empty only if everything is. A guid that stands in `repeated`
    (several items of the document carry it) has the link added. The schemes http and https are one in guids.
    """
    if guid:
        name = f"http://{guid[8:]}" if guid.lower().startswith("https://") else guid
        return f"{name} {canonical_url(link)}" if guid in repeated and link and link != guid else name
    if is_address(link):
        return canonical_url(link)
    return " ".join(part for part in (link, title, date) if part) or _hash(text)


def plain_identity(item: Item) -> str:
    """What the item would be known by if no other item of its document carried its guid."""
    if not item.guid:
        return item.id
    return identity(guid=item.guid, link=item.link, title=item.title, date="")


def words_hash(item: Item) -> str:
    """A hash of title and date as written, by which an item is known where neither ids nor links last; empty without both."""
    date = item.published.raw or item.updated.raw
    if not (item.title and date):
        return ""
    return blake2b(f"{item.title}\x1f{date}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def part_hashes(item: Item) -> dict[str, str]:
    """A hash of each text by which an edit is told: title, summary, content. Not HTML, so tracking pixels change nothing."""
    texts = {"title": item.title, "summary": item.summary, "content": item.content}
    return {part: _hash(text) for part, text in texts.items()}


def edited(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the parts whose hashes differ; empty: nothing changed. A part that `before` does not know is no edit."""
    return tuple(part for part, value in after.items() if before.get(part, value) != value)


def _hash(text: str) -> str:
    settled = _SPACES.sub(" ", _COMMENTS.sub("", text)).strip()
    return blake2b(settled.encode("utf-8", "replace"), digest_size=8).hexdigest() if settled else ""
