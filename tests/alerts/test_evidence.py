"""Evidence: at most three sentences that show as many findings as they can, with their hits marked."""

from daemon.messages.alert import Evidence
from daemon.messages.article import Zone
from daemon.messages.match import Hit
from tests.alerts.builders import NOON, actor, hit, match, rule
from tests.alerts.living import Living


def quoted(*hits: Hit) -> tuple[Evidence, ...]:
    living = Living()
    living.take(match("a1", *(actor(name) for name in sorted({one.actor for one in hits if one.actor})), hits=hits))
    return living.messages[0].evidence


def texts(*hits: Hit) -> list[str]:
    return [evidence.text for evidence in quoted(*hits)]


def test_hits_of_one_sentence_share_it() -> None:
    """A sentence is quoted once, with all its hits marked in order; overlapping marks are one."""
    sentence = "Anna met Lloyd James Austin."
    (evidence,) = quoted(
        hit(sentence, "Lloyd James Austin", actor="austin"),
        hit(sentence, "Anna", actor="anna"),
        hit(sentence, "James", actor="j"),
    )
    assert [evidence.text[start:end] for start, end in evidence.marks] == ["Anna", "Lloyd James Austin"]


def test_each_finding_is_shown_before_any_is_shown_twice() -> None:
    """Sentences that show different findings come before more of the same; in reading order, three at most."""
    hits = [hit(f"X{number} speaks.", f"X{number}", at=number * 100, actor="x") for number in range(5)]
    assert texts(*hits, hit("Late Y.", "Y", at=900, actor="y")) == ["X0 speaks.", "X1 speaks.", "Late Y."]


def test_title_is_quoted_only_when_nothing_else_shows_it() -> None:
    """The headline stands on the screen already."""
    title = hit("X meets Y", "X", zone=Zone.TITLE, actor="x")
    assert texts(title) == ["X meets Y"]
    assert texts(title, hit("There X was.", "X", zone=Zone.LEAD, actor="x")) == ["There X was."]
    assert texts(title, hit("There Y was.", "Y", zone=Zone.LEAD, actor="y")) == ["X meets Y", "There Y was."]


def test_what_stands_beside_is_the_last_resort() -> None:
    """A rule that asks for `rest` is shown from there only when nothing else shows it."""
    beside = hit("Beside X.", "X", zone=Zone.REST, actor="x")
    assert texts(beside) == ["Beside X."]
    assert texts(beside, hit("Within X.", "X", actor="x")) == ["Within X."]


def test_windows_of_one_long_sentence_are_not_quoted_twice() -> None:
    """Overlapping snippets bring nothing new."""
    long = "X said that a very long sentence goes on, X said."
    first = hit(long[:40], "X", actor="x")
    second = Hit(zone=Zone.BODY, start=42, end=43, surface="X", alias="X", actor="x", snippet=long[10:], offset=32)
    assert texts(first, second) == [long[:40]]


def test_rule_without_terms_of_its_own_shows_the_actors_it_uses() -> None:
    """A rule that asks for an actor is shown by that actor's hits, unless the actor is a finding itself."""
    living = Living()
    living.take(match("a1", rule("r"), hits=[hit("The ministry spoke.", "ministry", actor="iq-mod")]))
    assert [evidence.text for evidence in living.messages[0].evidence] == ["The ministry spoke."]


def test_hit_that_its_snippet_does_not_hold_is_left_out() -> None:
    """A mark always cuts out what was hit; a broken hit costs its quote, not the message."""
    broken = Hit(zone=Zone.BODY, start=0, end=1, surface="X", alias="X", actor="x", snippet="no such", offset=3)
    assert texts(broken) == []


def test_only_findings_of_the_message_are_quoted() -> None:
    """What goes to another receiver is not shown to this one."""
    living = Living()
    hits = [hit("X alone.", "X", actor="x"), hit("Y alone.", "Y", at=50, actor="y")]
    living.take(match("a1", actor("x"), actor("y", notify=("mail",)), hits=hits, at=NOON))
    assert [[evidence.text for evidence in message.evidence] for message in living.messages] == [["X alone."], ["Y alone."]]
