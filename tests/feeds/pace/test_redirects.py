"""Feeds that have moved for good (feeds 12): when the new address is asked, when it is not, and when no more."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from daemon.feeds.jobs import Outcome, PollOutcome, PollResult
from daemon.feeds.pace.schedule import Answer, Pace
from daemon.feeds.rows import FeedState
from daemon.messages.article import Item
from daemon.net.answers import FetchOutcome
from tests.feeds.desk import DAY, Desk, desk, good, item, source

OLD = "http://news.example.org/feed"
NEW = "https://new.example.net/feed"
SAME: Sequence[Item] = [item("a"), item("b")]


def watching(url: str = OLD, **changed: Any) -> Desk:
    """A feed whose items are known."""
    made = desk(replace(source(url=url), **changed))
    made.poll(SAME, url=url)
    return made


def lead(made: Desk, target: str = NEW, items: Sequence[Item] = SAME, *, days: float = 3.0, url: str = OLD) -> None:
    """A good poll, some days later, that permanent redirects led to the target."""
    made.now += days * DAY
    made.poll(items, url=url, moved=target, redirected=True)


def fail(made: Desk, outcome: Outcome, *, url: str = OLD, redirected: bool = False) -> None:
    answer = Answer.GONE if outcome is FetchOutcome.GONE else Answer.FAILED
    made.done(PollResult(url=url, outcome=outcome, answer=answer, fetched_at=made.now, redirected=redirected))


def test_a_move_is_believed_after_three_polls_and_seven_days() -> None:
    """Feeds 12: the same target, items in common, at least three polls over at least seven days; then it is asked."""
    made = watching()
    for days in (3.0, 3.0, 3.0):
        lead(made, days=days)
        assert made.job().address == OLD
    lead(made)
    job = made.job()
    assert (job.url, job.address) == (OLD, NEW)
    assert made.row().lane == "example.org"


def test_many_polls_in_a_day_prove_nothing() -> None:
    """Feeds 12: maintenance ends within a week."""
    made = watching()
    for _ in range(100):
        lead(made, days=0.05)
    assert made.job().address == OLD


@pytest.mark.parametrize("how", ["other items", "another target", "no redirect", "not modified"])
def test_what_is_not_proved_is_not_believed(how: str) -> None:
    """Feeds 12: other items, changing targets, redirects that come and go, and a 304, prove nothing; evidence begins anew."""
    made = watching()
    for number in range(6):
        if how == "other items":
            lead(made, items=[item(f"x{number}")])
        elif how == "another target":
            lead(made, target=f"{NEW}/{number % 2}")
        elif how == "not modified":
            made.now += 3 * DAY
            made.done(replace(good(made.now, OLD), outcome=FetchOutcome.NOT_MODIFIED, fresh=False, moved=NEW, redirected=True))
        else:
            lead(made)
            made.poll(SAME, url=OLD)
    assert made.job().address == OLD


def test_a_web_page_proves_nothing() -> None:
    """Feeds 12: a maintenance page that everything is redirected to for good is never moved to (Vienna 1546)."""
    made = watching()
    for _ in range(6):
        made.now += 3 * DAY
        page = PollResult(
            url=OLD, outcome=PollOutcome.HTML, answer=Answer.FAILED, fetched_at=made.now, moved=NEW, redirected=True
        )
        made.done(page)
    assert (made.job().address, made.feed().move) == (OLD, None)


def test_the_same_bytes_prove_it_too() -> None:
    """Feeds 12: a document that is byte for byte the one that was parsed has all items in common."""
    made = watching()
    for _ in range(4):
        made.now += 3 * DAY
        made.done(replace(good(made.now, OLD), outcome=PollOutcome.UNCHANGED, moved=NEW, redirected=True))
    assert made.job().address == NEW


@pytest.mark.parametrize("first", ["read before", "never read before"])
def test_a_304_of_the_new_address_proves_it_too(first: str) -> None:
    """Feeds 12: once the document was read there, a 304 there says that it still stands there, also for a later 404."""
    for times, gone in ((3, False), (1, True)):
        made = watching() if first == "read before" else desk(source(url=OLD))
        lead(made)
        for _ in range(times):
            made.now += 3 * DAY
            made.done(replace(good(made.now, OLD), outcome=FetchOutcome.NOT_MODIFIED, fresh=False, moved=NEW, redirected=True))
        if gone:
            fail(made, FetchOutcome.NOT_FOUND)
        assert made.job().address == NEW


def test_https_is_believed_at_once() -> None:
    """Feeds 12: where only the scheme became https, one good poll is enough."""
    made = watching()
    lead(made, "https://news.example.org/feed")
    assert made.job().address == "https://news.example.org/feed"
    made = watching()
    lead(made, "https://news.example.org/feed/")
    assert made.job().address == OLD


@pytest.mark.parametrize("outcome", [FetchOutcome.GONE, FetchOutcome.NOT_FOUND])
def test_an_old_address_that_is_gone(outcome: FetchOutcome) -> None:
    """Feeds 12: when the old address itself ends, the place it has led to is asked at once, and soon."""
    made = watching()
    fail(made, outcome)
    assert made.job().address == OLD
    lead(made)
    fail(made, outcome, redirected=True)
    assert made.job().address == OLD
    fail(made, outcome)
    assert (made.job().address, made.feed().state) == (NEW, FeedState.FAILING)
    assert made.feed().next_at <= made.now + Pace().shortest


@pytest.mark.parametrize(("outcome", "times"), [(FetchOutcome.GONE, 1), (FetchOutcome.NOT_FOUND, 1), (FetchOutcome.DNS, 10)])
def test_a_new_address_that_fails_for_good(outcome: FetchOutcome, times: int) -> None:
    """Feeds 12: the configured address is asked again, without what the other said, and soon."""
    made = watching()
    lead(made, "https://news.example.org/feed")
    for _ in range(times):
        assert made.job().address != OLD
        fail(made, outcome)
    job = made.job()
    assert (job.address, job.etag, job.body) == (OLD, "", "")
    assert made.feed().next_at <= made.now + Pace().shortest


def test_a_feed_with_credentials_never_moves() -> None:
    """Feeds 12: what was given for one address is not sent to another, nor is a feed moved to where it is not let in."""
    for made, url in (
        (watching(credentials="0f"), OLD),
        (watching(shown="http://news.example.org/${KEY}"), OLD),
        (watching("http://user:pass@news.example.org/feed"), "http://user:pass@news.example.org/feed"),
    ):
        for _ in range(5):
            lead(made, "https://news.example.org/feed", url=url)
        assert made.job().address == url


def test_credentials_that_come_later_end_a_move() -> None:
    """Feeds 12: a feed that had moved, or was about to, when it was given a login is asked at its own address, with it."""
    secured = "https://news.example.org/feed"
    for target in (secured, NEW):
        made = watching()
        lead(made, target)
        made.poller.replace([replace(source(url=OLD), credentials="0f", headers=(("X-Key", "s3cret"),))])
        made.reconcile()
        assert (made.job().address, made.feed().moved_to, made.feed().move) == (OLD, "", None)
        lead(made, target)
        assert made.job().address == OLD


def test_a_move_moves_on_and_back() -> None:
    """Feeds 12: the new address may move in its turn; when it leads back to the configured one, that is asked."""
    made = watching()
    lead(made, "https://news.example.org/feed")
    for _ in range(4):
        lead(made)
    assert made.job().address == NEW
    for _ in range(4):
        lead(made, OLD)
    assert (made.job().address, made.feed().moved_to) == (OLD, "")


def test_the_operator_is_told_once() -> None:
    """Feeds 12: a move is for the operator to write down; the notice shows no secret."""
    made = watching()
    lead(made, "https://news.example.org/feed")
    made = watching("http://news.example.org/feed?key=secret")
    made.now += DAY
    effects = made.poll(SAME, url="http://news.example.org/feed?key=secret", moved="https://news.example.org/feed?key=secret")
    assert [(notice.event, notice.about["feed"]) for notice in effects.notices] == [("feed_moved", "one")]
    assert "secret" not in effects.notices[0].about["to"]
    assert made.poll(SAME, url="http://news.example.org/feed?key=secret").notices == []


def test_a_file_that_is_corrected_changes_nothing() -> None:
    """Feeds 12: when the file names the address that is asked already, validators, items and schedule stay."""
    made = watching()
    lead(made, "https://news.example.org/feed")
    before = made.feed()
    made.poller.replace([source(url="https://news.example.org/feed")])
    made.reconcile()
    assert made.feed() == replace(before, url="https://news.example.org/feed", moved_to="")


def test_a_file_that_is_corrected_early_changes_nothing() -> None:
    """Feeds 12: so it is where the address was not believed yet, and the last good polls found the feed there."""
    other = "https://news.example.org/rss"
    made = watching()
    lead(made, other)
    before = made.feed()
    made.poller.replace([source(url=other)])
    made.reconcile()
    assert made.feed() == replace(before, url=other, move=None)
