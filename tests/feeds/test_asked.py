"""“Poll now”: obeyed within politeness, and answered from the feed's row."""

from dataclasses import replace

from daemon.feeds.asked import Reply, Stage, answer_of
from daemon.feeds.jobs import PollResult
from daemon.feeds.pace.schedule import Answer
from daemon.messages.command import PollNow
from daemon.net.answers import FetchOutcome
from daemon.stage.table import StepTable
from tests.feeds.desk import Desk, desk, item, source


def ask(made: Desk, feed: str = "one") -> PollNow:
    """A command that is taken at once."""
    command, table = PollNow(feed=feed, id=f"c{made.now}"), StepTable(made.rows)
    made.poller.decide(command, table, made.now)
    made.rows.apply(table.changes())
    return command


def reply(made: Desk, command: PollNow) -> Reply:
    return answer_of(command, made.row(command.feed))


def refusal(made: Desk, outcome: FetchOutcome = FetchOutcome.TOO_MANY) -> PollResult:
    url = "https://news.example.org/feed"
    return PollResult(url=url, outcome=outcome, answer=Answer.TOO_MANY, fetched_at=made.now, retry_after=3600.0)


def test_a_feed_is_due_at_once() -> None:
    """Whatever its interval; and the answer goes from sent over due to polled."""
    made = desk()
    made.poll([item("a")])
    made.now += 1.0
    early = PollNow(feed="one", id="early")
    assert reply(made, early).stage is Stage.SENT
    command = ask(made)
    assert (made.row().wake, made.feed().next_at, reply(made, command).stage) == (made.now, made.now, Stage.DUE)
    made.poll([item("a")])
    assert reply(made, command).stage is Stage.POLLED
    assert made.feed().next_at > made.now


def test_a_site_that_wants_to_be_left_alone_is() -> None:
    """Feeds 14: after a 429 or 503 a command changes nothing, and says until when; once the time is over it is obeyed."""
    for outcome in (FetchOutcome.TOO_MANY, FetchOutcome.UNAVAILABLE):
        made = desk()
        made.done(refusal(made, outcome))
        free_at, made.now = made.feed().next_at, made.now + 60.0
        command = ask(made)
        answer = reply(made, command)
        assert (made.row().wake, answer.stage, answer.until) == (free_at, Stage.REFUSED, free_at)
        made.now = free_at + 1.0
        assert reply(made, ask(made)).stage is Stage.DUE


def test_a_feed_whose_site_was_asked_too_often_by_another() -> None:
    """Feeds 14: the pause is the site's: a command for any of its feeds says until when."""
    made = desk(source("one"), source("two"))
    made.done(refusal(made), "two")
    command = ask(made)
    answer = reply(made, command)
    assert answer.stage is Stage.REFUSED
    assert answer.until is not None
    assert made.now + 3600 <= answer.until <= made.now + 1.1 * 3600
    made.now = answer.until
    assert reply(made, ask(made)).stage is Stage.DUE


def test_a_feed_that_failed_is_polled() -> None:
    """Its pause is of our own making; people who mended it need not wait."""
    made = desk()
    made.done(replace(refusal(made), outcome=FetchOutcome.NOT_FOUND, answer=Answer.FAILED))
    made.now += 1.0
    ask(made)
    assert made.row().wake == made.now


def test_a_feed_in_its_sites_queue_stays_there() -> None:
    """Feeds 15: it is due already, and takes no second turn."""
    made = desk(source("one"), source("two"))
    table = StepTable(made.rows)
    made.poller.wake(made.row("one"), table, made.now)
    made.rows.apply(table.changes())
    assert reply(made, ask(made)).stage is Stage.DUE
    assert made.row("one").wake is None


def test_feeds_that_are_not_polled() -> None:
    """A feed that left, and one that never was, are not polled for being asked for."""
    made = desk()
    made.poller.replace([])
    made.reconcile()
    left = made.row()
    assert reply(made, ask(made)).stage is Stage.SENT
    assert made.row() == left
    ask(made, "nobody")
    assert answer_of(PollNow(feed="nobody", id="c"), None) == Reply(Stage.SENT)


def test_several_who_ask() -> None:
    """Each is answered, whoever asks later; of many only the last few are remembered."""
    made = desk()
    made.poll([item("a")])
    first = ask(made)
    made.now += 1.0
    second = ask(made)
    assert (reply(made, first).stage, reply(made, second).stage) == (Stage.DUE, Stage.DUE)
    made.poll([item("b")])
    assert (reply(made, first).stage, reply(made, second).stage) == (Stage.POLLED, Stage.POLLED)
    for _ in range(20):
        made.now += 1.0
        ask(made)
    assert len(made.feed().asked) == 8
