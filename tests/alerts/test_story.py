"""Stories: near-duplicate copies and revisions within a desk join, other reports do not, and all is forgotten in time."""

import random

import pytest

from alerts.story import LIFE, MOST_ARTICLES
from daemon.messages.match import Severity
from tests.alerts.builders import NOON, TEXT, actor, match
from tests.alerts.living import Living, ends

OTHER = (
    "heavy rain flooded two villages in the north of the country on tuesday evening and rescue teams with boats brought "
    "families to a school on higher ground while the provincial council asked for tents blankets and drinking water"
)


def reworded(text: str, share: float, seed: int) -> str:
    """The text with a share of its words exchanged in one run, as an editor rewrites a paragraph."""
    words = text.split()
    count = int(len(words) * share)
    start = random.Random(seed).randrange(len(words) - count)
    return " ".join([*words[:start], *(f"other{number}" for number in range(count)), *words[start + count :]])


@pytest.mark.parametrize(
    "copy",
    [TEXT, TEXT[: len(TEXT) * 2 // 3], reworded(TEXT, 0.2, 1), "agency reports: " + TEXT],
    ids=["same", "cut", "reworded", "led in"],
)
def test_wire_copies_join(copy: str) -> None:
    """A copy that was edited, cut or led in differently joins the story, whatever its headline."""
    living = Living()
    living.take(match("a1", actor("x")), match("a2", actor("x"), text=copy, title="Another headline"))
    assert len(living.messages) == 1
    assert ends(living.outcomes)[1] == ("x", "joined", "same_story")
    assert living.outcomes[0].story == living.outcomes[1].story


@pytest.mark.parametrize(
    ("text", "desk"), [(OTHER, "iraq"), (TEXT, "levant"), ("", "iraq")], ids=["other text", "other desk", "no text"]
)
def test_others_do_not_join(text: str, desk: str) -> None:
    """A different report, the same text on another desk, and an article without text are stories of their own."""
    living = Living()
    living.take(match("a1", actor("x")), match("a2", actor("x"), text=text, desk=desk))
    assert len(living.messages) == 2


def test_two_articles_without_text_stay_apart() -> None:
    """No text is like no text in nothing."""
    living = Living()
    living.take(match("a1", actor("x"), text=""), match("a2", actor("x"), text=""))
    assert len(living.messages) == 2


def test_revision_joins_its_own_story() -> None:
    """A revision belongs to its article's story even when every word of it is new."""
    living = Living()
    living.take(match("a1", actor("x")), match("a1", actor("x"), revision=2, text=OTHER))
    assert ends(living.outcomes)[1] == ("x", "joined", "same_story")


def test_copy_of_a_copy_joins() -> None:
    """Copies drift: one that is like a copy, if no longer like the first, joins as well."""
    first, second = TEXT, reworded(TEXT, 0.45, 2)
    third = second[len(second) // 3 :] + " " + OTHER[:40]
    living = Living()
    living.take(match("a1", actor("x"), text=first), match("a2", actor("x"), text=second), match("a3", actor("x"), text=third))
    assert len({outcome.story for outcome in living.outcomes}) == 1


def test_story_is_forgotten_after_its_life_with_all_that_hangs_on_it() -> None:
    """A story lives 72 hours after it last grew; its end leaves no row, and a late copy is news again."""
    living = Living()
    living.take(match("a1", actor("x")))
    living.take(match("a2", actor("x"), text=reworded(TEXT, 0.4, 3), at=NOON + LIFE - 1))
    living.until(NOON + LIFE + 1)
    assert living.rows
    living.until(NOON + 2 * LIFE)
    assert living.rows == []
    living.take(match("a1", actor("x"), at=NOON + 2 * LIFE + 1))
    assert [message.version for message in living.messages] == [1, 1]
    assert len({message.id for message in living.messages}) == 2


def test_bands_are_shared_without_loss() -> None:
    """A story's end removes only itself from the bands it shares with another story."""
    living = Living()
    living.take(match("a1", actor("x"), text=OTHER))
    living.take(match("b1", actor("x")))
    living.take(match("b2", actor("x"), text=TEXT, at=NOON + LIFE - 10))
    living.until(NOON + LIFE)
    living.take(match("b3", actor("x"), at=NOON + LIFE + 1))
    assert ends(living.outcomes)[-1] == ("x", "joined", "same_story")


def test_hundreds_of_copies_are_counted_and_bounded() -> None:
    """A story names 200 articles and goes on counting and recognising copies."""
    living = Living()
    count = MOST_ARTICLES + 20
    living.take(*(match(f"a{number}", actor("x", Severity.HIGH), at=NOON + number) for number in range(count)))
    living.until(NOON + LIFE / 2)
    assert len(living.ended()) == count
    assert len({outcome.story for outcome in living.outcomes}) == 1
    assert max(message.copies for message in living.messages) > 100
    assert max(len(row.value or b"") for row in living.rows) < 100_000
    living.until(NOON + 2 * LIFE)
    assert living.rows == []
