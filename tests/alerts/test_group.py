"""Groups: when a story is told, and when it is told again."""

from dataclasses import replace
from itertools import pairwise

import pytest

from daemon.config.models import Route
from daemon.messages.alert import Message
from daemon.messages.match import Match, Severity
from tests.alerts.builders import NOON, actor, hit, match, rule
from tests.alerts.living import Living, ends

MINUTE = 60.0
HOUR = 3600.0


@pytest.mark.parametrize(("severity", "wait"), [(Severity.HIGH, 0), (Severity.NORMAL, 90), (Severity.LOW, 600)])
def test_group_waits_by_severity(severity: Severity, wait: float) -> None:
    """`group_wait`: high 0 s, normal 90 s, low 10 min, so that wire copies join."""
    living = Living()
    living.take(match("a1", actor("x", severity)))
    living.until(NOON + HOUR)
    assert [message.due for message in living.messages] == [NOON + wait]


def test_copies_within_the_wait_join_the_first_message() -> None:
    """What comes while the group waits is told with it, and does not prolong the wait."""
    living = Living()
    living.take(match("a1", actor("x", Severity.NORMAL)))
    living.take(match("a2", actor("y", Severity.NORMAL), at=NOON + 60, lang="ar"))
    living.until(NOON + HOUR)
    (message,) = living.messages
    assert (message.due, message.copies, message.languages, message.articles) == (NOON + 90, 2, ("en", "ar"), ("a1", "a2"))
    assert [card.actor for card in message.findings] == ["x", "y"]
    assert ends(living.ended()) == [("x", "told", "new_story"), ("y", "told", "new_story")]


def test_high_finding_ends_the_wait() -> None:
    """The most severe finding decides how long a group waits, its message's severity, and the article it links to."""
    living = Living()
    living.take(match("a1", actor("x", Severity.LOW)))
    living.take(match("a2", actor("y", Severity.HIGH), at=NOON + 60))
    (message,) = living.messages
    assert (message.due, message.severity, message.url) == (NOON + 60, Severity.HIGH, "https://news.example/a2")
    assert [card.actor for card in message.findings] == ["y", "x"]


def test_severity_that_rose_while_waiting_is_told() -> None:
    """An actor found again with a higher severity before its story is told is told with that severity, at its pace."""
    living = Living()
    living.take(match("a1", actor("x", Severity.LOW)))
    living.take(match("a2", actor("x", Severity.HIGH), at=NOON + 60))
    living.take(match("a3", actor("x", Severity.NORMAL), lang="ar", at=NOON + 70))
    living.until(NOON + HOUR)
    assert [(message.due - NOON, message.severity) for message in living.messages] == [
        (60, Severity.HIGH),
        (660, Severity.HIGH),
    ]


def told(*later: Match) -> list[Message]:
    """The messages after a story of one high finding, told at noon, met what came later."""
    living = Living()
    living.take(match("a1", actor("x"), title="Minister meets minister"))
    for one in later:
        living.take(one)
    living.until(NOON + 24 * HOUR)
    assert all(message.update and message.story == living.messages[0].story for message in living.messages[1:])
    assert [message.version for message in living.messages] == list(range(1, len(living.messages) + 1))
    assert len({message.id for message in living.messages}) == 1
    return living.messages


LATER = NOON + MINUTE


@pytest.mark.parametrize(
    "later",
    [
        match("a2", actor("x"), at=LATER),
        match("a2", actor("x"), at=LATER, title="Quite another headline"),
        match("a1", actor("x"), at=LATER, revision=2),
        match("a1", actor("x"), at=LATER, revision=2, title="minister  MEETS minister"),
        match("a1", actor("x"), at=LATER, revision=2, title=""),
        match("a1", actor("x", Severity.LOW), at=LATER, revision=2),
        match("a2", actor("x"), at=LATER, lang=""),
        match("a2", actor("x"), at=NOON + 60 * HOUR),
    ],
    ids=["copy", "copy's headline", "revision", "headline's case", "headline lost", "severity fell", "no language", "late"],
)
def test_story_that_did_not_grow_is_not_told_again(later: Match) -> None:
    """There is no repeat timer: copies, revisions and time alone tell nothing."""
    assert len(told(later)) == 1


@pytest.mark.parametrize(
    "later",
    [
        match("a2", actor("x"), actor("y"), at=LATER),
        match("a2", rule("r"), at=LATER),
        match("a2", actor("x"), at=LATER, lang="ar"),
        match("a1", actor("x"), at=LATER, revision=2, title="Ministers meet again"),
    ],
    ids=["actor", "rule", "language", "headline"],
)
def test_story_that_grew_is_told_again_after_the_interval(later: Match) -> None:
    """A new actor or rule, a new language, an edit of the headline: one update, `update_interval` after the last message."""
    assert [message.due for message in told(later)] == [NOON, NOON + 10 * MINUTE]


def test_update_shows_what_is_new_and_says_all() -> None:
    """An update links to and quotes what made it grow, and names all findings."""
    sentence = "Then Y came."
    copy = match("a2", actor("y"), at=LATER, title="Y came", hits=[hit(sentence, "Y", actor="y")])
    first, update = told(copy)
    assert (update.headline, update.url) == ("Y came", "https://news.example/a2")
    assert [evidence.text for evidence in update.evidence] == [sentence]
    assert {card.actor for card in update.findings} == {"x", "y"}
    assert first.id == update.id


def test_many_copies_make_an_update() -> None:
    """Five more copies than were told, and once more than five were told, as many again, are worth an update."""
    copies = [match(f"b{number}", actor("x"), at=NOON + number * HOUR / 2) for number in range(1, 26)]
    assert [message.copies for message in told(*copies)] == [1, 6, 12, 24]


def test_updates_come_ever_less_often() -> None:
    """`update_interval` doubles for a running story, up to `update_interval_max` (10 min → 4 h)."""
    actors = [match(f"a{number}", actor(f"y{number}"), at=NOON + number * 5 * MINUTE) for number in range(2, 240)]
    dues = [message.due for message in told(*actors)]
    gaps = [round((later - earlier) / MINUTE) for earlier, later in pairwise(dues)]
    assert gaps[:6] == [10, 20, 40, 80, 160, 240]
    assert set(gaps[6:]) <= {240}


def test_growth_after_a_long_rest_waits_for_its_group_only() -> None:
    """Once the interval has passed, an update waits like a first message, by its severity."""
    low = match("a2", actor("y", Severity.NORMAL), at=NOON + HOUR)
    high = match("a3", actor("z"), at=NOON + 3 * HOUR)
    assert [message.due for message in told(low, high)] == [NOON, NOON + HOUR + 90, NOON + 3 * HOUR]


def test_rising_severity_does_not_wait_for_the_interval() -> None:
    """Seconds when it matters: news of a higher severity than was told is told after its `group_wait`."""
    living = Living()
    living.take(match("a1", actor("x", Severity.NORMAL)))
    living.take(match("a2", actor("y"), at=NOON + 100))
    assert [(message.due, message.severity) for message in living.messages] == [
        (NOON + 90, Severity.NORMAL),
        (NOON + 100, Severity.HIGH),
    ]


def test_findings_of_the_match_that_made_it_grow_are_told_together() -> None:
    """All findings of the match that grew the story are carried by its update; later copies of it join."""
    living = Living()
    living.take(match("a1", actor("x")))
    living.take(match("a2", actor("x"), rule("r"), at=NOON + 10, lang="ar"))
    living.take(match("a3", actor("x"), at=NOON + 20))
    living.until(NOON + HOUR)
    assert [(entry.article, *end) for entry, end in zip(living.ended(), ends(living.ended()), strict=True)] == [
        ("a1", "x", "told", "new_story"),
        ("a3", "x", "joined", "same_story"),
        ("a2", "x", "told", "story_grew"),
        ("a2", "r", "told", "story_grew"),
    ]


def test_finding_for_two_receivers_ends_once() -> None:
    """With several receivers the message that leaves first decides the one outcome; both carry the finding."""
    branch = {"matchers": ['severity="normal"'], "receiver": "slack", "group_wait": {"normal": "5m"}, "continue": True}
    living = Living(Route.model_validate({"receiver": "screen", "routes": [branch, {"receiver": "mail"}]}))
    living.take(match("a1", actor("x", Severity.NORMAL)))
    living.until(NOON + HOUR)
    assert [(message.receiver, message.due) for message in living.messages] == [("mail", NOON + 90), ("slack", NOON + 300)]
    assert ends(living.ended()) == [("x", "told", "new_story")]
    assert living.ended()[0].receivers == ("slack", "mail")
    assert living.ended()[0].message == living.messages[0].id


def test_receiver_removed_while_a_group_waits() -> None:
    """What waits for a receiver that a reload removed is suppressed with a reason, and forgotten once its story is."""
    living = Living()
    living.take(match("a1", actor("x", Severity.NORMAL)))
    living.hop.configure(Route(receiver="mail"), {"mail"})
    living.until(NOON + HOUR)
    assert not living.messages
    assert ends(living.ended()) == [("x", "suppressed", "no_receiver")]
    living.until(NOON + 200 * HOUR)
    assert living.rows == []


def test_many_actors_are_bounded() -> None:
    """A group names 200 actors and rules; what is beyond joins, and the message stays small."""
    living = Living()
    one = match("a1", *(actor(f"x{number}") for number in range(200)))
    two = replace(match("a2", *(actor(f"y{number}") for number in range(200)), at=NOON + 1))
    living.take(one, two)
    living.until(NOON + HOUR)
    assert len(living.ended()) == 400
    assert [len(message.findings) for message in living.messages] == [200]
    assert {entry.outcome.value for entry in living.ended()[200:]} == {"joined"}
