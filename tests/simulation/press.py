"""What the made-up press writes: stories, copies of them, edits, the same address in two feeds, names beside the article."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from daemon.messages.article import Item, Moment

WATCHLISTS: Final = {
    "north.yaml": """
desk: north
actors:
  - {id: jane-roe, names: Jane Roe, severity: high}
  - {id: omar-vale, names: Omar Vale, severity: normal}
  - {id: lena-stone, names: Lena Stone, severity: low}
rules:
  - {id: summit, where: '"Jane Roe" NEAR/8 summit', severity: normal}
  - {id: broken, where: '"Jane Roe" OR "Lena Stone"', unless: '"Lena Stone"', severity: low}
""",
    "south.yaml": """
desk: south
actors:
  - {id: jane-roe, names: Jane Roe, severity: low}
  - {id: omar-vale, names: Omar Vale, severity: high}
""",
}
BROKEN: Final = "broken"
"""A rule that raises at some articles: see `sense`."""
WATCHED: Final = {"north": ("Jane Roe", "Omar Vale", "Lena Stone"), "south": ("Jane Roe", "Omar Vale")}
"""Whom each desk watches."""
WINDOW: Final = 8
"""How many items a feed shows at least; it shows an item until somebody took its latest version."""
DEADLY: Final = "deadly"
"""Stands in the address of an article that kills the process that tries to understand it."""
_VERBS: Final = ("said", "told the summit", "wrote", "denied", "promised")


@dataclass(slots=True)
class Shown:
    """An item of a feed. `actors` are named in its text, `aside` only beside it; `version` counts its edits."""

    feed: str
    link: str
    words: tuple[str, ...]
    actors: tuple[str, ...]
    aside: tuple[str, ...]
    verb: str
    published: float
    version: int = 1

    @property
    def name(self) -> tuple[str, str]:
        return self.feed, self.link

    def item(self) -> Item:
        half = len(self.words) // 2
        said = [f"{actor} {self.verb} it." for actor in self.actors]
        text = [f"{' '.join(self.words[:half])}. {' '.join(said)}", f"{' '.join(self.words[half:])}."]
        if self.aside:
            text += ["Read also", *(f"{actor} opens a new bridge" for actor in self.aside)]
        return Item(
            id=self.link,
            guid=self.link,
            link=self.link,
            title=f"Report {self.words[0]} {self.version}",
            content="\n\n".join(text),
            published=Moment(at=self.published, how="rfc822"),
            tags=(f"v{self.version}",),
        )


class Press:
    """Writes into feeds; every choice is the seed's."""

    def __init__(self, chance: random.Random, feeds: Sequence[str], deadly: float) -> None:
        """`deadly` is how likely a story is to kill."""
        self._chance = chance
        self.feeds: dict[str, list[Shown]] = {feed: [] for feed in feeds}
        self.written: list[Shown] = []
        self._deadly = deadly

    def write(self, now: float) -> None:
        """A story of its own, about some of those who are watched, or about nobody."""
        chance = self._chance
        words = tuple(f"word{chance.randrange(10**6)}" for _ in range(60))
        actors = tuple(chance.sample(WATCHED["north"], chance.choice((0, 1, 1, 1, 2))))
        others = [actor for actor in WATCHED["north"] if actor not in actors]
        aside = (chance.choice(others),) if chance.random() < 0.2 else ()
        self._show(Shown(self._feed(), self._link(), words, actors, aside, chance.choice(_VERBS), now))

    def copy(self, now: float) -> None:
        """Somebody else's copy of a story, a few words changed, at an address of its own."""
        if self.written:
            source = self._chance.choice(self.written[-20:])
            words = list(source.words)
            words[self._chance.randrange(len(words))] = "other"
            self._show(replace(source, feed=self._feed(), link=self._link(), words=tuple(words), published=now, version=1))

    def syndicate(self) -> None:
        """The same address in another feed, as it stands or as it stood."""
        if self.written:
            source, feed = self._chance.choice(self.written[-20:]), self._feed()
            if all(shown.link != source.link for shown in self.feeds[feed]):
                self._show(replace(source, feed=feed, version=max(1, source.version - self._chance.randrange(2))))

    def edit(self) -> None:
        """One of the items on show gets another headline, and perhaps one more name."""
        shown = self.feeds[self._feed()][-WINDOW:]
        if shown:
            item = self._chance.choice(shown)
            item.version += 1
            item.actors = tuple(
                dict.fromkeys((*item.actors, *self._chance.sample(WATCHED["north"], self._chance.randrange(2))))
            )
            item.aside = tuple(actor for actor in item.aside if actor not in item.actors)

    def _show(self, shown: Shown) -> None:
        self.feeds[shown.feed].append(shown)
        self.written.append(shown)

    def _feed(self) -> str:
        return self._chance.choice(list(self.feeds))

    def _link(self) -> str:
        ending = f"-{DEADLY}" if self._chance.random() < self._deadly else ""
        return f"https://{self._chance.choice('abc')}.example/{len(self.written)}{ending}"
