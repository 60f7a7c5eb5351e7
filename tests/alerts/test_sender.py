"""The sender's decisions, in virtual time: order, retries, pauses, crashes, versions."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.channels.base import Answer, SendReason, dead, delivered, retry
from alerts.pace import GIVE_UP, KEPT, LONGEST_PAUSE, TRIED, pause
from alerts.sending import Job
from daemon.bus.held import HeldRows
from daemon.messages.alert import Delivery, Message
from daemon.stage.hop import Failed
from daemon.stage.table import StepTable
from tests.alerts.bench import Bench
from tests.alerts.samples import message

ONE = {"desk": ("slack",)}
DOWN = retry(SendReason.UNREACHABLE)
LOST = retry(SendReason.ANSWER_LOST, doubtful=True)


def test_each_channel_of_a_receiver_gets_the_message() -> None:
    """A receiver may hold several channels; each has its own attempt, row and journal entry."""
    bench = Bench({"desk": ("slack", "mail:a@example.org", "mail:b@example.org")})
    bench.publish(message())
    assert sorted(job.channel for job in bench.flying.values()) == ["mail:a@example.org", "mail:b@example.org", "slack"]
    for key in list(bench.flying):
        bench.answer(delivered(), key)
    assert len(bench.told(Delivery.DELIVERED)) == 3
    assert {fact.labels["channel"] for fact in bench.facts} == {"slack", "mail"}


def test_an_attempt_is_on_record_before_it_begins() -> None:
    """Work is asked for only in the step that commits `sending`, so that a crash after it is seen."""
    bench = Bench(ONE)
    bench.step(message())
    assert not bench.flying
    bench.step()
    assert len(bench.flying) == 1
    bench.crash()
    (job,) = bench.flying.values()
    assert (job.key, job.attempt) == ("m1.1", 2)
    bench.answer(delivered())
    assert [(sent.outcome, sent.reason, sent.attempt, sent.doubtful) for sent in bench.journal] == [
        (Delivery.RETRY, "interrupted", 1, True),
        (Delivery.DELIVERED, "accepted", 2, True),
    ]
    assert bench.count("rasid_messages_doubtful_total") == 1


def test_leaving_puts_no_attempt_on_record() -> None:
    """A result that comes while the lease is left starts nothing, so nothing is doubtful afterwards."""
    bench = Bench(ONE)
    bench.publish(message("m1"), message("m2"))
    (key,) = bench.flying
    bench.step(results=[(key, delivered())], wakes=False)
    assert not bench.flying
    bench.crash()
    assert [(job.key, job.attempt) for job in bench.flying.values()] == [("m2.1", 1)]
    assert bench.count("rasid_messages_doubtful_total") == 0


def test_messages_leave_in_the_order_they_came() -> None:
    """One in flight per channel, the oldest first; a dead one makes way."""
    bench = Bench(ONE)
    bench.publish(*(message(f"m{number}") for number in range(4)))
    sent = [bench.answer(answer).message.id for answer in (delivered(), dead(SendReason.REFUSED), delivered(), delivered())]
    assert sent == ["m0", "m1", "m2", "m3"]
    assert not bench.flying


def test_a_failing_receiver_is_probed_with_its_oldest() -> None:
    """Pauses double from one second to two minutes; the oldest message is the probe; recovery lets all out at once."""
    bench = Bench(ONE)
    bench.publish(message("m1"), message("m2"), message("m3"))
    pauses = []
    for _ in range(12):
        assert bench.answer(DOWN).key == "m1.1"
        pauses.append(bench.wait())
    assert 0.75 <= pauses[0] <= 1
    assert all(later > earlier for earlier, later in pairwise(pauses[:7]))
    assert max(pauses) <= LONGEST_PAUSE
    assert [bench.answer(delivered()).key for _ in range(3)] == ["m1.1", "m2.1", "m3.1"]


def test_a_pause_asked_for_holds() -> None:
    """After 429 with Retry-After nothing is sent to that channel until then, and others go on."""
    bench = Bench({"desk": ("slack",), "other": ("slack",)})
    bench.publish(message("m1"))
    bench.answer(retry(SendReason.RATE_LIMITED, after=30.0))
    bench.publish(message("m2"), message("m3", receiver="other"))
    assert [job.message.id for job in bench.flying.values()] == ["m3"]
    bench.answer(delivered())
    bench.advance(29.9)
    assert not bench.flying
    bench.advance(0.1)
    assert [job.message.id for job in bench.flying.values()] == ["m1"]


def test_a_pause_outlives_its_message() -> None:
    """When the message that met the pause is given up, the next one still waits."""
    bench = Bench(ONE)
    bench.publish(message("m1"))
    for _ in range(TRIED - 1):
        bench.answer(DOWN)
        bench.wait()
    bench.now += GIVE_UP
    bench.answer(retry(SendReason.RATE_LIMITED, after=60.0))
    assert bench.told(Delivery.DEAD) == [("m1", 1, "slack", "gave_up")]
    bench.publish(message("m2"))
    assert not bench.flying
    assert bench.wait() >= 59.9
    assert bench.flying


def test_a_message_grown_old_while_we_were_away_is_tried_again() -> None:
    """After an outage of ours, or a jump of the clock, one failure gives nothing up: the receiver was not down for a day."""
    bench = Bench(ONE)
    bench.publish(message("m1"))
    bench.now += 3 * GIVE_UP
    bench.answer(DOWN)
    bench.wait()
    bench.answer(delivered())
    assert bench.told(Delivery.DELIVERED) == [("m1", 1, "slack", "accepted")]


def test_a_message_is_given_up_after_a_day_and_not_untried() -> None:
    """24 hours of failures end in the journal as dead; what waited behind gets its own attempt."""
    bench = Bench(ONE)
    bench.publish(message("m1"), message("m2"))
    while not bench.told(Delivery.DEAD):
        bench.answer(DOWN)
        bench.wait()
    assert GIVE_UP <= bench.now - 1000.0 <= GIVE_UP + LONGEST_PAUSE * 2
    assert bench.answer(delivered()).message.id == "m2"


def test_a_newer_version_replaces_one_that_waits() -> None:
    """Of several versions that have not left, the newest goes out, in the first one's place."""
    bench = Bench(ONE)
    bench.publish(message("m1"), message("m2"))
    bench.publish(message("m2", version=2), message("m2", version=3))
    bench.answer(delivered())
    assert bench.answer(delivered()).key == "m2.3"
    assert bench.told(Delivery.REPLACED) == [("m2", 1, "slack", "newer_version"), ("m2", 2, "slack", "newer_version")]


@pytest.mark.parametrize(
    ("answer", "replaced"), [(delivered(), []), (dead(SendReason.REFUSED), []), (LOST, [("m1", 1, "slack", "newer_version")])]
)
def test_a_newer_version_waits_for_what_is_in_flight(answer: Answer, replaced: list[tuple[str, int, str, str]]) -> None:
    """A version in flight ends first; the newer one follows, at once or after the pause."""
    bench = Bench(ONE)
    bench.publish(message())
    bench.publish(message(version=2))
    assert bench.answer(answer).key == "m1.1"
    if answer is LOST:
        bench.wait()
    job = bench.answer(delivered())
    assert (job.key, job.attempt) == ("m1.2", 1)
    assert bench.told(Delivery.REPLACED) == replaced


def test_known_versions_are_ignored() -> None:
    """An equal or older version that comes again is not sent again, not even after the channel has idled."""
    bench = Bench(ONE)
    bench.publish(message(version=2))
    bench.answer(delivered())
    bench.publish(message(version=2), message(version=1))
    assert not bench.flying
    assert len(bench.journal) == 1


def test_what_has_left_is_forgotten_in_the_end() -> None:
    """A delivered message's row lasts a week, then nothing of it is left."""
    bench = Bench(ONE)
    bench.publish(message())
    bench.answer(delivered())
    assert len(bench.rows) == 1
    bench.advance(KEPT)
    assert len(bench.rows) == 0


def test_nothing_leaves_before_it_is_due() -> None:
    """A message waits until it is due and holds up no other; a newer version of it comes with its own time."""
    bench = Bench(ONE)
    bench.publish(message("m1", due=1060.0), message("m2"))
    assert bench.answer(delivered()).message.id == "m2"
    bench.publish(message("m1", version=2, due=1090.0))
    bench.advance(60)
    assert not bench.flying
    bench.advance(30)
    assert bench.answer(delivered()).key == "m1.2"


@pytest.mark.parametrize("flying", [True, False])
def test_a_newer_version_in_the_queue_waits_for_its_own_time(*, flying: bool) -> None:
    """What replaces a queued version keeps its place if it is due by its turn; else it makes way and holds up no other."""
    bench = Bench(ONE)
    bench.publish(message("m1"), message("m2"), message("m3"))
    if not flying:
        bench.answer(DOWN)
    bench.publish(message("m1", version=2, due=1090.0), message("m2", version=2, due=1000.5))
    if flying:
        bench.answer(DOWN)
    bench.wait()
    assert [bench.answer(delivered()).key for _ in range(2)] == ["m2.2", "m3.1"]
    assert not bench.flying
    assert bench.now + bench.wait() >= 1090.0
    job = bench.answer(delivered())
    assert (job.key, job.attempt) == ("m1.2", 1)
    assert bench.told(Delivery.REPLACED) == [
        (id_, 1, "slack", "newer_version") for id_ in (("m2", "m1") if flying else ("m1", "m2"))
    ]


def test_an_unknown_receiver_is_told() -> None:
    """A message for nobody, or for a channel that left the configuration, is dead with its reason."""
    channels: dict[str, tuple[str, ...]] = dict(ONE)
    bench = Bench(channels)
    bench.publish(message("m1", receiver="nobody"))
    bench.publish(message("m2"), message("m3"))
    bench.answer(DOWN)
    del channels["desk"]
    bench.wait()
    assert not bench.flying
    assert bench.told(Delivery.DEAD) == [
        ("m1", 1, "", "no_receiver"),
        ("m2", 1, "slack", "no_receiver"),
        ("m3", 1, "slack", "no_receiver"),
    ]


def test_many_messages_of_a_channel_that_left_are_buried_in_turns() -> None:
    """However many wait for a channel that is gone, each is told, some at a time."""
    channels: dict[str, tuple[str, ...]] = dict(ONE)
    bench = Bench(channels)
    bench.publish(*(message(f"m{number}") for number in range(250)))
    bench.answer(DOWN)
    del channels["desk"]
    while len(bench.told(Delivery.DEAD)) < 250:
        bench.wait()
    assert len({entry[0] for entry in bench.told(Delivery.DEAD)}) == 250


def test_a_fault_of_ours_is_tried_again() -> None:
    """A worker that raised leaves a doubt and a retry, with nothing of the error's text in the journal."""
    bench = Bench(ONE)
    bench.publish(message())
    (key,) = bench.flying
    bench.step(results=[(key, Failed("ValueError: https://hooks.example.org/canary"))])
    assert (bench.journal[0].reason, bench.journal[0].detail, bench.journal[0].doubtful) == ("internal", "", True)


def test_delay_is_measured_from_the_articles_fetch() -> None:
    """The delay counts from `found`; samples are not counted."""
    bench = Bench(ONE)
    bench.publish(message("m1", found=990.0), message("m2", found=1.0, sample=True))
    bench.answer(delivered())
    bench.answer(delivered())
    assert bench.count("rasid_delivery_delay_seconds") == 10.0


@given(st.integers(1, 10_000), st.binary(max_size=8), st.none() | st.floats(0, 1e12))
def test_pauses_are_bounded(failures: int, seed: bytes, asked: float | None) -> None:
    """No pause is shorter than 0.75 s or longer than an hour, and the same failure pauses equally long."""
    assert 0.75 <= pause(failures, seed, asked) <= 3600
    assert pause(failures, seed, asked) == pause(failures, seed, asked)


NAMES = {"r1": ("slack", "webhook"), "r2": ("slack",)}
published = st.builds(
    message,
    st.sampled_from("abc"),
    version=st.integers(1, 3),
    receiver=st.sampled_from(["r1", "r2", "nobody"]),
    due=st.sampled_from([0.0, 0.0, 1100.0, 2000.0]),
)


def distinct(sent: Message) -> Message:
    """Ids are of a receiver: message id = hash(desk, receiver, group)."""
    return message(f"{sent.id}-{sent.receiver}", version=sent.version, receiver=sent.receiver, due=sent.due)


@given(st.lists(published.map(distinct), max_size=12), st.data())
def test_splitting_a_batch_changes_nothing(records: list[Message], data: st.DataObject) -> None:
    """The same records in one step or in many leave the same rows."""
    hop = Bench(NAMES).hop
    whole, parts = HeldRows(), HeldRows()
    table = StepTable(whole)
    for record in records:
        hop.decide(record, table, 1000.0)
    whole.apply(table.changes())
    cut = data.draw(st.integers(0, len(records)))
    for part in (records[:cut], records[cut:]):
        table = StepTable(parts)
        for record in part:
            hop.decide(record, table, 1000.0)
        parts.apply(table.changes())
    assert list(whole.scan()) == list(parts.scan())


class World:
    """Plays a plan on the bench and keeps what receivers really got, whatever was heard of it."""

    def __init__(self) -> None:
        self.bench = Bench(NAMES)
        self.got: dict[tuple[str, str], list[tuple[str, int]]] = {}
        self.newest: dict[tuple[str, str, str], int] = {}

    def publish(self, records: list[Message]) -> None:
        for record in records:
            for channel in NAMES.get(record.receiver, ()):
                place = (record.receiver, channel, record.id)
                self.newest[place] = max(self.newest.get(place, 0), record.version)
        self.bench.step(*records)

    def answer(self, answer: Answer) -> None:
        for key, job in list(self.bench.flying.items()):
            if answer.outcome is Delivery.DELIVERED or answer.doubtful:
                self._gets(job)
            self.bench.answer(answer, key)

    def crash(self, *, arrived: bool) -> None:
        for job in self.bench.flying.values() if arrived else ():
            self._gets(job)
        self.bench.crash()

    def _gets(self, job: Job) -> None:
        self.got.setdefault((job.message.receiver, job.channel), []).append((job.message.id, job.message.version))

    def play(self, plan: list[tuple[str, object]]) -> None:
        for action, value in plan:
            match action, value:
                case "publish", list(records):
                    self.publish(records)
                case "answer", Answer() as answer:
                    self.answer(answer)
                case "crash", bool(arrived):
                    self.crash(arrived=arrived)
                case "advance", float(seconds):
                    self.bench.advance(seconds)


actions = st.one_of(
    st.tuples(st.just("publish"), st.lists(published.map(distinct), min_size=1, max_size=3)),
    st.tuples(st.just("answer"), st.sampled_from([delivered(), dead(SendReason.REFUSED), DOWN, LOST])),
    st.tuples(st.just("crash"), st.booleans()),
    st.tuples(st.just("advance"), st.sampled_from([0.5, 5.0, 100.0, 4000.0])),
)
RECOVERY: list[tuple[str, object]] = [("answer", delivered()), ("advance", 4000.0)] * 30


@settings(max_examples=150, deadline=None)
@given(st.lists(actions, max_size=40))
def test_nothing_is_lost_and_repeats_are_counted(plan: list[tuple[str, object]]) -> None:
    """Whatever happens: every newest version ends delivered or dead, versions never go back, repeats ≤ counted doubts."""
    world = World()
    world.play(plan + RECOVERY)
    ended = {
        (sent.receiver, sent.channel, sent.message): sent.version
        for sent in world.bench.journal
        if sent.outcome in {Delivery.DELIVERED, Delivery.DEAD} and sent.channel
    }
    assert ended == world.newest
    assert not world.bench.flying
    repeats = sum(len(came) - len(set(came)) for came in world.got.values())
    assert repeats <= world.bench.count("rasid_messages_doubtful_total")
    for came in world.got.values():
        for id_ in {id_ for id_, _ in came}:
            versions = [version for other, version in came if other == id_]
            assert versions == sorted(versions)
