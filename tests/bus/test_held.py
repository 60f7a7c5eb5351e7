"""Rows held in memory, and the two orders they are kept in, beside the plainest way to have them."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.bus.base import Row
from daemon.bus.held import HeldRows
from daemon.bus.keys import Keys
from daemon.bus.wakes import Entry, Wakes

KEYS = st.binary(max_size=2) | st.sampled_from([b"\xff", b"\xff\xff", b"a\xff", b"b"])
CHANGES = st.lists(st.tuples(KEYS, st.booleans()), max_size=150)
PUTS = st.lists(st.tuples(KEYS, st.none() | st.integers(-3, 3).map(float)), max_size=150)


@given(changes=CHANGES, prefix=KEYS)
def test_keys_are_a_sorted_set(changes: list[tuple[bytes, bool]], prefix: bytes) -> None:
    """However keys come, go and come again, each that is there is found once, in order, by any prefix, at any time."""
    keys, model = Keys(fresh=3, long=8), set[bytes]()
    for key, wanted in changes:
        if wanted and key not in model:
            keys.add(key)
            model.add(key)
        elif not wanted and key in model:
            keys.discard(key)
            model.remove(key)
        if len(model) % 4 == 0:
            assert list(keys.starting(prefix)) == sorted(each for each in model if each.startswith(prefix))
    assert list(keys.starting(b"")) == sorted(model)


def test_what_was_discarded_is_forgotten() -> None:
    """Keys that come and go leave no more behind than there may be fresh ones, beside those that stay."""
    keys = Keys(fresh=4, long=16)
    for number in range(1000):
        keys.add(b"%05d" % number)
        if number >= 10:
            keys.discard(b"%05d" % (number - 10))
    assert sum(map(len, keys._runs)) + len(keys._fresh) < 40
    assert [int(key) for key in keys.starting(b"")] == list(range(990, 1000))


@given(puts=PUTS, until=st.integers(-4, 4).map(float), limit=st.integers(1, 5))
def test_wakes_stand_in_order(puts: list[tuple[bytes, float | None]], until: float, limit: int) -> None:
    """Whatever rows got, changed and lost wakes, those that stand are due by (wake, key), each once, at every look."""
    model: dict[bytes, float | None] = {}

    def stands(entry: Entry) -> bool:
        return model.get(entry[1]) == entry[0]

    wakes = Wakes(stands, spare=1)
    for key, wake in puts:
        before, model[key] = model.get(key), wake
        if wake is not None and wake != before:
            wakes.put((wake, key), len(model))
        standing = sorted((wake, key) for key, wake in model.items() if wake is not None)
        assert list(wakes.due(until, limit)) == [entry for entry in standing if entry[0] <= until][:limit]
        assert wakes.next(until) == next((entry[0] for entry in standing if entry[0] > until), None)


def test_no_put_tidies_up_everything() -> None:
    """Rows whose wakes change for ever leave no more than a few entries each behind, and no put looks at many of them."""
    model: dict[bytes, float] = {}
    looked = 0

    def stands(entry: Entry) -> bool:
        nonlocal looked
        looked += 1
        return model.get(entry[1]) == entry[0]

    wakes = Wakes(stands)
    for number in range(20_000):
        key = b"%d" % (number % 1000)
        model[key] = float(number)
        before = looked
        wakes.put((float(number), key), len(model))
        assert looked - before <= 4
    assert len(wakes._heap) + len(wakes._leftover) < 4000
    assert wakes.next(float("-inf")) == 19_000.0


@given(st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=3), st.none() | st.just(2.0)), max_size=40))
def test_rows_are_as_they_were_given(given_rows: list[tuple[bytes, bytes | None, float | None]]) -> None:
    """A row comes back as it was put, odd lanes included, and a deleted one does not."""
    held, model = HeldRows(), dict[bytes, Row]()
    for key, value, wake in given_rows:
        row = Row("lane\udc80", key, value, wake)
        held.apply([row])
        model.pop(key, None) if value is None else model.update({key: row})
        assert held.get(key) == model.get(key)
    assert list(held.scan()) == [model[key] for key in sorted(model)]
    assert len(held) == len(model)
