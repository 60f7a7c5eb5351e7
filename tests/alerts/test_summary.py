"""First sight of a feed: what hits in a first fetch makes one summary a desk and receiver."""

from typing import Any

from daemon.config.models import Route
from daemon.messages.alert import Reason
from daemon.messages.article import FirstFetch
from daemon.messages.match import Match, Severity
from tests.alerts.builders import NOON, actor, first_fetch, match
from tests.alerts.living import Living, ends

INA = first_fetch(FirstFetch.SUMMARY)
BBC = first_fetch(FirstFetch.SUMMARY, "BBC")
LATER = NOON + 3600


def backfill(article: str, *names: str, at: float = NOON, severity: Severity = Severity.HIGH, **changes: Any) -> Match:
    """An article of a first fetch, in words of its own."""
    words = " ".join(f"{article}-{number}" for number in range(20))
    knobs = {"feed": INA, "text": words, "title": f"About {article}", **changes}
    return match(article, *(actor(name, severity) for name in names), at=at, backfill=True, **knobs)


def test_first_fetches_make_one_summary() -> None:
    """Findings of first fetches wait for one message that names each story, the most severe first."""
    living = Living()
    living.take(
        backfill("a1", "x", severity=Severity.LOW), backfill("a2", "x", "y"), backfill("a3", "z", feed=BBC, at=NOON + 60)
    )
    assert {entry.until for entry in living.outcomes} == {NOON + 120, NOON + 180}
    living.until(LATER)
    (message,) = living.messages
    assert message.headline == "3 stories stood in feeds seen for the first time: INA, BBC"
    assert [(line.headline, [card.actor for card in line.findings]) for line in message.stories] == [
        ("About a2", ["x", "y"]),
        ("About a3", ["z"]),
        ("About a1", ["x"]),
    ]
    assert (message.severity, message.url, message.due) == (Severity.HIGH, "", NOON + 180)
    assert set(ends(living.ended())) == {(name, "told", "first_fetch") for name in "xyz"}
    assert len(living.ended()) == 4
    assert {entry.message for entry in living.outcomes} == {message.id}


def test_summary_waits_for_quiet_and_not_for_ever() -> None:
    """It leaves two minutes after the last addition, ten minutes after the first at the latest."""
    living = Living()
    living.take(*(backfill(f"a{minute}", "x", at=NOON + minute * 60) for minute in range(27)))
    living.until(LATER)
    assert [message.due for message in living.messages] == [NOON + 600, NOON + 1200, NOON + 1560 + 120]
    assert len({message.id for message in living.messages}) == 3


def test_summary_of_one_story_is_that_story() -> None:
    """One story needs no headline about headlines."""
    living = Living()
    living.take(backfill("a1", "x"))
    living.until(LATER)
    assert [(message.headline, message.url) for message in living.messages] == [("About a1", "https://news.example/a1")]


def test_first_fetch_alert_alerts() -> None:
    """`first_fetch: alert` tells a first fetch's stories as any other."""
    living = Living()
    living.take(backfill("a1", "x", feed=first_fetch(FirstFetch.ALERT)))
    assert ends(living.outcomes) == [("x", "told", "new_story")]


def test_stories_of_a_summary_count_as_told() -> None:
    """A later copy joins a story that stood in a summary; growth makes an update."""
    living = Living()
    text = "these very words stand in both of the articles"
    living.take(backfill("a1", "x", text=text), backfill("a2", "x"))
    living.take(match("b1", actor("x", Severity.NORMAL), text=text, at=NOON + 60))
    living.take(match("b2", actor("x"), actor("y"), text=text, at=LATER))
    living.until(2 * LATER)
    assert ends(living.ended()) == [
        ("x", "joined", "same_story"),
        ("x", "told", "first_fetch"),
        ("x", "told", "first_fetch"),
        ("x", "joined", "same_story"),
        ("y", "told", "story_grew"),
    ]
    assert [(message.update, message.due) for message in living.messages] == [(False, NOON + 120), (True, LATER)]


def test_live_news_waits_for_no_summary() -> None:
    """A live finding that would be told earlier takes its story out of the summary: told once, with what waited for it."""
    living = Living()
    text = "these very words stand in both of the articles"
    living.take(backfill("a1", "x", "z", text=text), backfill("a2", "x"), match("b1", actor("x"), text=text, at=NOON + 5))
    assert [(message.due, message.version, message.update, message.copies) for message in living.messages] == [
        (NOON + 5, 1, False, 2)
    ]
    assert [card.actor for card in living.messages[0].findings] == ["x", "z"]
    living.take(backfill("a3", "x", text=text, at=NOON + 10))
    living.until(LATER)
    _, summary = living.messages
    assert (summary.due, [line.headline for line in summary.stories]) == (NOON + 120, ["About a2"])
    assert sorted(ends(living.ended())) == [
        ("x", "joined", "same_story"),
        ("x", "told", "first_fetch"),
        ("x", "told", "new_story"),
        ("x", "told", "new_story"),
        ("z", "told", "new_story"),
    ]
    assert {entry.message for entry in living.ended() if entry.reason is Reason.NEW_STORY} == {living.messages[0].id}


def test_summary_without_stories_is_none() -> None:
    """When live news took its only story, nothing is left to sum up."""
    living = Living()
    living.take(backfill("a1", "x"), match("b1", actor("y"), text=" ".join(f"a1-{n}" for n in range(20)), at=NOON + 5))
    living.until(LATER)
    assert [(message.due, [card.actor for card in message.findings]) for message in living.messages] == [(NOON + 5, ["x", "y"])]


def test_live_news_of_less_weight_waits_as_long_as_its_own_time() -> None:
    """Normal news leaves the summary when that would leave later, and not at once."""
    living = Living()
    living.take(*(backfill(f"a{n}", "x", at=NOON + n) for n in range(0, 100, 20)))
    living.take(match("b1", actor("x", Severity.NORMAL), text=" ".join(f"a0-{n}" for n in range(20)), at=NOON + 100))
    living.until(LATER)
    assert [(message.due, len(message.stories)) for message in living.messages] == [(NOON + 190, 0), (NOON + 200, 4)]


def test_story_on_its_way_is_not_summarised_again() -> None:
    """A first fetch's copy of a story that was told, or is about to be, joins that."""
    living = Living()
    living.take(match("b1", actor("x"), text="one text in both places"))
    living.take(backfill("a1", "x", text="one text in both places", at=NOON + 1))
    living.until(LATER)
    assert ends(living.outcomes) == [("x", "told", "new_story"), ("x", "joined", "same_story")]


def test_summary_is_bounded() -> None:
    """A summary names 50 stories, counts the others, and their findings are suppressed with the reason."""
    living = Living()
    living.take(*(backfill(f"a{number}", "x", "y") for number in range(53)))
    living.until(LATER)
    (message,) = living.messages
    assert (len(message.stories), message.more_stories) == (50, 3)
    assert message.headline.startswith("53 stories")
    assert living.counted == {("iraq", "told", "first_fetch"): 100, ("iraq", "suppressed", "first_fetch"): 6}


def test_each_receiver_has_its_summary() -> None:
    """A finding for two receivers stands in both summaries and has one outcome."""
    branch = {"receiver": "slack", "continue": True}
    living = Living(Route.model_validate({"receiver": "screen", "routes": [branch, {"receiver": "mail"}]}))
    living.take(backfill("a1", "x"))
    living.until(LATER)
    assert sorted(message.receiver for message in living.messages) == ["mail", "slack"]
    assert ends(living.ended()) == [("x", "told", "first_fetch")]


def test_summary_for_a_removed_receiver() -> None:
    """A summary whose receiver a reload removed ends its findings with a reason."""
    living = Living()
    living.take(backfill("a1", "x"))
    living.hop.configure(Route(receiver="mail"), {"mail"})
    living.until(LATER)
    assert ends(living.ended()) == [("x", "suppressed", "no_receiver")]
