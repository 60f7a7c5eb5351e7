"""Addresses with secrets in them: what the poller's rows keep of them, and what a change amounts to."""

from dataclasses import replace

from daemon.feeds.rows import encode
from daemon.feeds.sources.load import Source
from tests.feeds.desk import desk, item


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
