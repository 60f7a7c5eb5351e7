"""A site that says it is asked too often is left alone by all of its feeds, whatever dies (feeds 14)."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.bus.held import HeldRows
from daemon.bus.topics import partition_of
from daemon.feeds.jobs import PollJob, PollResult
from daemon.feeds.pace.schedule import Answer, Pace
from daemon.feeds.poller import Poller
from daemon.feeds.rows import SITE, feed_key
from daemon.feeds.sources.load import Source
from daemon.net.answers import FetchOutcome
from daemon.stage.table import StepTable
from tests.feeds.desk import PARTITIONS, desk, good, source

HOUR = 3600.0
DAY = 24 * HOUR
EVERYWHERE = Pace()


def tenants(count: int) -> list[Source]:
    """Feeds of one registrable domain, each on a host of its own."""
    return [source(f"f{number}", f"https://f{number}.blogs.example/", "blogs.example") for number in range(count)]


class Rounds:
    """A poller's rows, polled by hand: each due feed in turn, until none is due; kept: when each was asked."""

    def __init__(self, sources: Sequence[Source], pace: Pace = EVERYWHERE) -> None:
        self.pace = pace
        self.rows = HeldRows()
        self.now = 1000.0
        self.asked: list[tuple[float, str]] = []
        self.start(sources)

    def start(self, sources: Sequence[Source]) -> None:
        """A process begins, with these files."""
        self.poller = Poller(sources, pace=self.pace, parser=1)
        table = StepTable(self.rows)
        self.poller.reconcile(0, 1, table, self.now)
        self.rows.apply(table.changes())

    def next_job(self) -> tuple[bytes, PollJob] | None:
        """Wake what is due until something wants to be polled."""
        table = StepTable(self.rows)
        jobs: list[tuple[bytes, object]] = []
        while not jobs and (row := table.next_due(self.now, set())) is not None:
            jobs = [(work.key, work.job) for work in self.poller.wake(row, table, self.now).work]
        self.rows.apply(table.changes())
        return (jobs[0][0], jobs[0][1]) if jobs and isinstance(jobs[0][1], PollJob) else None

    def run(self, answers: dict[str, float | None] | None = None) -> list[str]:
        """Poll all that is due. `answers`: the feeds that are refused, with their Retry-After; all others are well."""
        polled = []
        while (next_ := self.next_job()) is not None:
            key, job = next_
            result = good(self.now, job.url)
            if answers and job.feed in answers:
                asked = answers[job.feed]
                result = replace(result, answer=Answer.TOO_MANY, outcome=FetchOutcome.TOO_MANY, fresh=False, retry_after=asked)
            self.done(key, result)
            polled.append(job.feed)
            self.asked.append((self.now, job.feed))
        return polled

    def done(self, key: bytes, result: PollResult) -> None:
        table = StepTable(self.rows)
        self.poller.done(key, result, table, self.now)
        self.rows.apply(table.changes())

    def later(self, seconds: float) -> "Rounds":
        self.now += seconds
        return self


def test_the_whole_site_waits() -> None:
    """Feeds 14: after one refusal no feed of the registrable domain is asked before Retry-After; then all are, in turn."""
    poll = Rounds(tenants(4))
    assert poll.run({"f1": 2 * HOUR}) == ["f0", "f1"]
    assert poll.later(2 * HOUR - 1).run() == []
    assert set(poll.later(0.1 * 2 * HOUR + 2).run()) == {"f0", "f1", "f2", "f3"}


def test_other_sites_do_not_wait() -> None:
    """Feeds 14: the pause is of the site that asked for it."""
    poll = Rounds([*tenants(2), source("other", "https://other.example/", "other.example")])
    assert set(poll.run({"f0": HOUR})) == {"f0", "other"}


def test_the_site_that_refuses_is_left_alone() -> None:
    """Feeds 14: where a redirect led elsewhere and that site refused, all of its feeds wait, and none of the site left."""
    poll = Rounds([*tenants(2), *(source(f"o{n}", f"https://other.example/{n}", "other.example") for n in range(2))])
    poll.run()
    poll.later(HOUR)
    polled = []
    while (next_ := poll.next_job()) is not None:
        key, job = next_
        result = good(poll.now, job.url)
        if job.feed == "f0":
            refused = replace(result, answer=Answer.TOO_MANY, outcome=FetchOutcome.TOO_MANY, fresh=False, retry_after=HOUR)
            result = replace(refused, site="other.example", redirected=True)
        poll.done(key, result)
        polled.append(job.feed)
    assert {"f0", "f1"} <= set(polled)
    waiting = {"o0", "o1"} - set(polled)
    poll.later(2000.0)
    assert poll.run() == ["f1"]
    assert waiting
    assert set(poll.later(HOUR).run()) == {"f0", "f1", "o0", "o1"}


def test_the_only_feed_of_a_site_that_refused_another_waits() -> None:
    """Feeds 14: it need not have been refused itself; once it is answered well, refusals are counted anew."""
    poll = Rounds([source("one", "https://one.example/", "one.example"), source("two", "https://two.example/", "two.example")])
    poll.run()
    for pause in (900.0, 900.0):
        key, job = due(poll.later(HOUR), "one")
        asked = replace(
            good(poll.now, job.url), answer=Answer.TOO_MANY, outcome=FetchOutcome.TOO_MANY, fresh=False, site="two.example"
        )
        poll.done(key, asked)
        assert "two" not in poll.later(pause - 1).run()
        assert "two" in poll.later(0.1 * pause + 2).run()


def due(poll: Rounds, feed: str) -> tuple[bytes, PollJob]:
    """The job of one feed; others are not polled."""
    table = StepTable(poll.rows)
    row = table.get(feed_key(feed))
    assert row is not None
    (work,) = poll.poller.wake(row, table, poll.now).work
    assert isinstance(work.job, PollJob)
    return work.key, work.job


def test_a_site_of_another_partition_is_not_reached() -> None:
    """Feeds 14: rows of a site that refused lie elsewhere: the feed that was refused waits, and nobody else."""
    made = desk()
    names = (f"site-{number}.example" for number in count())
    far = next(name for name in names if partition_of(name, PARTITIONS) != partition_of("example.org", PARTITIONS))
    refused = replace(
        good(made.now), answer=Answer.TOO_MANY, outcome=FetchOutcome.TOO_MANY, fresh=False, retry_after=HOUR, site=far
    )
    made.done(refused)
    assert list(made.rows.scan(SITE)) == []
    assert made.feed().next_at >= made.now + HOUR


def test_the_pause_outlives_the_process() -> None:
    """Feeds 14: it stands in rows: neither a restart nor a reload asks earlier, and new feeds of the site wait too."""
    poll = Rounds(tenants(3))
    poll.run({"f0": HOUR})
    poll.later(60.0).start(tenants(4))
    assert poll.run() == []
    poll.later(60.0).start(tenants(3))
    assert poll.run() == []
    assert poll.later(1.1 * HOUR).run() != []


def test_a_pause_for_the_only_feed_is_one_for_those_that_join_it() -> None:
    """Feeds 14: a site that had one feed when it refused is left alone by the second, too."""
    poll = Rounds(tenants(1))
    assert poll.run({"f0": HOUR}) == ["f0"]
    poll.later(60.0).start(tenants(2))
    assert poll.run() == []
    assert set(poll.later(1.1 * HOUR).run()) == {"f0", "f1"}


def test_a_pause_outlives_what_is_written_of_the_feed() -> None:
    """Feeds 14: the only feed of a site that refused, renamed or given another path or login, is asked after the pause."""
    there = source("one", "https://news.example.org/other")
    for changed in (source("two"), there, replace(source(), credentials="0f", headers=(("X-Key", "s3cret"),))):
        rounds = Rounds([source()])
        assert rounds.run({"one": HOUR}) == ["one"]
        rounds.later(10).start([changed])
        assert rounds.run() == []
        assert rounds.later(2 * HOUR).run() == [changed.id]


def test_refusals_in_a_row_double_the_pause() -> None:
    """Feeds 14: without Retry-After 15 minutes, then 30, then 60, whichever feed asks; one success and it begins anew."""
    poll = Rounds(tenants(8))
    everyone: dict[str, float | None] = {f"f{number}": None for number in range(8)}
    times = []
    for _ in range(4):
        while not poll.run(everyone):
            poll.later(10.0)
        times.append(poll.now)
    pauses = [later - earlier for earlier, later in pairwise(times)]
    for pause, least in zip(pauses, (900.0, 1800.0, 3600.0), strict=True):
        assert least <= pause <= 1.1 * least + 10
    while not poll.run():
        poll.later(10.0)
    while not poll.run(everyone):
        poll.later(10.0)
    assert poll.later(1000.0).run() != []


def test_a_pause_is_a_day_at_most() -> None:
    """Feeds 14: who asks for a year is asked again after a day."""
    poll = Rounds(tenants(2))
    poll.run({"f0": 365 * DAY})
    assert poll.later(DAY - 1).run() == []
    assert poll.later(0.1 * DAY + 2).run() != []


def test_tenants_of_a_host_wait_alone() -> None:
    """Feeds 14: on a site flagged `pause: feed`, the feed that was refused waits, and no other (FreshRSS 7870, RSSHub)."""
    poll = Rounds(tenants(3), Pace(sites={"blogs.example": Pace(alone=True)}))
    assert sorted(poll.run({"f1": HOUR})) == ["f0", "f1", "f2"]
    assert set(poll.later(2000.0).run()) == {"f0", "f2"}


def test_a_clock_set_back_does_not_lengthen_a_pause() -> None:
    """Feeds 14: the pause is as long as it was, and begins when the clock was set."""
    poll = Rounds(tenants(3))
    poll.now = 10**9
    poll.start(tenants(3))
    poll.run({"f0": HOUR})
    poll.now -= 365 * DAY
    poll.start(tenants(3))
    assert poll.run() == []
    assert poll.later(1.1 * HOUR + 1).run() != []


def test_nothing_is_left_behind() -> None:
    """A site that is well has no row; one that refused is forgotten a day after its pause, when nobody asks it any more."""
    poll = Rounds(tenants(2))
    poll.run()
    assert list(poll.rows.scan(SITE)) == []
    poll.later(HOUR).run({"f0": HOUR, "f1": HOUR})
    assert len(list(poll.rows.scan(SITE))) == 1
    poll.start([])
    poll.later(3 * HOUR).run()
    poll.later(DAY).run()
    assert list(poll.rows.scan(SITE)) == []


def test_a_long_gap_is_waited_for_in_the_row() -> None:
    """Feeds 15: a site with a gap of a minute gets one request a minute, across restarts, and takes no place in flight."""
    poll = Rounds(tenants(4), Pace(sites={"blogs.example": Pace(gap=60.0)}))
    assert len(poll.run()) == 1
    poll.start(tenants(4))
    assert poll.run() == []
    counts = [len(poll.later(61.0).run()) for _ in range(3)]
    assert counts == [1, 1, 1]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("refuse"), st.none() | st.floats(0, 2 * DAY)),
        st.tuples(st.just("well"), st.floats(0, 4 * HOUR)),
        st.tuples(st.just("restart"), st.integers(2, 5)),
        st.tuples(st.just("crash"), st.none()),
    ),
    max_size=25,
)


@given(steps)
@settings(max_examples=60, deadline=None)
def test_never_before_the_pause_is_over(story: Sequence[tuple[str, float | int | None]]) -> None:
    """Feeds 14: whatever happens, no feed of the site is asked while the site is to be left alone; and each is, in the end."""
    poll, free_at = Rounds(tenants(5)), 0.0
    for kind, what in story:
        if kind == "restart":
            poll.start(tenants(int(what or 2)))
        elif kind == "well":
            poll.later(float(what or 0.0))
        next_ = poll.next_job()
        if next_ is None:
            continue
        assert poll.now >= free_at
        key, job = next_
        result = good(poll.now, job.url)
        if kind == "refuse":
            asked = None if what is None else float(what)
            result = replace(result, answer=Answer.TOO_MANY, outcome=FetchOutcome.TOO_MANY, fresh=False, retry_after=asked)
            free_at = poll.now + min(900.0 if asked is None else asked, DAY)
        if kind != "crash":
            poll.done(key, result)
    poll.start(tenants(5))
    poll.asked.clear()
    for _ in range(30):
        poll.later(4 * HOUR).run()
    assert {feed for _, feed in poll.asked} == {f"f{number}" for number in range(5)}


def test_a_damaged_row_of_a_site() -> None:
    """A site's row that cannot be read is counted when the files are taken over, and keeps no other site from it."""
    poll = Rounds(tenants(3))
    poll.run({"f0": HOUR})
    (row,) = poll.rows.scan(SITE)
    poll.rows.apply([replace(row, value=b"damaged")])
    table = StepTable(poll.rows)
    effects = poll.poller.reconcile(0, 1, table, poll.now)
    assert [fact.labels["kind"] for fact in effects.facts] == ["damaged"]
