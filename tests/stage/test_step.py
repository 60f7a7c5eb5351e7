"""One step of a hop: order, undoing, dead letters, and time that comes from the records."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.bus.base import MAX_BYTES, Record, Row
from daemon.bus.held import HeldRows
from daemon.errors import BusError, TooLarge
from daemon.messages.dead import DeadLetter
from daemon.messages.wire import decode as decode_message
from daemon.stage.graveyard import Grave, dead_letter
from daemon.stage.hop import Effects, Table, Time, Work
from daemon.stage.poison import DeadLetterRate, HopStopped, Opens, opened
from daemon.stage.step import Decisions, Unprepared
from daemon.stage.table import StepTable
from tests.stage.hops import Echo, record

GRAVE = Grave(3, "echo")


def step(
    held: HeldRows, hop: Echo, records: list[Record], *, wall: float = 100.0, until: float | None = None
) -> Decisions[str, str]:
    """One step over `records`, committed to `held`."""
    table = StepTable(held)
    decisions = Decisions(hop, GRAVE, table, set(), wall)
    texts = [(entry.value or b"").decode() for entry in records]
    decisions.records(list(zip(records, hop.prepare(texts), strict=True)), 1000)
    if until is not None:
        decisions.wakes(until, 1000)
    held.apply(table.changes())
    return decisions


def texts(decisions: Decisions[str, str]) -> list[str]:
    return [(out.value or b"").decode() for out in decisions.gathered.out if out.topic == "out"]


def test_a_record_that_raises_is_undone_alone() -> None:
    """Its rows are rolled back, it goes to deadletter with its error, and its neighbours' effects stand."""
    held = HeldRows()
    decisions = step(held, Echo(), [record("one", 1), record("boom", 2, offset=7), record("two", 3)])
    assert texts(decisions) == ["ONE", "TWO"]
    count = held.get(b"count")
    assert count is not None
    assert count.value == b"2"
    [letter] = [out for out in decisions.gathered.out if out.topic == "deadletter"]
    message = decode_message(letter.value)
    assert isinstance(message, DeadLetter)
    assert (message.hop, message.partition, message.offset, message.reason) == ("echo", 3, 7, "raised")
    assert message.error == "RuntimeError: went off"
    assert (letter.lane, letter.key) == ("lane", b"boom")


def test_what_could_not_be_prepared_is_set_aside() -> None:
    """A record whose bytes cannot be read is a dead letter with the reason, in its place in the order."""
    table = StepTable(HeldRows())
    decisions = Decisions(Echo(), GRAVE, table, set(), 1.0)
    decisions.records([(record("x", 1), Unprepared("undecodable", "not JSON")), (record("y", 2), "Y")], 1000)
    assert decisions.gathered.dead == 1
    assert texts(decisions) == ["Y"]


def test_an_output_too_large_to_travel_is_a_dead_letter_of_its_input() -> None:
    """Sizes are checked before the step is sent: one oversized output does not fail its neighbours."""

    class Huge(Echo):
        def decide(self, item: str, table: Table, now: float) -> Effects:
            if item == "HUGE":
                return Effects(out=[Record("out", "lane", b"k", bytes(MAX_BYTES + 1), now)])
            return super().decide(item, table, now)

    decisions = step(HeldRows(), Huge(), [record("huge", 1), record("one", 1)])
    assert texts(decisions) == ["ONE"]
    assert decisions.gathered.dead == 1
    assert issubclass(TooLarge, Exception)


def test_a_large_record_still_fits_into_its_dead_letter() -> None:
    """The largest record there can be makes a dead letter that can travel."""
    letter = dead_letter(Record("in", "lane", b"k", bytes(MAX_BYTES), 1.0), GRAVE, "raised", "x", 1.0)
    assert letter.value is not None
    assert len(letter.value) <= MAX_BYTES


def test_timers_earlier_than_a_record_fire_before_it() -> None:
    """Alerter time is the records' own: a timer fires at its own instant, before the first later record."""
    hop = Echo(time=Time.RECORDS)
    decisions = step(HeldRows(), hop, [record("timer 5", 1), record("late", 9), record("last", 3)])
    assert texts(decisions) == ["timer/5 at 5", "LATE", "LAST"]
    assert [out.at for out in decisions.gathered.out] == [5, 9, 9]


def test_a_clock_set_back_takes_the_records_time_with_it() -> None:
    """Time far ahead of the wall goes back to it, and timers keep their distance; so nothing waits until the wall is there."""
    held, hop = HeldRows(), Echo(time=Time.RECORDS)
    step(held, hop, [record("timer 10050", 10_000)], wall=10_000.0)
    decisions = step(held, hop, [record("later", 2001)], wall=2000.0, until=2049.0)
    assert [(out.value, out.at) for out in decisions.gathered.out if out.topic == "out"] == [(b"LATER", 2001)]
    assert texts(step(held, hop, [], wall=2050.0, until=2050.0)) == ["timer/10050 at 2050"]


def test_a_record_from_the_future_is_of_now() -> None:
    """One that was made before the clock was set back does not take the time away with it; a little ahead is believed."""
    decisions = step(HeldRows(), Echo(time=Time.RECORDS), [record("far", 10_000), record("near", 2100)], wall=2000.0)
    assert [out.at for out in decisions.gathered.out] == [2000, 2100]


@given(st.lists(st.tuples(st.sampled_from(["a", "timer 4", "timer 8", "boom"]), st.integers(0, 10)), max_size=8), st.data())
def test_splitting_a_batch_differently_changes_nothing(entries: list[tuple[str, int]], data: st.DataObject) -> None:
    """The law: any cut of the same records gives the same outputs and the same rows."""
    records = [record(text, at) for text, at in entries]
    hop = Echo(time=Time.RECORDS)
    whole = HeldRows()
    expected = [(out.topic, out.key, out.at) for out in step(whole, hop, records).gathered.out]
    cut = HeldRows()
    found = []
    while records:
        size = data.draw(st.integers(1, len(records)))
        batch, records = records[:size], records[size:]
        found += [(out.topic, out.key, out.at) for out in step(cut, hop, batch).gathered.out]
    assert found == expected
    assert list(cut.scan()) == list(whole.scan())


def test_a_wake_that_leaves_its_row_due_is_put_off() -> None:
    """A hop that neither moves a wake nor starts work would spin: its row is tried again a minute later, and counted."""
    held = HeldRows([Row("lane", b"stuck", b"1", 1.0)])
    decisions = step(held, Echo(), [], until=100.0)
    row = held.get(b"stuck")
    assert row is not None
    assert row.wake == 160.0
    assert [fact.metric for fact in decisions.gathered.facts] == ["rasid_hop_failures_total"]


def test_rows_with_work_in_flight_are_not_woken() -> None:
    """A row whose work is in flight stays due; the runner just skips it."""
    held = HeldRows([Row("lane", b"timer/1", b"1", 1.0), Row("lane", b"timer/2", b"1", 2.0)])
    table = StepTable(held)
    decisions = Decisions(Echo(), GRAVE, table, {b"timer/1"}, 100.0)
    decisions.wakes(100.0, 1000)
    assert texts(decisions) == ["timer/2 at 100"]


@pytest.mark.parametrize(
    ("stored", "position", "excused", "expected"),
    [
        (None, 5, False, Opens(5, 1)),
        ([5, 1, 0], 5, False, Opens(5, 2)),
        ([5, 2, 0], 5, False, Opens(5, 3)),
        ([5, 3, 1], 5, False, Opens(5, 4, 1)),
        ([5, 3, 2], 6, False, Opens(6, 1)),
        ([5, 2, 2], 5, True, Opens(5, 2, 1)),
    ],
)
def test_opens_are_counted_per_offset(stored: list[int] | None, position: int, *, excused: bool, expected: Opens) -> None:
    """Only opens at one offset without a commit between count, and not those that an error of the bus ended."""
    row = Row("", b"\0opens", orjson.dumps(stored)) if stored else None
    assert opened(row, position, excused=excused) == expected


def test_three_opens_make_careful_and_three_deaths_alone_a_killer() -> None:
    """Steps of one after three opens without a commit; a record that was announced alone three times is the killer."""
    assert not Opens(5, 2).careful
    assert Opens(5, 3).careful
    assert not Opens(5, 3).tried_alone(5).tried_alone(5).killer
    assert Opens(5, 3).tried_alone(5).tried_alone(5).tried_alone(5).killer
    assert not Opens(5, 3).tried_alone(5).tried_alone(5).tried_alone(6).killer


def test_a_hop_stops_when_dead_letters_become_the_rule() -> None:
    """Over 20 a minute and over half of the input: the hop stops; fewer, or a smaller share, do not stop it."""
    rate = DeadLetterRate("echo")
    rate.add(0.0, taken=20, dead=20)
    rate.add(1.0, taken=500, dead=1)
    with pytest.raises(HopStopped, match="echo: 301 of the last 600"):
        rate.add(30.0, taken=80, dead=280)
    calm = DeadLetterRate("echo")
    for minute in range(10):
        calm.add(minute * 61.0, taken=20, dead=20)


def test_a_step_in_record_time_is_bounded() -> None:
    """When many timers are earlier than a record, a step wakes only so many; the record is decided once all have fired."""
    hop = Echo(time=Time.RECORDS)
    held = HeldRows(Row("lane", f"timer/{number}".encode(), b"1", float(number)) for number in range(5))
    pairs = [(record("late", 100.0), "LATE")]
    said: list[str] = []
    steps = 0
    while pairs:
        table = StepTable(held)
        decisions = Decisions(hop, GRAVE, table, set(), 0.0)
        pairs = pairs[decisions.records(pairs, 2) :]
        held.apply(table.changes())
        said += texts(decisions)
        steps += 1
    assert said == [*(f"timer/{number} at {number}" for number in range(5)), "LATE"]
    assert steps == 3


def test_a_row_too_large_to_be_kept_is_undone_alone() -> None:
    """A record that makes a row larger than can be stored is a dead letter; the step and its neighbours go on."""

    class Hoarding(Echo):
        def decide(self, item: str, table: Table, now: float) -> Effects:
            if item == "HOARD":
                table.put(b"hoard", Row("lane", b"hoard", bytes(MAX_BYTES + 1)))
            return super().decide(item, table, now)

    held = HeldRows()
    decisions = step(held, Hoarding(), [record("hoard", 1), record("one", 1)])
    assert texts(decisions) == ["ONE"]
    assert decisions.gathered.dead == 1
    assert held.get(b"hoard") is None


def test_work_is_asked_for_from_wake_only() -> None:
    """A hop that asks for work while deciding a record is refused: what is in flight would not be bounded."""

    class Hasty(Echo):
        def decide(self, item: str, table: Table, now: float) -> Effects:
            return Effects(work=[Work(b"k", item)])

    assert step(HeldRows(), Hasty(), [record("one", 1)]).gathered.dead == 1


def test_a_reconcile_that_raises_stops_nothing() -> None:
    """Nothing of it stands, it is counted, and the records of the step are decided all the same."""

    class Confused(Echo):
        def reconcile(self, partition: int, partitions: int, table: Table, now: float) -> Effects:
            table.put(b"half", Row("lane", b"half", b"1"))
            raise RuntimeError("a row it cannot read")

    table = StepTable(HeldRows())
    decisions = Decisions(Confused(), GRAVE, table, set(), 1.0)
    decisions.reconcile(0, 4)
    decisions.records([(record("one", 1), "ONE")], 10)
    assert texts(decisions) == ["ONE"]
    assert table.get(b"half") is None
    assert decisions.gathered.facts[0].labels == {"hop": "echo", "kind": "reconcile"}


def test_a_bus_that_cannot_be_read_condemns_no_record() -> None:
    """A row that cannot be read now raises out of the step: no dead letter, no row put off, the lease is to be left."""

    class Unreadable(HeldRows):
        def get(self, key: bytes) -> Row | None:
            raise BusError("cannot be read now")

    table = StepTable(Unreadable())
    decisions = Decisions(Echo(), GRAVE, table, set(), 1.0)
    with pytest.raises(BusError):
        decisions.records([(record("one", 1), "ONE")], 10)
    assert decisions.gathered.dead == 0
