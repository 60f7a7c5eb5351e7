"""Which item is which, and what an edit is (feeds 23 to 25)."""

import pytest

from daemon.feeds.items.identity import edited, identity, part_hashes
from daemon.messages.article import Item

REPEATED = frozenset({"same"})


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ({"guid": "http://e.example/1"}, {"guid": "https://e.example/1"}, True),
        ({"guid": "x", "link": "https://e.example/1"}, {"guid": "x", "link": "https://e.example/2"}, True),
        ({"guid": "same", "link": "https://e.example/1"}, {"guid": "same", "link": "https://e.example/2"}, False),
        ({"guid": "x"}, {"guid": "X"}, False),
        ({"link": "https://e.example/1?utm_source=a"}, {"link": "https://e.example/1"}, True),
        ({"link": "https://e.example/1"}, {"link": "https://e.example/2"}, False),
        ({"title": "T", "date": "5 Feb"}, {"title": "T", "date": "6 Feb"}, False),
        ({"text": "a"}, {"text": "b"}, False),
    ],
)
def test_identity(one: dict[str, str], other: dict[str, str], *, is_same: bool) -> None:
    """Guid before link before title and date; the scheme of a guid and the trackers of a link do not count."""
    none = {"guid": "", "link": "", "title": "", "date": ""}
    left, right = (identity(**{**none, **said}, repeated=REPEATED) for said in (one, other))
    assert (left == right) is is_same
    assert left


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        (Item(id="1", title="a"), Item(id="1", title="b"), ("title",)),
        (Item(id="1", summary="a", content="a"), Item(id="1", summary="b", content="b"), ("summary", "content")),
        (Item(id="1", summary="a  b"), Item(id="1", summary="a b\n"), ()),
        (Item(id="1", summary="text 12 comments"), Item(id="1", summary="text 13 comments"), ()),
        (Item(id="1", summary="خبر 3 تعليقات"), Item(id="1", summary="خبر 4 تعليقات"), ()),
        (Item(id="1", summary="12 dead"), Item(id="1", summary="13 dead"), ("summary",)),
        (
            Item(id="1", content="a", content_html='a<img src="/pixel?1">'),
            Item(id="1", content="a", content_html='a<img src="/pixel?2">'),
            (),
        ),
        (Item(id="1", content="a"), Item(id="1"), ("content",)),
    ],
)
def test_what_counts_as_an_edit(before: Item, after: Item, parts: tuple[str, ...]) -> None:
    """Feeds 25: title, summary and content count; white space, comment counts and tracking pixels do not."""
    assert edited(part_hashes(before), part_hashes(after)) == parts


def test_any_text_is_hashed_at_once() -> None:
    """A million digits, or words that counts of comments stand by, hold up no hop: what takes quadratic time ends never."""
    texts = ("9" * 1_000_000, "9 " * 500_000, "comments " * 100_000, "комментари" * 100_000)
    assert len({part_hashes(Item(id="1", content=text))["content"] for text in texts}) == len(texts)
    assert edited(part_hashes(Item(id="1", title="A 12 comments")), part_hashes(Item(id="1", title="A 13 comments"))) == ()
