"""The enricher: one record for what is new, revisions by one feed's own texts, everything else counted."""

from dataclasses import replace

import pytest

from consumers.enricher import Enricher
from consumers.sightings import MAX_FEEDS, ROW_LIFE, read_sightings, row_key
from consumers.text.language import Languages
from consumers.zones.headings import load_headings
from consumers.zones.zoner import Zoner
from daemon.bus.base import Record, Row
from daemon.bus.held import HeldRows
from daemon.bus.topics import ARTICLES
from daemon.errors import DecodeError
from daemon.messages.article import Article, FeedCard, Item, Language, Moment, RawArticle, Withdrawal
from daemon.messages.wire import article_id, decode
from daemon.sketch import sketch
from daemon.stage.hop import Effects, Time
from daemon.stage.table import StepTable

NOW = 1_700_000_000.0
LATER = NOW + 60
BODY = "The defence minister Thabet al-Abbasi met his counterpart in Washington on Tuesday. They spoke of what comes next."
HOP = Enricher(Zoner(load_headings()), Languages())


def raw(content: str = BODY, *, feed: str = "a", title: str = "A meeting in Washington", fetched_at: float = NOW) -> RawArticle:
    return RawArticle(
        id=article_id("news.example.net/1"),
        site="example.net",
        url="https://news.example.net/1",
        feed=FeedCard(id=feed, url=f"https://{feed}.example.net/feed", language="en"),
        item=Item(id="1", title=title, content=content, published=Moment(at=NOW - 9, raw="…", how="rfc822")),
        fetched_at=fetched_at,
    )


def run(table: StepTable, article: RawArticle | Withdrawal, now: float = NOW) -> Effects:
    (prepared,) = HOP.prepare([article])
    return HOP.decide(prepared, table, now)


def outcome(effects: Effects) -> str:
    (fact,) = effects.facts
    assert (fact.metric, fact.labels["hop"]) == ("rasid_articles_total", "enricher")
    return fact.labels["outcome"]


def _article(record: Record) -> Article:
    article = decode(record.value)
    assert isinstance(article, Article)
    return article


def emitted(effects: Effects) -> Article:
    (record,) = effects.out
    return _article(record)


@pytest.fixture
def table() -> StepTable:
    return StepTable(HeldRows())


def test_a_new_article_goes_on(table: StepTable) -> None:
    """First sight: one record on `articles`, keyed by the article, in its site's lane, as revision 1."""
    effects = run(table, raw())
    (record,) = effects.out
    assert (record.topic, record.lane, record.key) == (ARTICLES, "example.net", raw().id.encode())
    article = emitted(effects)
    assert outcome(effects) == "new"
    assert (article.revision, article.changed, article.title, article.body) == (1, (), "A meeting in Washington", BODY)
    assert (article.language.tag, article.language.source) == ("en", "text")
    assert HOP.time is Time.WALL


def test_the_sketch_is_of_the_articles_own_text(table: StepTable) -> None:
    """Two pages that share a sidebar are no copies: `rest` is not in the sketch."""
    with_rest = emitted(run(table, raw(f"{BODY}\n\nRead also\n• Another story of the day")))
    assert "Another story" in with_rest.rest
    assert with_rest.sketch == emitted(run(StepTable(HeldRows()), raw())).sketch != sketch("")


@pytest.mark.parametrize(
    ("second", "told", "changed"),
    [
        (raw(), "unchanged", ()),
        (raw(BODY.upper().replace("Tuesday.", "Tuesday!")), "unchanged", ()),
        (raw(f"{BODY}\n\nRead also: Another story"), "unchanged", ()),
        (raw(f"{BODY} And more."), "revision", ("body",)),
        (raw(title="Another title"), "revision", ("title",)),
        (raw(feed="b"), "sighting", ()),
        (raw("Quite another text.", feed="b"), "sighting", ()),
    ],
)
def test_what_makes_a_revision(table: StepTable, second: RawArticle, told: str, changed: tuple[str, ...]) -> None:
    """Only a change of words in the same feed's title, lead or body; never the rest, letter case or another feed's text."""
    run(table, raw())
    effects = run(table, second, LATER)
    assert outcome(effects) == told
    assert [(article.revision, article.changed) for article in map(_article, effects.out)] == (
        [(2, changed)] if changed else []
    )


def test_revisions_count_on_and_feeds_are_kept_apart(table: StepTable) -> None:
    """A feed that catches up with another's edit says nothing new; its own next edit is the next revision."""
    told = [
        outcome(run(table, article))
        for article in (raw(), raw(feed="b"), raw("Edited text."), raw("Edited text.", feed="b"), raw("Again.", feed="b"))
    ]
    assert told == ["new", "sighting", "revision", "sighting", "revision"]
    row = table.get(row_key(raw().id))
    assert row is not None
    assert row.value is not None
    assert read_sightings(row.value).revision == 3


def test_an_article_is_forgotten_after_its_life(table: StepTable) -> None:
    """Every sight moves the row's wake to 30 days later; woken, the row is gone."""
    run(table, raw())
    run(table, raw(), LATER)
    row = table.get(row_key(raw().id))
    assert row is not None
    assert (row.wake, row.lane) == (LATER + ROW_LIFE, "example.net")
    assert HOP.wake(row, table, LATER + ROW_LIFE) == Effects()
    assert table.get(row.key) is None


def test_an_edit_of_a_forgotten_article_is_a_revision(table: StepTable) -> None:
    """After 30 quiet days an edit is no news: another revision, so another match, and first seen when the feed first had it."""
    edited = replace(raw(fetched_at=NOW + 2 * ROW_LIFE), edited=("title", "content"), first_at=NOW)
    effects = run(table, replace(edited, item=replace(edited.item, published=Moment())), NOW + 2 * ROW_LIFE)
    article = emitted(effects)
    assert outcome(effects) == "revision"
    assert (article.revision, article.changed, article.published.at) == (2, ("title", "body"), NOW)
    again = raw("Other words.", fetched_at=NOW + 2 * ROW_LIFE + 60)
    assert emitted(run(table, again, NOW + 2 * ROW_LIFE + 60)).revision == 3


def test_feeds_of_an_article_are_bounded(table: StepTable) -> None:
    """A URL that everybody links to does not grow its row without end: who spoke longest ago is forgotten."""
    for number in range(MAX_FEEDS + 5):
        run(table, raw(feed=f"f{number}"))
    row = table.get(row_key(raw().id))
    assert row is not None
    assert row.value is not None
    feeds = list(read_sightings(row.value).feeds)
    assert (len(feeds), feeds[-1], "f0" in feeds) == (MAX_FEEDS, f"f{MAX_FEEDS + 4}", False)


@pytest.mark.parametrize(
    ("moment", "note"),
    [
        (Moment(), "date missing: first seen"),
        (Moment(raw="yesterdayish"), "date unreadable: first seen"),
        (Moment(at=NOW + 9e6, raw="2024"), "date over a day ahead: not believed: first seen"),
    ],
)
def test_a_missing_date_is_when_it_was_first_seen(table: StepTable, moment: Moment, note: str) -> None:
    """Also in a revision, it is the first sight's time; the publisher's text stays and a note says so (feeds 26)."""
    first = raw()
    run(table, replace(first, item=replace(first.item, published=moment)))
    edited = raw("Other words.", fetched_at=LATER)
    article = emitted(run(table, replace(edited, item=replace(edited.item, published=moment)), LATER))
    assert (article.published.at, article.published.how, article.published.raw) == (NOW, "first-seen", moment.raw)
    assert note in article.notes


def test_what_was_guessed_or_repaired_is_noted(table: StepTable) -> None:
    """The parser's notes are kept, and a language taken from the feed is said to be."""
    first = raw("", title="Il test")
    article = emitted(run(table, replace(first, item=replace(first.item, notes=("link repaired",)))))
    assert article.notes == ("link repaired", "language taken from the feed")
    assert article.language == Language(tag="en", confidence=article.language.confidence, source="feed")


@pytest.mark.parametrize("stored", [b"", b"{}", b"\xff", b'{"v": 1, "revision": 1}'])
def test_a_damaged_row_is_named(table: StepTable, stored: bytes) -> None:
    """A row that cannot be read is a decode error, so the record is set aside and nothing is overwritten."""
    key = row_key(raw().id)
    table.put(key, Row("example.net", key, stored))
    with pytest.raises(DecodeError):
        run(table, raw())


def test_a_withdrawal_is_counted(table: StepTable) -> None:
    """Feeds 28: what a feed takes back ends in an outcome of its own; what comes later is judged as ever."""
    run(table, raw())
    taken_back = Withdrawal(id=raw().id, site="example.net", feed=raw().feed, ref="1", fetched_at=NOW)
    effects = run(table, taken_back)
    assert (outcome(effects), effects.out) == ("withdrawn", ())
    assert outcome(run(table, raw())) == "unchanged"
