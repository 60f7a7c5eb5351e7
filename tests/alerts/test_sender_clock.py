"""The sender after the clock was set back: nothing it holds waits for a time that was wrong."""

import pytest

from alerts.channels.base import SendReason, delivered, retry
from alerts.outbox import ENTRY
from alerts.pace import GIVE_UP, KEPT, LONGEST_WAIT, TRIED
from daemon.messages.alert import Delivery
from tests.alerts.bench import Bench
from tests.alerts.samples import message

ONE = {"desk": ("slack",)}
DOWN = retry(SendReason.UNREACHABLE)
AHEAD = 3 * 3600.0


def test_a_clock_set_back_holds_up_no_queue() -> None:
    """A pause, or an attempt that a crash cut off, ends by the clock as it is now, and not when it is there again."""
    bench = Bench(ONE)
    bench.publish(message("m1"))
    bench.answer(DOWN)
    bench.now -= 3600
    bench.step()
    assert not bench.flying
    bench.reconcile()
    bench.step()
    assert [job.attempt for job in bench.flying.values()] == [2]
    bench.answer(delivered())
    assert bench.told(Delivery.DELIVERED)


def test_a_pause_begun_ahead_of_the_clock_ends() -> None:
    """A queue that is older than the jump, but was put off while the clock was ahead, is not put off for hours."""
    bench = Bench(ONE)
    bench.publish(message("m1"))
    for _ in range(3):
        bench.answer(DOWN)
        bench.wait()
    bench.now += AHEAD
    bench.answer(DOWN)
    bench.now -= AHEAD
    bench.reconcile()
    bench.step()
    assert [job.attempt for job in bench.flying.values()] == [5]


def test_a_pause_that_was_asked_for_is_kept() -> None:
    """What the receiver asked for holds over a restart: it is no sign of a clock."""
    bench = Bench(ONE)
    bench.publish(message("m1"))
    bench.answer(retry(SendReason.RATE_LIMITED, after=LONGEST_WAIT))
    bench.reconcile()
    bench.step()
    assert not bench.flying
    bench.advance(LONGEST_WAIT)
    assert bench.flying


def test_an_attempt_begun_ahead_of_the_clock_is_made_again() -> None:
    """An attempt that a crash cut off while the clock was ahead, however little, is made again at once."""
    bench = Bench(ONE)
    bench.publish(message("m1"))
    bench.answer(DOWN)
    bench.advance(900)
    bench.now -= 890
    bench.flying.clear()
    bench.reconcile()
    bench.step()
    assert [job.attempt for job in bench.flying.values()] == [3]


def test_an_idle_queue_delays_no_new_message() -> None:
    """A queue that gave up its last message while the clock was ahead, and paused, lets the next one pass."""
    bench = Bench(ONE)
    bench.publish(message("m1"))
    for _ in range(TRIED - 1):
        bench.answer(DOWN)
        bench.wait()
    bench.now += GIVE_UP
    bench.answer(DOWN)
    assert bench.told(Delivery.DEAD)
    bench.now -= GIVE_UP
    bench.reconcile()
    bench.publish(message("m2"))
    assert [job.message.id for job in bench.flying.values()] == ["m2"]


@pytest.mark.parametrize(("ahead", "waits"), [(300.0, True), (AHEAD, False)])
def test_a_message_of_a_clock_ahead(ahead: float, *, waits: bool) -> None:
    """One due further ahead than clocks may differ is due now: its alerter told it when it was due, by a wrong clock."""
    bench = Bench(ONE)
    bench.publish(message("m1", due=bench.now + ahead))
    assert bool(bench.flying) is not waits
    if waits:
        bench.advance(ahead)
    assert bench.answer(delivered()).message.id == "m1"


def test_a_version_of_a_clock_ahead_keeps_its_place() -> None:
    """In the queue, too: it does not make way for hours, and every attempt says the same."""
    bench = Bench(ONE)
    bench.publish(message("m1"), message("m2"))
    bench.answer(DOWN)
    bench.publish(message("m1", version=2, due=bench.now + AHEAD))
    bench.wait()
    first = bench.answer(DOWN)
    bench.wait()
    again = bench.answer(delivered())
    assert (first.key, first.message) == (again.key, again.message)
    assert again.key == "m1.2"


def test_a_message_that_waits_goes_by_the_new_time() -> None:
    """One that waited to be due when the clock was set back is due now; those remembered are remembered as long."""
    bench = Bench(ONE)
    bench.publish(message("m1"))
    bench.answer(delivered())
    bench.publish(message("m2", due=bench.now + 300))
    bench.now -= AHEAD
    bench.reconcile()
    bench.step()
    assert bench.answer(delivered()).message.id == "m2"
    assert [row.wake for row in bench.rows.scan(ENTRY.prefix)] == [1000 + KEPT, bench.now + KEPT]
