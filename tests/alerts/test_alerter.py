"""The alerter as a whole: the issue's sample, and what a finding's way ends in."""

from daemon.messages.alert import Reason, Told
from daemon.messages.article import FirstFetch
from daemon.messages.match import Severity, Stage
from tests.alerts.builders import NOON, actor, first_fetch, hit, match, miss, rule
from tests.alerts.living import Living, ends


def sample() -> Living:
    """The sample article: two actors and a rule that hit, three names that stand below it."""
    body = "Thabet al-Abbasi met the American secretary Lloyd Austin."
    living = Living()
    living.take(
        match(
            "sample",
            actor("thabet-al-abbasi"),
            actor("lloyd-austin"),
            rule("minister-american"),
            hits=[
                hit(body, "Thabet al-Abbasi", actor="thabet-al-abbasi"),
                hit(body, "Lloyd Austin", actor="lloyd-austin"),
                hit(body, "American", rule="minister-american"),
            ],
            misses=[miss("nawaf-salam"), miss("joseph-aoun"), miss("nawaf-salam"), miss("lloyd-austin")],
        )
    )
    return living


def test_sample_is_told_in_one_message() -> None:
    """An article's findings share one message; severity high waits 0 s (issue A, 1)."""
    (message,) = sample().messages
    assert (message.receiver, message.version, message.severity, message.update) == ("screen", 1, Severity.HIGH, False)
    assert [card.name for card in message.findings] == ["Thabet-Al-Abbasi", "Lloyd-Austin", "minister-american"]
    assert message.due == NOON
    (evidence,) = message.evidence
    assert [evidence.text[start:end] for start, end in evidence.marks] == ["Thabet al-Abbasi", "American", "Lloyd Austin"]


def test_what_stands_beside_the_article_is_recorded_and_not_told() -> None:
    """Names found only in `rest` are near misses: in the journal, once each, never on the screen."""
    living = sample()
    assert ends(living.outcomes) == [
        ("thabet-al-abbasi", "told", "new_story"),
        ("lloyd-austin", "told", "new_story"),
        ("minister-american", "told", "new_story"),
        ("nawaf-salam", "suppressed", "zone"),
        ("joseph-aoun", "suppressed", "zone"),
    ]
    assert sum(living.counted.values()) == 5


def test_outcome_names_message_and_story() -> None:
    """The journal leads from a finding to the message that carries it."""
    living = sample()
    told = living.outcomes[0]
    assert (told.message, told.story, told.receivers) == (living.messages[0].id, living.messages[0].story, ("screen",))
    assert told.until is None


def test_second_delivery_of_a_match_tells_nothing() -> None:
    """One story is told once per desk and receiver, whatever comes twice."""
    living = Living()
    living.take(match("a1", actor("x")), match("a1", actor("x")))
    assert len(living.messages) == 1
    assert ends(living.outcomes) == [("x", "told", "new_story"), ("x", "joined", "same_story")]


def test_held_finding_ends_once() -> None:
    """A finding that waits is recorded as held with `until`, and later exactly once as told; it is counted once."""
    living = Living()
    living.take(match("a1", actor("x", Severity.NORMAL)))
    assert not living.messages
    (held,) = living.outcomes
    assert (held.outcome, held.reason, held.until) == (Told.HELD, Reason.GROUP_WAIT, NOON + 90)
    assert not living.counted
    living.until(NOON + 89.9)
    assert not living.messages
    living.until(NOON + 90)
    (told,) = living.ended()
    assert (told.outcome, told.reason, told.at, told.until) == (Told.TOLD, Reason.NEW_STORY, NOON + 90, None)
    assert told.message == held.message == living.messages[0].id
    assert living.counted == {("iraq", "told", "new_story"): 1}


def test_kept_quiet_with_a_reason() -> None:
    """Shadow rules, old articles and quiet first fetches are suppressed, each with its reason, and begin no story."""
    living = Living()
    living.take(
        match("a1", rule("r", stage=Stage.SHADOW)),
        match("a2", actor("x"), age=86401.0),
        match("a3", actor("x"), feed=first_fetch(FirstFetch.QUIET), backfill=True),
    )
    assert not living.messages
    assert not living.rows
    assert [entry.reason for entry in living.outcomes] == [Reason.SHADOW, Reason.TOO_OLD, Reason.FIRST_FETCH]


def test_findings_of_one_match_may_end_differently() -> None:
    """Filters judge findings, not matches."""
    living = Living()
    living.take(match("a1", actor("x"), rule("r", stage=Stage.SHADOW)))
    assert ends(living.outcomes) == [("r", "suppressed", "shadow"), ("x", "told", "new_story")]
    assert [card.name for card in living.messages[0].findings] == ["X"]


def test_desks_are_apart() -> None:
    """Stories are a desk's own: the same article alerts two desks of one partition."""
    living = Living()
    living.take(match("a1", actor("x")), match("a1", actor("x"), desk="levant"))
    assert [message.desk for message in living.messages] == ["iraq", "levant"]
    assert len({message.id for message in living.messages}) == 2
