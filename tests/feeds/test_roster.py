"""Feeds that the files name anew: under another address, or after they had left."""

from dataclasses import replace

import pytest

from daemon.feeds.pace.schedule import Answer
from daemon.feeds.polling import ANSWERS
from daemon.feeds.rows import FeedState
from daemon.feeds.sources.load import Source
from daemon.net.answers import FetchOutcome
from tests.feeds.desk import Desk, desk, good, item, source


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (None, FeedState.NEW),
        (FetchOutcome.OK, FeedState.OK),
        (FetchOutcome.DNS, FeedState.FAILING),
        (FetchOutcome.GONE, FeedState.GONE),
    ],
)
def test_a_feed_that_is_back_stands_as_it_did(outcome: FetchOutcome | None, state: FeedState) -> None:
    """Its state is what its last poll gave, also where no poll has ever gone well: only one never polled is new."""
    made = desk()
    if outcome is not None:
        made.done(replace(good(made.now), outcome=outcome, answer=ANSWERS.get(outcome, Answer.FAILED)))
    made.poller.replace([])
    made.reconcile()
    made.poller.replace([source()])
    made.reconcile()
    assert made.feed().state is state


def readdressed(made: Desk) -> Source:
    """The feed under another address of its site."""
    other = source(url="https://news.example.org/other")
    made.poller.replace([other])
    made.reconcile()
    return other


def test_a_corrected_address_is_no_first_sight() -> None:
    """Feeds 22, 12: where the first window of another address has items of the one before, what is new in it is news."""
    made = desk()
    made.poll([item("a"), item("b")])
    other = readdressed(made)
    made.poll([item("b"), item("c")], url=other.url, left=1)
    made.poll([item("b"), item("c"), item("d")], url=other.url)
    assert [(raw.item.id, raw.backfill) for raw in made.published[2:]] == [("c", False), ("d", False)]


def test_another_feed_is_a_first_sight() -> None:
    """Feeds 22: where it has none of them, it is another feed, and what stands there already is backfill, in portions too."""
    made = desk()
    made.poll([item("a")])
    other = readdressed(made)
    made.poll([item("x")], url=other.url, left=1)
    made.poll([item("x"), item("y")], url=other.url)
    assert [(raw.item.id, raw.backfill) for raw in made.published[1:]] == [("x", True), ("y", True)]
