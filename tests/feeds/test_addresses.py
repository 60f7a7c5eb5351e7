"""Addresses with secrets in them: what the poller's rows keep of them, and what a change amounts to."""

from dataclasses import replace

from daemon.feeds.rows import encode
from daemon.feeds.sources.load import Source
from tests.feeds.desk import DAY, desk, item, source


def test_secrets_of_an_address_stand_in_no_row() -> None:
    """A row of an older version, which kept the whole address, is taken over without a poll and without its secret."""
    plain, secret = "https://news.example.org/feed?k=${TOK}", "https://news.example.org/feed?k=c4nary"
    made = desk(Source(id="one", url=secret, shown=plain, site="example.org"))
    made.poll([item("a")], url=secret, etag='"x"')
    assert b"c4nary" not in (made.row().value or b"")
    old = replace(made.row(), value=encode(replace(made.feed(), url=secret)))
    made.rows.apply([old])
    before = made.feed()
    made.reconcile()
    assert made.feed() == replace(before, url=made.feed().url)
    assert b"c4nary" not in (made.row().value or b"")
    assert made.job().etag == '"x"'


def test_another_secret_is_another_address() -> None:
    """Feeds 3: validators do not outlive the secret they were given to; and a poll under the old one counts for nothing."""
    plain = "https://news.example.org/feed?k=${TOK}"
    made = desk(Source(id="one", url=f"{plain}1", shown=plain, site="example.org"))
    made.poll([item("a")], url=f"{plain}1", etag='"x"')
    made.poller.replace([Source(id="one", url=f"{plain}2", shown=plain, site="example.org")])
    made.reconcile()
    assert (made.job().etag, made.feed().next_at) == ("", made.now)
    assert not made.poll([item("b")], url=f"{plain}1").out


def test_guids_of_another_feed_are_other_items() -> None:
    """Feeds 23: given to another feed whose guids are numbers too, an id makes no edits: its items are its own."""
    made = desk(source(url="https://a.example.org/feed"))
    made.poll([item(str(n), f"A {n}", f"https://a.example.org/{n}") for n in range(3)], url="https://a.example.org/feed")
    made.poller.replace([source(url="https://b.example.org/feed")])
    made.reconcile()
    theirs = [item(str(n), f"B {n}", f"https://b.example.org/{n}") for n in range(3)]
    made.poll(theirs, url="https://b.example.org/feed")
    assert [(raw.url, raw.edited, raw.backfill) for raw in made.published[3:]] == [(one.link, (), True) for one in theirs]
    assert not {raw.id for raw in made.published[:3]} & {raw.id for raw in made.published[3:]}
    assert made.feed().kept == len(theirs)
    made.now = made.feed().next_at
    made.poll([item("0", "B 0, corrected", "https://b.example.org/0"), *theirs[1:]], url="https://b.example.org/feed")
    assert [(raw.id, raw.edited) for raw in made.published[6:]] == [(made.published[3].id, ("title",))]


def test_the_same_items_at_another_address_are_known() -> None:
    """Feeds 23: a feed whose own address is corrected has its items still; what it has changed of them is an edit."""
    made = desk(source(url="https://a.example.org/feed"))
    made.poll([item("1"), item("2")], url="https://a.example.org/feed")
    made.poller.replace([source(url="https://a.example.org/rss")])
    made.reconcile()
    made.poll([item("1"), item("2", "Corrected")], url="https://a.example.org/rss")
    assert [(raw.item.guid, raw.edited) for raw in made.published[2:]] == [("2", ("title",))]


def test_a_link_that_changes_at_the_same_address_is_no_other_item() -> None:
    """Feeds 23: where a feed was read before, its guid is what an item is known by, wherever it leads now."""
    made = desk()
    made.poll([item("1"), item("2")])
    made.now = made.feed().next_at
    made.poll([item("1", link="https://example.org/moved"), item("2")])
    assert len(made.published) == 2


def test_a_feed_that_comes_back_from_another_partition_begins_again() -> None:
    """Feeds 23: what came while it stood at another site was told there; what comes then is news. Not told, it goes on."""
    here, there = source(), source(url="https://news.example.com/feed", site="example.com")
    for meanwhile, told in (([there], True), ([], False), ([], True)):
        made = desk(here)
        made.poll([item("1"), item("2")], etag='"x"')
        stories = [meanwhile, [there]] if told else [meanwhile]
        for sources in (*stories, [here]):
            made.now += DAY
            made.poller.replace(sources)
            made.reconcile()
        made.poll([item("2"), item("3")])
        made.now = made.feed().next_at
        made.poll([item("2"), item("3"), item("4")])
        assert [(raw.item.guid, raw.backfill) for raw in made.published[2:]] == [("3", told), ("4", False)]
