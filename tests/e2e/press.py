"""A changing feed for end-to-end tests: acts, one after the other, and by item the versions that a good reader must have seen.

An act is done when the service comes back with the ETag of its last document: what that held is committed.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from random import Random
from typing import Final

from tests.servers.feeds import RSS_TYPE, Answer, RssItem, rss

PATH: Final = "/replay"
Version = tuple[str, str]
"""A title and a text."""


@dataclass(frozen=True, slots=True)
class Act:
    """What is served in turn; the last answer repeats."""

    name: str
    answers: Sequence[Answer]

    @property
    def etag(self) -> str:
        """That of the last document; empty where there is none to come back for."""
        return self.answers[-1].headers.get("ETag", "")


class Press:
    """Writes the acts. `seen`: by link, what was served of an item in acts that are over."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._items: list[RssItem] = []
        self._number = 0
        self.seen: dict[str, list[Version]] = defaultdict(list)

    def acts(self) -> Iterator[Act]:
        """All that happens to the feed. Whoever asks for the next one has seen the last."""
        yield self._shown("first window", self._add(12))
        yield self._shown("new items", self._add(3))
        yield from self._edits()
        yield from self._removals()
        yield from self._broken_polls()
        yield self._shown("guids turn https", [replace(item, guid=f"https{item.guid[4:]}") for item in self._items])
        twins = [replace(item, guid=self._items[0].guid) for item in self._made(2)]
        yield self._shown("two more with a guid that is taken", [*twins, *self._items])
        yield self._shown("a twin edited", self._edit(0, description="A twin, put right"))
        yield self._shown("the first of the twins gone", self._items[1:])
        yield self._churned("ids change at every poll", 4)
        self._add(2)
        yield self._churned("and there is news", 3)

    def _edits(self) -> Iterator[Act]:
        for number in self._chance.sample(range(len(self._items)), 3):
            text = f"Put right: {self._items[number].description}"
            yield self._shown("a text edited", self._edit(number, description=text))
        number = self._chance.randrange(len(self._items))
        yield self._shown("retitled", self._edit(number, title=f"{self._items[number].title}, updated"))

    def _removals(self) -> Iterator[Act]:
        gone = [self._items.pop(self._chance.randrange(len(self._items))) for _ in range(4)]
        yield self._shown("four removed", self._items)
        yield self._shown("reordered, and two are back", self._chance.sample([*self._items, *gone[:2]], len(self._items) + 2))

    def _broken_polls(self) -> Iterator[Act]:
        body = rss(self._items)
        bad = {
            "an empty body": Answer(headers={"Content-Type": RSS_TYPE}),
            "a web page": Answer(body=b"<!doctype html><html><body>Back soon</body></html>"),
            "a body that breaks off": Answer(body=body, cut=len(body) // 2),
            "an error": Answer(status=500),
        }
        for name, answer in bad.items():
            yield Act(name, [answer])
            yield self._shown("well again, with news", self._add(1))
        items, self._items = self._items, []
        yield self._shown("no items at all", [])
        yield self._shown("all items again, with news", [*self._made(1), *items])

    def _made(self, count: int) -> list[RssItem]:
        """New items, which are not yet shown."""
        self._number += count
        return [
            RssItem(
                guid=f"http://press.example/{number}",
                link=f"https://press.example/{number}",
                title=f"Story {number}",
                description=f"Text of story {number}, {self._chance.randrange(10**9)}",
                published="Mon, 05 Feb 2024 14:03:22 GMT",
            )
            for number in range(self._number - count, self._number)
        ]

    def _add(self, count: int) -> list[RssItem]:
        self._items = [*self._made(count), *self._items]
        return self._items

    def _edit(self, number: int, **changed: str) -> list[RssItem]:
        self._items[number] = replace(self._items[number], **changed)
        return self._items

    def _shown(self, name: str, items: Sequence[RssItem]) -> Act:
        self._items = list(items)
        self._keep()
        return Act(name, [_document(self._items)])

    def _churned(self, name: str, polls: int) -> Act:
        """The same items with other guids in each answer."""
        self._keep()
        documents = [[replace(item, guid=f"{name}-{poll}-{item.link}") for item in self._items] for poll in range(polls)]
        return Act(name, [_document(items) for items in documents])

    def _keep(self) -> None:
        for item in self._items:
            versions, version = self.seen[item.link], (item.title, item.description)
            if version not in versions[-1:]:
                versions.append(version)


def _document(items: Sequence[RssItem]) -> Answer:
    body = rss(items)
    return Answer(body=body, headers={"ETag": f'"{blake2b(body, digest_size=8).hexdigest()}"', "Content-Type": RSS_TYPE})
