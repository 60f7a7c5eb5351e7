"""The table within a step: what committed, under what the step changed."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.bus.base import Row
from daemon.bus.held import HeldRows
from daemon.stage.table import StepTable

KEYS = st.sampled_from([b"a", b"b", b"c/1", b"c/2", b"d"])
WAKES = st.none() | st.integers(0, 5).map(float)
CHANGES = st.lists(st.tuples(KEYS, st.none() | WAKES.map(lambda wake: (wake,))), max_size=12)


def row(key: bytes, wake: float | None, value: bytes = b"v") -> Row:
    return Row("lane", key, value, wake)


def apply(table: StepTable, changes: list[tuple[bytes, tuple[float | None] | None]]) -> dict[bytes, Row | None]:
    """Make the changes and give the plain dict they come to."""
    model: dict[bytes, Row | None] = {}
    for number, (key, change) in enumerate(changes):
        new = None if change is None else row(key, change[0], str(number).encode())
        table.put(key, new)
        model[key] = new
    return model


@given(st.dictionaries(KEYS, WAKES), CHANGES, CHANGES)
def test_a_rollback_undoes_exactly_what_came_after_the_mark(
    committed: dict[bytes, float | None],
    before: list[tuple[bytes, tuple[float | None] | None]],
    after: list[tuple[bytes, tuple[float | None] | None]],
) -> None:
    """A record that raises is undone alone: rows read and changed are as at the mark."""
    held = HeldRows(row(key, wake) for key, wake in committed.items())
    table = StepTable(held)
    model = apply(table, before)
    mark = table.mark()
    apply(table, after)
    table.rollback(mark)
    for key in (b"a", b"b", b"c/1", b"c/2", b"d"):
        assert table.get(key) == (model[key] if key in model else held.get(key))
    assert {change.key: change.value for change in table.changes()} == {key: new and new.value for key, new in model.items()}


@given(st.dictionaries(KEYS, WAKES), CHANGES, st.integers(0, 5).map(float), st.sets(KEYS))
def test_rows_fall_due_by_wake_then_key(
    committed: dict[bytes, float | None],
    changes: list[tuple[bytes, tuple[float | None] | None]],
    until: float,
    busy: set[bytes],
) -> None:
    """The next due row is the earliest by (wake, key) of what stands now, and never one that is busy."""
    table = StepTable(HeldRows(row(key, wake) for key, wake in committed.items()))
    model: dict[bytes, Row | None] = {key: row(key, wake) for key, wake in committed.items()}
    model.update(apply(table, changes))
    standing = [new for new in model.values() if new is not None and new.wake is not None and new.key not in busy]
    due = sorted((new.wake, new.key) for new in standing if new.wake is not None and new.wake <= until)
    found = table.next_due(until, busy)
    assert (found and (found.wake, found.key)) == (due[0] if due else None)


@given(st.dictionaries(KEYS, WAKES), CHANGES)
def test_a_scan_shows_the_step_s_own_changes(
    committed: dict[bytes, float | None], changes: list[tuple[bytes, tuple[float | None] | None]]
) -> None:
    """A scan gives committed rows under this step's changes, in key order."""
    table = StepTable(HeldRows(row(key, wake) for key, wake in committed.items()))
    model: dict[bytes, Row | None] = {key: row(key, wake) for key, wake in committed.items()}
    model.update(apply(table, changes))
    assert list(table.scan(b"c/")) == [model[key] for key in (b"c/1", b"c/2") if model.get(key)]


@given(st.lists(st.tuples(KEYS, st.none() | WAKES.map(lambda wake: (wake,)))))
def test_held_rows_know_their_wakes(changes: list[tuple[bytes, tuple[float | None] | None]]) -> None:
    """After any history, `due` and `next_wake` are those of the rows that stand."""
    held = HeldRows()
    model: dict[bytes, Row] = {}
    for key, change in changes:
        held.apply([row(key, change[0]) if change else Row("lane", key, None)])
        if change:
            model[key] = row(key, change[0])
        else:
            model.pop(key, None)
    wakes = sorted((new.wake, new.key) for new in model.values() if new.wake is not None)
    assert held.next_wake() == (wakes[0][0] if wakes else None)
    assert held.next_wake(2.0) == next((wake for wake, _ in wakes if wake > 2.0), None)
    assert held.next_wake() == (wakes[0][0] if wakes else None)
    assert [(new.wake, new.key) for new in held.due(3.0, 3)] == [entry for entry in wakes if entry[0] <= 3.0][:3]
    assert list(held.scan(b"c")) == [model[key] for key in sorted(model) if key.startswith(b"c")]
