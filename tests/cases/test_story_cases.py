"""The scenarios of stories.jsonl: who is told what, and when; written from delivery.md by someone who had not seen the alerter.

A scenario with `fails` is right and not yet held: it is expected to fail, strictly, with what comes out instead as its reason.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import pytest

from daemon.messages.alert import Message, Told
from tests.cases.table import Case, params_of, read_cases
from tests.cases.telling import START, Telling, tell

_FINAL: Final = frozenset({Told.TOLD, Told.JOINED, Told.SUPPRESSED})


def _between(count: float, wanted: float | Sequence[float]) -> bool:
    low, high = (wanted[0], wanted[1]) if isinstance(wanted, Sequence) else (wanted, wanted)
    return low <= count <= high


def _check_each_finding_ends_once(told: Telling) -> None:
    """Every finding of every match has exactly one final outcome on record; counts add up to the findings."""
    wanted: Counter[tuple[str, str]] = Counter()
    for match in told.matches:
        ids = [actor.id for actor in match.actors] + [rule.id for rule in match.rules]
        ids += [miss.actor or "" for miss in match.near_misses]
        wanted.update((match.id, each) for each in ids)
    ended = Counter((o.match, o.actor or o.rule) for o in told.outcomes if o.outcome in _FINAL)
    assert ended == wanted


def _check_outcomes(case: Case, told: Telling) -> None:
    for place, (outcome, reason) in case["expect"].get("outcomes", {}).items():
        match = told.matches[int(place)].id
        ends = {(o.outcome.value, o.reason.value) for o in told.outcomes if o.match == match and o.outcome in _FINAL}
        assert ends == {(outcome, reason)}, f"match {place}"
    for one, other in case["expect"].get("joined", ()):
        assert told.story_of(one) == told.story_of(other), f"matches {one} and {other} are one story"
    for one, other in case["expect"].get("apart", ()):
        assert told.story_of(one) != told.story_of(other), f"matches {one} and {other} are two stories"


def _names(message: Message) -> set[str]:
    return {finding.actor or finding.rule for finding in message.findings}


def _check_first(case: Case, first: Sequence[Message]) -> None:
    expect = case["expect"]
    if "first_at" in expect:
        assert _between(first[0].due - START, expect["first_at"]), "when the first message is due"
    if "first_headline" in expect:
        assert first[0].headline == expect["first_headline"]
    if "copies" in expect:
        assert first[0].copies == expect["copies"]
    if "first_findings" in expect:
        assert _names(first[0]) == set(expect["first_findings"])
    if "first_severity" in expect:
        assert first[0].severity.value == expect["first_severity"]
    if "summary" in expect:
        assert len(first[0].stories) == expect["summary"]
    if "receivers" in expect:
        assert sorted(message.receiver for message in first) == expect["receivers"]


def _check_updates(case: Case, updates: Sequence[Message]) -> None:
    expect = case["expect"]
    if "update_at" in expect:
        assert _between(updates[0].due - START, expect["update_at"]), updates[0].due - START
    for update, wanted in zip(updates, expect.get("updates_at", ()), strict=False):
        assert _between(update.due - START, wanted), update.due - START
    if "update_findings" in expect:
        assert _names(updates[-1]) == set(expect["update_findings"])


@pytest.mark.parametrize("case", params_of("stories.jsonl"))
def test_case(case: Case) -> None:
    """A story is told once and again only when it grew in a way that matters; each finding ends in one recorded outcome."""
    told, expect = tell(case["matches"]), case["expect"]
    assert told.dead == 0
    first, updates = told.first, told.updates
    assert _between(len(first), expect["messages"]), [message.headline for message in first]
    assert _between(len(updates), expect["updates"]), [message.headline for message in updates]
    if first:
        _check_first(case, first)
    _check_updates(case, updates)
    _check_outcomes(case, told)
    _check_each_finding_ends_once(told)


def test_ids_are_unique() -> None:
    """No two scenarios share an id, and every one states its rule."""
    cases = read_cases("stories.jsonl")
    assert len({case["id"] for case in cases}) == len(cases)
    assert all(case["rule"] for case in cases)
