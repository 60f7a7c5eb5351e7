"""How many feeds do well, for metrics."""

from dataclasses import replace

from daemon.bus.base import Row
from daemon.feeds.pace.rhythm import Rhythm
from daemon.feeds.pace.schedule import Pace
from daemon.feeds.poller import Poller
from daemon.feeds.rows import FeedRow, FeedState, encode, feed_key
from daemon.feeds.survey import count_states
from daemon.stage.hop import Fact

NOW = 1_700_000_000.0
OK = FeedRow(url="https://example.org/feed", parser=1, state=FeedState.OK)
QUIET = replace(OK, rhythm=Rhythm(at=NOW, new_at=NOW - 86400.0, gap=3600.0, longest=7200.0, arrivals=30))


def rows(*feeds: FeedRow) -> list[Row]:
    return [Row("example.org", feed_key(str(number)), encode(feed), NOW) for number, feed in enumerate(feeds)]


def test_feeds_are_counted_by_state() -> None:
    """Each state has its count, also 0; one that is ok but quiet counts as silent; one that left, or is damaged, not at all."""
    states = [replace(OK, state=state) for state in (FeedState.FAILING, FeedState.FAILING, FeedState.GONE, FeedState.LEFT)]
    counted = count_states([*rows(OK, QUIET, replace(QUIET, state=FeedState.FAILING), *states), Row("s", b"feed/x", b"?")], NOW)
    assert counted == {"new": 0, "ok": 1, "silent": 1, "failing": 3, "gone": 1}


def test_the_poller_tells_them() -> None:
    """The poller's gauges are of its feeds' rows; of a partition that was left, zeros."""
    poller = Poller([], pace=Pace(), parser=1)
    facts = poller.survey(lambda prefix: [row for row in rows(OK, OK) if row.key.startswith(prefix)], NOW)
    assert Fact("rasid_feeds", {"state": "ok"}, 2) in facts
    assert {fact.amount for fact in poller.survey(lambda _prefix: (), NOW)} == {0}
