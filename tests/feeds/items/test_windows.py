"""What one window says beside the one before it: news that was missed, ids that do not last, twins, windows sent in part."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from daemon.feeds.parse.parsed import Deleted
from daemon.feeds.rows import ITEM, KEPT, NamedBy
from daemon.messages.article import Item, Moment
from daemon.stage.hop import Effects, Fact, Notice
from tests.feeds.desk import DAY, Desk, desk, item

GAP = Fact("rasid_gaps_total")


def titled(number: int, guid: str | None = None, **more: Any) -> Item:
    """An item that differs from others in everything."""
    made = item(f"n{number}" if guid is None else guid, title=f"Title {number}", link=f"https://example.org/{number}")
    return replace(made, published=Moment(at=1e6 + number, raw=f"day {number}", how="rfc822"), **more)


def run_of(numbers: range, poll: str = "", **more: Any) -> list[Item]:
    """Items whose guids hold only for the poll, when it is named."""
    return [titled(number, f"{poll}-{number}" if poll else None, **more) for number in numbers]


def ids(made: Desk) -> list[str]:
    return [raw.item.title for raw in made.published]


def edits(made: Desk) -> list[tuple[str, Sequence[str]]]:
    return [(raw.item.title, raw.edited) for raw in made.published if raw.edited]


def gaps(effects: Effects) -> int:
    return sum(fact == GAP for fact in effects.facts)


def test_a_window_that_rolled_over_is_a_gap() -> None:
    """Feeds 22: nothing of this window in the last one: counted, said, the interval halved; all its items are published."""
    made = desk()
    made.poll(run_of(range(4)), etag='"1"')
    assert not gaps(made.poll(run_of(range(5)), etag='"2"'))
    usual = made.feed().next_at - made.now
    effects = made.poll(run_of(range(10, 15)), etag='"3"')
    assert gaps(effects) == 1
    assert list(effects.notices) == [Notice("feed_gap", {"feed": "one"})]
    assert made.feed().next_at - made.now < 0.7 * usual
    assert made.feed().gap_at == made.now
    assert len(made.published) == 10
    assert not any(raw.backfill for raw in made.published[5:])


def test_a_gap_is_lived_down() -> None:
    """Feeds 22: the feed goes back to its interval within days; gaps in a row halve it again and again, within bounds."""
    made = desk()
    for number in range(20):
        made.poll(run_of(range(100 * number, 100 * number + 3)), etag=f'"{number}"')
    assert made.feed().next_at - made.now <= 1.1 * 60.0
    made.now += 7 * DAY
    made.poll(run_of(range(1900, 1904)), etag='"x"')
    assert made.feed().next_at - made.now > 0.9 * 300.0


@pytest.mark.parametrize(
    ("first", "second", "partial"),
    [
        ([], range(10, 15), False),
        (range(5), [], False),
        (range(5), range(4, 9), False),
        (range(5), range(10, 15), True),
        (range(1), range(1, 2), False),
        (range(2), range(10, 15), False),
    ],
    ids=["nothing before", "nothing now", "one in common", "only what is new", "one item each time", "two before"],
)
def test_what_is_no_gap(first: Sequence[int], second: Sequence[int], *, partial: bool) -> None:
    """Feeds 22, 6: an empty window, one of less than three items, one item in common and a 226 tell of no gap."""
    made = desk()
    made.poll([titled(number) for number in first])
    assert not gaps(made.poll([titled(number) for number in second], partial=partial))


def test_a_link_in_common_is_no_gap() -> None:
    """Feeds 22: other ids, one of the links: the windows touch."""
    made = desk()
    made.poll(run_of(range(3)))
    assert not gaps(made.poll([titled(2, "other", content="rewritten"), *run_of(range(10, 20))]))


def test_known_items_that_come_back_are_no_gap() -> None:
    """Feeds 22: a server with two windows that take turns hides nothing once both are known."""
    made = desk()
    for _ in range(3):
        counted = [gaps(made.poll(run_of(numbers))) for numbers in (range(5), range(10, 15))]
    assert counted == [0, 0]
    assert len(made.published) == 10


def test_a_document_in_portions_is_no_gap() -> None:
    """Feeds 22, 27: the second portion of a document has nothing in common with the first."""
    made = desk()
    made.poll(run_of(range(5)), left=5)
    assert not gaps(made.poll(run_of(range(10))))


@pytest.mark.parametrize("polls", [["a", "b"], ["a", "b", "c", "d"]])
def test_ids_that_do_not_last(polls: Sequence[str]) -> None:
    """Feeds 24: when links are known and ids are not, the link is the identity from now on; nothing is emitted, it is said."""
    made = desk()
    made.poll(run_of(range(10), polls[0]))
    effects = [made.poll(run_of(range(10), poll)) for poll in polls[1:]]
    assert len(made.published) == 10
    assert made.feed().named_by is NamedBy.LINK
    switched = Fact("rasid_identity_switches_total", {"to": "link"})
    assert [list(each.facts).count(switched) for each in effects] == [1] + [0] * (len(polls) - 2)
    assert list(effects[0].notices) == [Notice("feed_ids_unstable", {"feed": "one", "known_by": "link"})]


def test_the_switch_takes_in_what_is_new_and_what_left() -> None:
    """Feeds 24: a new item among the others is news at the switch, an edit is one, and what left the window is still known."""
    made = desk()
    made.poll(run_of(range(12), "a"))
    made.poll(run_of(range(2, 12), "a"))
    made.poll([*run_of(range(2, 11), "b"), titled(11, "b-11", content="edited"), titled(12, "b-12")])
    assert made.feed().named_by is NamedBy.LINK
    assert ids(made)[12:] == ["Title 11", "Title 12"]
    assert edits(made) == [("Title 11", ("content",))]
    made.poll(run_of(range(13), "c"))
    assert len(made.published) == 15  # the twelfth's text went back: an edit
    assert sum(1 for _ in made.rows.scan(ITEM)) == made.feed().kept == 13


def test_the_switch_survives_a_crash() -> None:
    """Feeds 24: the switch commits with the rows; a step that was lost finds the same again."""
    made = desk()
    made.poll(run_of(range(10), "a"))
    lost = made.poll(run_of(range(10), "b"), commit=False)
    assert made.poll(run_of(range(10), "b")) == lost
    again = desk()
    again.rows = made.rows
    again.poll(run_of(range(11), "c"))
    assert ids(again) == ["Title 10"]


def test_unstable_ids_and_links() -> None:
    """Feeds 23, 24: where links change as well, title and date are the identity."""
    made = desk()
    for poll in "abc":
        made.poll([replace(one, link=f"https://example.org/{poll}/{one.title}") for one in run_of(range(8), poll)])
    assert made.feed().named_by is NamedBy.WORDS
    assert len(made.published) == 8


def test_links_that_are_all_alike_are_no_identity() -> None:
    """Feeds 24: a feed whose items all link to one page loses none of them, however its ids change."""
    made = desk()
    for poll in range(4):
        made.poll([replace(one, link="https://example.org/live") for one in run_of(range(poll * 3, poll * 3 + 4), str(poll))])
    assert set(ids(made)) == {f"Title {number}" for number in range(13)}


def test_too_little_to_give_up_ids() -> None:
    """Feeds 24: two items under other ids prove nothing: they are published, and the enricher knows their addresses."""
    made = desk()
    made.poll(run_of(range(2), "a"))
    made.poll(run_of(range(2), "b"))
    assert made.feed().named_by is NamedBy.ID
    assert made.published[0].id == made.published[2].id


def test_an_http_guid_turned_https() -> None:
    """Feeds 24: a site that moves to https changes all guids and publishes nothing."""
    made = desk()
    made.poll([item(f"http://e.example/{number}", link=f"http://e.example/{number}") for number in range(5)])
    made.poll([item(f"https://e.example/{number}", link=f"https://e.example/{number}") for number in range(5)])
    assert len(made.published) == 5


def twin(number: int, title: str, *, twins: int = 2) -> Item:
    """One of several items with one guid, as the parser gives it."""
    link = f"https://example.org/{number}"
    return Item(id=f"same {link}" if twins > 1 else "same", guid="same", link=link, title=title)


def test_twins_come_and_go() -> None:
    """Feeds 24: items with one guid stay themselves when a twin comes beside them, when it goes, and when they are edited."""
    made = desk()
    made.poll([twin(1, "One", twins=1)])
    made.poll([twin(2, "Two"), twin(1, "One")])
    made.poll([twin(2, "Two"), twin(1, "One, edited")])
    made.poll([twin(2, "Two, edited", twins=1)])
    made.poll([twin(1, "One, edited"), twin(2, "Two, edited"), twin(3, "Three")])
    assert ids(made) == ["One", "Two", "One, edited", "Two, edited", "Three"]
    assert [title for title, _ in edits(made)] == ["One, edited", "Two, edited"]


def test_items_without_guids_that_share_a_link() -> None:
    """Feeds 23: one link, several titles: each is an item, and stays itself in any order."""
    made = desk()

    def headline(title: str) -> Item:
        return Item(id="https://example.org/live", link="https://example.org/live", title=title)

    made.poll([headline("One"), headline("Two")])
    made.poll([headline("Three"), headline("Two"), headline("One")])
    made.poll([replace(headline("Two"), tags=("x",))])
    assert ids(made) == ["One", "Two", "Three"]
    assert edits(made) == []


def test_guids_that_come_later() -> None:
    """Feeds 23: items that were known by their links get guids one day: they are the same."""
    made = desk()
    made.poll([replace(one, id=one.link, guid="") for one in run_of(range(2))])
    made.poll(run_of(range(3)))
    assert ids(made) == ["Title 0", "Title 1", "Title 2"]
    assert made.feed().kept == sum(1 for _ in made.rows.scan(ITEM)) == 3


def test_a_partial_answer_ends_nothing() -> None:
    """Feeds 6: what a 226 does not mention stays in the window, and is never forgotten for it."""
    made = desk()
    made.poll(run_of(range(5)))
    made.poll([titled(5)], partial=True)
    made.poll([titled(2, content="edited")], partial=True)
    assert len(made.feed().window) == 6
    made.pass_time(made.now + KEPT + DAY)
    made.poll(run_of(range(6)))
    assert ids(made)[:7] == [*(f"Title {number}" for number in range(6)), "Title 2"]
    assert all(raw.edited for raw in made.published[6:])


def test_thousands_in_any_order() -> None:
    """Feeds 27: no order is assumed: of thousands, turned round, the new one alone is news."""
    made = desk()
    made.poll(run_of(range(3000)))
    made.poll([*run_of(range(2999, -1, -1)), titled(3000)])
    assert ids(made)[3000:] == ["Title 3000"]


def test_a_deleted_entry_is_a_withdrawal() -> None:
    """Feeds 28: an item that its feed took back is withdrawn once, under its article's id; an unknown one is not."""
    made = desk()
    made.poll(run_of(range(3)))
    gone = (Deleted(ref="n1", at=5.0), Deleted(ref="never seen"))
    for _ in range(2):
        effects = made.poll([titled(0), titled(2)], deleted=gone)
    (withdrawal,) = made.withdrawn
    assert (withdrawal.id, withdrawal.site) == (made.published[1].id, made.published[1].site)
    assert (withdrawal.ref, withdrawal.at) == ("n1", 5.0)
    assert not effects.out


def test_an_entry_that_came_back_is_not_withdrawn() -> None:
    """Feeds 28: what the document holds is there, whatever else it says; and what was taken back may be again."""
    made = desk()
    gone = (Deleted(ref="n1"),)
    made.poll(run_of(range(3)), deleted=gone)
    assert not made.withdrawn
    made.poll([titled(0)], deleted=gone)
    made.poll([titled(0), titled(1, content="put right")], deleted=gone)
    made.poll([titled(0)], deleted=gone)
    assert len(made.withdrawn) == 2
    assert edits(made) == [("Title 1", ("content",))]


def test_an_entry_that_came_back_unchanged_is_silent() -> None:
    """Feeds 28: nobody was told that it went, so nobody is told that it is back; but it may go again."""
    made = desk()
    made.poll(run_of(range(3)))
    for _ in range(2):
        made.poll([titled(0)], deleted=(Deleted(ref="n1"),))
        assert not made.poll(run_of(range(2))).out
    assert len(made.withdrawn) == 2


def test_a_withdrawal_after_the_ids_were_given_up() -> None:
    """Feeds 24, 28: where links are the identity, an entry that is deleted by its link is found."""
    made = desk()
    made.poll(run_of(range(5), "a"))
    made.poll(run_of(range(5), "b"))
    made.poll(run_of(range(4), "c"), deleted=(Deleted(ref="https://example.org/4"), Deleted(ref="c-3")))
    assert [withdrawal.id for withdrawal in made.withdrawn] == [made.published[4].id]
