"""Laws of the alerter, in simulation: Hypothesis writes the matches, the times and the batches."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.cards import card_key
from daemon.config.models import Route
from daemon.messages.alert import Message, Told
from daemon.messages.article import FirstFetch
from daemon.messages.match import Match, NearMiss, Severity, Stage
from daemon.messages.wire import encode
from tests.alerts.builders import FEED, NOON, TEXT, actor, match, miss, rule
from tests.alerts.living import Living

DAY = 86400.0
ROUTE = Route.model_validate({
    "receiver": "screen",
    "routes": [
        {"matchers": ['severity!="low"'], "receiver": "slack", "group_wait": {"high": "20s"}, "continue": True},
        {"matchers": ['desk="levant"'], "receiver": "gone"},
        {"matchers": ['actor!="z"'], "receiver": "screen"},
    ],
})  # fmt: skip
TEXTS = (TEXT, TEXT, TEXT[100:], "an entirely different report of nine words stands here", "")

severities = st.sampled_from(Severity)
found = st.one_of(
    st.builds(actor, st.sampled_from("vwxyz"), severities, notify=st.sampled_from([(), (), (), ("mail",), ("gone",)])),
    st.builds(rule, st.sampled_from("rs"), severities, stage=st.sampled_from([Stage.LIVE, Stage.LIVE, Stage.SHADOW])),
)
events = st.fixed_dictionaries({
    "gap": st.sampled_from([0.0, 1.0, 30.0, 100.0, 700.0, 5000.0, 20_000.0, 2 * DAY]),
    "article": st.sampled_from("abc"),
    "found": st.lists(found, min_size=1, max_size=3, unique_by=lambda one: one.id),
    "desk": st.sampled_from(["iraq", "iraq", "iraq", "levant"]),
    "title": st.sampled_from(["One title", "one  TITLE", "Another"]),
    "text": st.sampled_from(TEXTS),
    "lang": st.sampled_from(["en", "ar", ""]),
    "age": st.sampled_from([None, 60.0, 60.0, 60.0, 60.0, 2 * DAY]),
    "policy": st.sampled_from(FirstFetch),
    "backfill": st.sampled_from([False, False, False, True]),
    "misses": st.lists(st.builds(miss, st.sampled_from("xu"), st.sampled_from(NearMiss)), max_size=3),
})  # fmt: skip


def matches(drawn: Sequence[dict[str, Any]]) -> list[Match]:
    """Each article's matches count up its revisions."""
    at, revisions, built = NOON, Counter[tuple[str, str]](), []
    for event in drawn:
        knobs = dict(event)
        at += knobs.pop("gap")
        article, policy = knobs.pop("article"), knobs.pop("policy")
        revisions[article, knobs["desk"]] += 1
        feed = replace(FEED, first_fetch=policy)
        revision = revisions[article, knobs["desk"]]
        built.append(match(article, *knobs.pop("found"), at=at, revision=revision, feed=feed, **knobs))
    return built


def lived(inputs: Sequence[Match], cuts: Sequence[int] = ()) -> Living:
    """One life, its input cut into batches at `cuts`, and a week of rest after it."""
    living = Living(ROUTE)
    bounds = [0, *sorted(cut % (len(inputs) + 1) for cut in cuts), len(inputs)]
    for start, end in pairwise(bounds):
        living.take(*inputs[start:end])
    living.until((inputs[-1].article.fetched_at if inputs else NOON) + 7 * DAY)
    return living


def findings(one: Match) -> set[tuple[str, str, str]]:
    """What must have an outcome: each actor and rule that hit, each that was missed by reason."""
    hit = {(actor.id, "") for actor in one.actors} | {("", rule.id) for rule in one.rules}
    missed = {(miss.actor or "", miss.rule or "", miss.reason.value) for miss in one.near_misses}
    return {(*who, "") for who in hit} | {entry for entry in missed if entry[:2] not in hit}


@settings(max_examples=60, deadline=None)
@given(drawn=st.lists(events, min_size=3, max_size=20))
def test_every_finding_ends_in_exactly_one_outcome(drawn: list[dict[str, Any]]) -> None:
    """Outcomes add up to findings: each ends once as told, joined or suppressed, and the metric says the same."""
    inputs = matches(drawn)
    living = lived(inputs)
    expected = Counter((one.id, who, rule) for one in inputs for who, rule, _ in findings(one))
    assert Counter((entry.match, entry.actor, entry.rule) for entry in living.ended() for _ in range(entry.count)) == expected
    assert sum(living.counted.values()) == expected.total()
    held = [entry for entry in living.outcomes if entry.outcome is Told.HELD]
    assert len({(entry.match, entry.actor, entry.rule) for entry in held}) == len(held)


@settings(max_examples=60, deadline=None)
@given(drawn=st.lists(events, min_size=3, max_size=20))
def test_no_story_is_told_twice_without_growth(drawn: list[dict[str, Any]]) -> None:
    """Each message about a story but its first is an update, says why by what it holds, and keeps its interval."""
    for messages in by_story(lived(matches(drawn)).messages):
        assert [message.update for message in messages] == [False] + [True] * (len(messages) - 1)
        for before, after in pairwise(messages):
            assert keys(after) > keys(before) or (
                set(after.languages) > set(before.languages)
                or after.headline != before.headline
                or after.copies >= before.copies + 5
            )
            assert after.due >= before.due + 600 or after.severity.rank > before.severity.rank


def keys(message: Message) -> set[str]:
    return {card_key(card) for card in message.findings}


def by_story(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """The messages about one story to one receiver, stories of summaries left out."""
    told = defaultdict[tuple[str, str], list[Message]](list)
    summarised = {(message.receiver, line.story) for message in messages for line in message.stories}
    for message in messages:
        if not message.stories and (message.receiver, message.story) not in summarised:
            told[message.receiver, message.story].append(message)
    yield from told.values()


@settings(max_examples=40, deadline=None)
@given(drawn=st.lists(events, max_size=16), cuts=st.lists(st.integers(0, 12), max_size=4))
def test_splitting_batches_changes_nothing(drawn: list[dict[str, Any]], cuts: list[int]) -> None:
    """A replay in other batches gives the same messages and outcomes, in the same order, at the same times."""
    inputs = matches(drawn)
    whole, split = lived(inputs), lived(inputs, cuts)
    assert [encode(message) for message in split.messages] == [encode(message) for message in whole.messages]
    assert [encode(entry) for entry in split.outcomes] == [encode(entry) for entry in whole.outcomes]


@settings(max_examples=40, deadline=None)
@given(drawn=st.lists(events, max_size=16))
def test_nothing_is_kept_for_ever(drawn: list[dict[str, Any]]) -> None:
    """A week after the last match no row is left: every row's life ends by itself or with its story's."""
    assert lived(matches(drawn)).rows == []
