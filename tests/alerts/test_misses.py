"""Near misses: recorded as suppressed with their reason, at most 60 an hour for a desk and rule, beyond that counted."""

import pytest

from daemon.messages.match import NearMiss
from tests.alerts.builders import NOON, actor, match, miss
from tests.alerts.living import Living, ends


@pytest.mark.parametrize("reason", list(NearMiss))
def test_match_of_near_misses_only_is_suppressed(reason: NearMiss) -> None:
    """A match of near misses only is recorded as suppressed; the reason is what kept it silent."""
    living = Living()
    living.take(match("a1", misses=[miss("x", reason)]))
    assert ends(living.outcomes) == [("x", "suppressed", reason.value)]
    assert not living.messages


def test_one_entry_an_actor_and_reason() -> None:
    """The same name missed thrice for one reason is one entry; for two reasons, two."""
    living = Living()
    living.take(match("a1", misses=[miss("x"), miss("y"), miss("x"), miss("x", NearMiss.SPELLING)]))
    assert ends(living.outcomes) == [
        ("x", "suppressed", "zone"),
        ("y", "suppressed", "zone"),
        ("x", "suppressed", "spelling"),
    ]


def test_finding_is_not_a_near_miss_as_well() -> None:
    """An actor that hit has one outcome, whatever else was missed of it."""
    living = Living()
    living.take(match("a1", actor("x"), misses=[miss("x")]))
    assert ends(living.outcomes) == [("x", "told", "new_story")]


def test_many_near_misses_are_summed_up() -> None:
    """60 entries an hour for a desk and actor; one entry at the hour's end stands for the rest. Entries add up."""
    living = Living()
    living.take(*(match(f"a{number}", misses=[miss("x"), miss("y", NearMiss.UNLESS)]) for number in range(100)))
    assert len(living.outcomes) == 120
    assert sum(living.counted.values()) == 200
    living.until(NOON + 3600)
    sums = [(entry.actor, entry.reason.value, entry.count, entry.match) for entry in living.outcomes[120:]]
    assert sums == [("x", "zone", 40, ""), ("y", "unless", 40, "")]
    assert sum(entry.count for entry in living.outcomes) == sum(living.counted.values()) == 200
    assert living.rows == []


def test_next_hour_lists_again() -> None:
    """The limit is an hour's."""
    living = Living()
    living.take(*(match(f"a{number}", misses=[miss("x")]) for number in range(61)))
    living.take(match("b", misses=[miss("x")], at=NOON + 3600))
    assert [(entry.article, entry.count) for entry in living.outcomes[60:]] == [("", 1), ("b", 1)]
