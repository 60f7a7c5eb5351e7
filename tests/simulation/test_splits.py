"""Splitting differently what a hop is given changes nothing: not what it puts out, not what it remembers."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.enricher import Enricher
from daemon.bus.base import Record
from daemon.bus.topics import RAW
from daemon.feeds.jobs import Entry, PollResult, Window
from daemon.feeds.pace.schedule import Answer, Pace
from daemon.feeds.poller import Poller
from daemon.feeds.rows import SiteRow, decode, feed_key, site_key
from daemon.feeds.sources.load import Source
from daemon.messages.article import FeedCard, Item, RawArticle
from daemon.messages.wire import encode
from daemon.net.answers import FetchOutcome
from tests.simulation.replay import Replay
from tests.simulation.sense import make_sense

NOW = 1_700_000_000.0
TEXTS = ("The talks went on until night.", "The talks failed.", "")
SOURCES = [
    Source(id=feed, url=f"https://{site}.example/{feed}", shown="", site=f"{site}.example")
    for feed, site in (("one", "a"), ("two", "a"), ("three", "b"), ("four", "c"))
]

cuts = st.lists(st.integers(0, 12), max_size=4)
raws = st.fixed_dictionaries({
    "article": st.sampled_from("abc"),
    "feed": st.sampled_from(["one", "two"]),
    "title": st.sampled_from(["A headline", "Another headline"]),
    "content": st.sampled_from(TEXTS),
    "edited": st.sampled_from([(), (), ("title",), ("content",)]),
})  # fmt: skip
items = st.builds(
    lambda number, title, text: Item(id=f"{number}", link=f"https://d.example/{number}", title=title, content=text),
    st.integers(0, 3),
    st.sampled_from(["A headline", "Another headline"]),
    st.sampled_from(TEXTS),
)
answers = st.fixed_dictionaries({
    "items": st.none() | st.lists(items, max_size=4),
    "answer": st.sampled_from([Answer.GOOD, Answer.GOOD, Answer.FAILED, Answer.TOO_MANY, Answer.GONE]),
})  # fmt: skip


@pytest.fixture(scope="module")
def enricher() -> Enricher:
    return make_sense().enricher


@settings(max_examples=60)
@given(drawn=st.lists(raws, max_size=16), cuts=cuts)
def test_enricher(enricher: Enricher, drawn: list[dict[str, Any]], cuts: list[int]) -> None:
    """Articles in other batches give the same revisions, in the same order, and the same rows."""
    records = [_raw(number, **knobs) for number, knobs in enumerate(drawn)]

    async def lived(cuts: Sequence[int]) -> Replay:
        replay = Replay(enricher)
        await replay.take(records, cuts)
        return replay

    whole, split = asyncio.run(lived(())), asyncio.run(lived(cuts))
    assert split.out == whole.out
    assert split.held() == whole.held()


def _raw(number: int, article: str, feed: str, title: str, content: str, edited: tuple[str, ...]) -> Record:
    """All at one instant: when a batch is decided is not how it is cut."""
    raw = RawArticle(
        id=article,
        site="d.example",
        url=f"https://d.example/{article}",
        feed=FeedCard(id=feed, url=f"https://{feed}.example/"),
        item=Item(id=article, title=title, content=content),
        fetched_at=NOW,
        edited=edited,
    )
    return Record(RAW, raw.site, article.encode(), encode(raw), NOW, number)


@settings(max_examples=60)
@given(rounds=st.lists(st.lists(answers, min_size=3, max_size=3), max_size=6), cuts=cuts)
def test_poller(rounds: list[list[dict[str, Any]]], cuts: list[int]) -> None:
    """What polls answered, in one step or in several, gives the same articles, in the same order, and the same rows."""
    whole, split = _polled(rounds, ()), _polled(rounds, cuts)
    assert split.out == whole.out
    assert split.held() == whole.held()
    assert len(whole.held()) >= len(SOURCES)


def _polled(rounds: list[list[dict[str, Any]]], cuts: Sequence[int]) -> Replay:
    """In each round all feeds are due, those of one site in turn; the answers of a round come at one instant."""
    replay = Replay(Poller(SOURCES, pace=Pace(), parser=1))
    replay.reconcile(NOW)
    for number, drawn in enumerate(rounds, start=1):
        now = NOW + number * 7 * 86400.0
        replay.until(now)
        named = [(site_key("a.example"), _turn(replay)), (feed_key("three"), "three"), (feed_key("four"), "four")]
        results = [(key, _answer(feed, now, **knobs)) for (key, feed), knobs in zip(named, drawn, strict=True)]
        bounds = [0, *sorted(cut % (len(results) + 1) for cut in cuts), len(results)]
        for start, end in pairwise(bounds):
            replay.answers(results[start:end], now)
    return replay


def _turn(replay: Replay) -> str:
    """Whose turn it is of the feeds that share a site."""
    row = replay.rows.get(site_key("a.example"))
    return decode(SiteRow, row.value).feed if row is not None else "one"


def _answer(feed: str, now: float, items: list[Item] | None, answer: Answer) -> PollResult:
    source = next(source for source in SOURCES if source.id == feed)
    window = None
    if items is not None:
        entries = {item.id: Entry(hash=repr(item), item=item) for item in items}
        window = Window(entries=tuple(entries.values()))
    return PollResult(url=source.url, outcome=FetchOutcome.OK, answer=answer, fetched_at=now, fresh=True, window=window)
