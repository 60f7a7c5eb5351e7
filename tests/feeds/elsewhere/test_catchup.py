"""After a gap: what the feed no longer shows is looked for on older pages, and its own polls come first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from daemon.feeds.elsewhere.pages import Way
from daemon.feeds.jobs import Outcome, PageJob, PageOutcome, PageResult, PollResult
from daemon.feeds.pace.schedule import Answer
from daemon.feeds.pace.turns import paused_until
from daemon.feeds.rows import ITEM, KEPT, site_key
from daemon.messages.article import Item, Moment
from daemon.net.answers import FetchOutcome
from daemon.stage.hop import Effects, Fact, Failed
from daemon.stage.table import StepTable
from tests.feeds.desk import DAY, Desk, desk, item, source

FEED = "https://news.example.org/feed"
PLAIN = "https://news.example.org/rss.xml"
ARCHIVE = "https://news.example.org/archive/7"
NOW = 1_000_000.0


def dated(number: int, age: float = 0.0) -> Item:
    return replace(item(str(number), title=f"Title {number}"), published=Moment(at=NOW - age, raw="x", how="rfc822"))


def listed(numbers: range) -> list[Item]:
    return [dated(number) for number in numbers]


def gapped(url: str = FEED, **changed: Any) -> Desk:
    """A feed that showed 0 to 4 and then 20 to 24."""
    made = desk(source(url=url))
    made.poll(listed(range(5)), url=url)
    made.now += 3600
    made.poll(listed(range(20, 25)), url=url, **changed)
    return made


def answer(made: Desk, items: Sequence[Item] = (), *, commit: bool = True, **changed: Any) -> Effects:
    """The page that is asked for gives these."""
    job = made.page_job()
    found = PageResult(url=job.url, page=job.page, outcome=FetchOutcome.OK, fetched_at=made.now, items=tuple(items))
    return made.done(replace(found, **changed), commit=commit)


def asked(made: Desk) -> tuple[Way, str]:
    job = made.page_job()
    return job.page.way, job.address


def wakes(made: Desk) -> float:
    wake = made.row().wake
    assert wake is not None
    return wake


def numbers(made: Desk) -> list[int]:
    return [int(raw.item.guid or raw.item.link.rpartition("/")[2]) for raw in made.published]


def test_archives_are_followed_to_what_is_known() -> None:
    """Feeds 22: prev-archive, and the one before it, until an item from before the gap; then the hole is closed."""
    made = gapped(archive=ARCHIVE)
    assert asked(made) == (Way.ARCHIVE, ARCHIVE)
    answer(made, listed(range(12, 20)), named=("https://news.example.org/archive/6",))
    assert asked(made) == (Way.ARCHIVE, "https://news.example.org/archive/6")
    answer(made, listed(range(3, 13)), named=("https://news.example.org/archive/5",))
    assert made.feed().catching is None
    assert sorted(numbers(made)) == list(range(25))
    assert made.row().wake == made.feed().next_at


def test_pages_of_wordpress() -> None:
    """Feeds 22: ?paged=2 and so on, until a page has nothing new; an item that moved to the next page ends nothing."""
    made = gapped()
    assert asked(made) == (Way.PAGED, f"{FEED}?paged=2")
    answer(made, listed(range(16, 21)))
    assert asked(made) == (Way.PAGED, f"{FEED}?paged=3")
    answer(made, listed(range(11, 17)))
    answer(made, outcome=FetchOutcome.NOT_FOUND)
    assert made.feed().catching is None
    assert sorted(numbers(made)) == [*range(5), *range(11, 25)]


def test_a_server_that_knows_no_pages() -> None:
    """Feeds 22: the same window again is no older page; the sitemaps that robots.txt names are next, then the usual place."""
    made = gapped()
    answer(made, listed(range(20, 25)))
    assert asked(made) == (Way.ROBOTS, "https://news.example.org/robots.txt")
    answer(made, named=("https://news.example.org/pages.xml", "https://news.example.org/news.xml"))
    assert asked(made) == (Way.SITEMAP, "https://news.example.org/news.xml")
    answer(made, named=("https://news.example.org/news-2.xml", "https://news.example.org/sport.xml"))
    assert asked(made) == (Way.SITEMAP, "https://news.example.org/news-2.xml")


def from_sitemap(number: int, age: float = 0.0) -> Item:
    link = f"https://example.org/{number}"
    return replace(dated(number, age), id=link, guid="", link=link)


def test_a_news_sitemap() -> None:
    """Feeds 22: what is not known by its address and came since the last poll is news; the feed's own text of it is an edit."""
    made = gapped(PLAIN)
    answer(made)
    assert asked(made) == (Way.SITEMAP, "https://news.example.org/news-sitemap.xml")
    answer(made, [from_sitemap(2), from_sitemap(22), from_sitemap(10), from_sitemap(11, age=2 * DAY)])
    assert made.feed().catching is None
    assert numbers(made)[10:] == [10]
    made.poll([*listed(range(20, 25)), replace(dated(10), content="The whole text")], url=PLAIN)
    assert numbers(made)[11:] == [10]
    assert made.published[11].edited == ("content",)
    assert made.feed().kept == sum(1 for _ in made.rows.scan(ITEM)) == 11


def test_the_usual_sitemap_is_asked_for() -> None:
    """Feeds 22: a robots.txt that names none leaves /news-sitemap.xml to be tried, and that is the end."""
    made = gapped(PLAIN)
    answer(made)
    answer(made, outcome=FetchOutcome.NOT_FOUND)
    assert made.feed().catching is None


def test_old_items_of_old_pages_are_backfill() -> None:
    """Feeds 22: what is dated a day and more before the last poll stood there before: it is no news."""
    made = gapped()
    answer(made, [dated(10), dated(11, age=3 * DAY)])
    assert [raw.backfill for raw in made.published[10:]] == [False, True]


def test_it_ends() -> None:
    """Feeds 22: six pages are asked for, however many there are."""
    made = gapped()
    for page in range(6):
        assert made.feed().catching is not None
        answer(made, [dated(100 + page)])
    assert made.feed().catching is None


@pytest.mark.parametrize("outcome", [FetchOutcome.TOO_MANY, FetchOutcome.UNAVAILABLE])
def test_a_site_that_has_enough_is_left_alone(outcome: FetchOutcome) -> None:
    """Feeds 14, 22: nothing more is asked for."""
    made = gapped()
    answer(made, outcome=outcome)
    assert made.feed().catching is None


def test_a_refused_page_is_a_refusal_by_its_site() -> None:
    """Feeds 14, 22: “too many” for an older page is said to all feeds of its site, for as long as it asks."""
    made = gapped()
    answer(made, outcome=FetchOutcome.TOO_MANY, answer=Answer.TOO_MANY, site="example.org", retry_after=7200.0)
    table = StepTable(made.rows)
    assert paused_until(table.get(site_key("example.org")), made.now + 7199.0) is not None
    made.now = wakes(made)
    assert made.poller.wake(made.row(), table, made.now).work == ()
    later = table.get(made.row().key)
    assert later is not None
    assert later.wake is not None
    assert later.wake >= made.now - 3600.0 + 7200.0


@pytest.mark.parametrize(
    ("outcome", "named", "gave"),
    [
        (FetchOutcome.OK, (FEED,), "named"),
        (FetchOutcome.NOT_FOUND, (), "nothing"),
        (FetchOutcome.TOO_MANY, (), "refused"),
        (PageOutcome.ROBOTS, (), "refused"),
    ],
)
def test_what_a_page_gave_is_counted(outcome: Outcome | PageOutcome, named: tuple[str, ...], gave: str) -> None:
    """Feeds 22: a page that the server or its robots.txt refuses is not one that gives nothing."""
    facts = answer(gapped(), outcome=outcome, named=named).facts
    assert Fact("rasid_older_pages_total", {"way": "paged", "outcome": gave}) in facts


def test_it_survives_crashes() -> None:
    """Feeds 22: what is to be looked at stands in the row; a page whose step was lost is asked for again."""
    made = gapped()
    lost = answer(made, listed(range(15, 20)), commit=False)
    assert len(lost.out) == 5
    answer(made, listed(range(15, 20)))
    assert sorted(numbers(made)) == [*range(5), *range(15, 25)]
    job = made.page_job()
    late = PageResult(
        url=job.url, page=replace(job.page, number=2), outcome=FetchOutcome.OK, fetched_at=made.now, items=(dated(14),)
    )
    assert made.done(late).out == ()


def test_own_polls_come_first() -> None:
    """Feeds 22: no page is begun while a request of 30 s might hold up the feed's own poll, which goes on as before."""
    made = gapped()
    assert made.now < wakes(made) < made.feed().next_at
    made.now = made.feed().next_at - 20.0
    answer(made, listed(range(15, 20)))
    assert made.row().wake == made.feed().next_at
    made.now = made.feed().next_at
    made.poll(listed(range(20, 26)))
    assert wakes(made) < made.feed().next_at
    assert asked(made) == (Way.PAGED, f"{FEED}?paged=3")


def test_caught_up_items_are_no_window() -> None:
    """Feeds 22, 25: items of older pages are remembered for 30 days, and are not looked for in the next window."""
    made = gapped()
    answer(made, listed(range(15, 20)))
    assert len(made.feed().window) == 5
    made.pass_time(made.now + KEPT + 1)
    assert sum(1 for _ in made.rows.scan(ITEM)) == 5


def test_a_feed_with_a_login() -> None:
    """Feeds 22, 34: a login goes to pages of the feed's own origin only, and no address with a secret stands in the row."""
    url = "https://user:passw0rdX@news.example.org/feed?key=s3cretX"
    feed = replace(source(url=url), shown="https://news.example.org/feed?key=${KEY}", headers=(("X-Key", "abc"),))
    made = desk(feed)
    made.poll(listed(range(5)), url=url)
    made.poll(listed(range(20, 25)), url=url, archive="https://elsewhere.example/archive?key=s3cretX")
    job = made.page_job()
    assert (job.page.way, job.address, job.headers) == (Way.PAGED, f"{url}&paged=2", feed.headers)
    answer(made)
    assert made.page_job().address == "https://news.example.org/robots.txt"
    answer(made, named=("https://maps.example/news.xml",))
    assert made.page_job().headers == ()
    assert b"s3cretX" not in (made.row().value or b"")
    assert b"passw0rdX" not in (made.row().value or b"")


def test_a_page_that_breaks_the_worker_is_given_up() -> None:
    """Feeds 22: a bug while looking at a page is a failed poll, and the end of catching up."""
    made = gapped()
    made.done(Failed("KeyError"))
    assert made.feed().catching is None
    assert made.feed().outcome == "bug"


def test_feeds_of_one_site_take_turns() -> None:
    """Feeds 15, 22: where a site has several feeds, a page waits for the site's turn as a poll does."""
    made = desk(source("one"), source("two", "https://news.example.org/two"))
    for numbers_shown in (range(5), range(20, 25)):
        made.poll(listed(numbers_shown), "one")
    table = StepTable(made.rows)
    made.poller.wake(made.row("one"), table, wakes(made))
    turn = table.get(site_key("example.org"))
    assert turn is not None
    (work,) = made.poller.wake(turn, table, wakes(made)).work
    assert work.key == turn.key
    assert isinstance(work.job, PageJob)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (FetchOutcome.TOO_MANY, Answer.TOO_MANY),
        (FetchOutcome.UNAVAILABLE, Answer.TOO_MANY),
        (FetchOutcome.GONE, Answer.GONE),
        (FetchOutcome.TIMEOUT, Answer.FAILED),
    ],
)
def test_pages_wait_while_polls_fail(outcome: FetchOutcome, said: Answer) -> None:
    """Feeds 14, 22: after a poll that was refused or failed, no page is asked for before one succeeds; then it goes on."""
    made = gapped()
    made.now = made.feed().next_at
    made.done(PollResult(url=FEED, outcome=outcome, answer=said, fetched_at=made.now, retry_after=3600.0))
    assert made.row().wake == made.feed().next_at
    made.now = made.feed().next_at + 3600  # its site's pause is over, too
    made.poll(listed(range(20, 25)), url=FEED)
    assert asked(made)[0] is Way.PAGED
