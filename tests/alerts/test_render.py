"""What a message says, before any channel lays it out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.quotes import MAX_QUOTE, Piece
from alerts.render import MAX_STORY_HEADLINE, render
from alerts.safe import clean, safe_link
from daemon.messages.alert import Evidence
from daemon.messages.article import Language, Moment, Source
from tests.alerts.samples import HOSTILE, NOON, evidence, hostile_summary, message, story, summary


def test_says_what_the_design_draws() -> None:
    """Badge, headline, quote, findings and origin stand as delivery.md draws them."""
    parts = render(message())
    assert parts.badge == "🔴 high · iraq"
    assert parts.link == "https://news.example.org/a?b=1&c=2"
    assert " · ".join(parts.findings) == "Thabet al-Abbasi · rule iraq-us-defence"
    assert " · ".join(parts.origin) == "INA · ar · published 12:25, found 12:26 Baghdad · 3 copies, 2 languages"
    assert parts.quotes == (
        (Piece("…"), Piece("التقى "), Piece("ثابت العباسي", hit=True), Piece(" نظيره في واشنطن"), Piece("…")),
    )


@pytest.mark.parametrize(
    ("published", "found", "zone", "said"),
    [
        (Moment(at=NOON), NOON + 86400, "Asia/Baghdad", "published 2023-08-08 12:25, found 12:25 Baghdad"),
        (Moment(), NOON, "Asia/Baghdad", "found 12:25 Baghdad"),
        (Moment(at=NOON, how="first-seen"), NOON, "Asia/Baghdad", "found 12:25 Baghdad"),
        (Moment(at=NOON), NOON, "No/Where", "published 09:25, found 09:25 UTC"),
        (Moment(at=NOON), NOON, "../etc/passwd", "published 09:25, found 09:25 UTC"),
        (Moment(at=1e300), NOON, "America/New_York", "found 05:25 New York"),
    ],
)
def test_times_are_the_desks(published: Moment, found: float, zone: str, said: str) -> None:
    """Times stand in the desk's zone, with the day where it differs; what is unknown is left out."""
    origin = render(message(published=published, found=found, time_zone=zone)).origin
    assert said in origin


@pytest.mark.parametrize(
    ("text", "hit", "bold"),
    [
        ("وقال العباسيون إن", "عباسي", "العباسيون"),
        ("pro-Americanism grows", "American", "Americanism"),
        ("نمی‌خواهد برود", "خواهد", "نمی‌خواهد"),
        ("美国国防部长访问", "国防", "国防"),
        ("(Austin)", "Austin", "Austin"),
    ],
)
def test_hits_grow_to_whole_words(text: str, hit: str, bold: str) -> None:
    """A hit is marked as the whole word it stands in, except in scripts that write no spaces."""
    quote = render(message(evidence=(evidence(text, hit),))).quotes[0]
    assert [piece.text for piece in quote if piece.hit] == [bold]


def test_at_most_three_quotes_and_twelve_findings() -> None:
    """A message stays short whatever hit."""
    parts = render(message(evidence=message().evidence * 9, findings=message().findings * 20))
    assert len(parts.quotes) == 3
    assert parts.findings[-1] == "and 28 more"


def test_a_long_sentence_is_cut_around_its_hit() -> None:
    """The hit stands in what is left of a sentence that is too long."""
    text = "word " * 500 + "needle " + "word " * 500
    quote = render(message(evidence=(evidence(text, "needle"),))).quotes[0]
    assert Piece("needle", hit=True) in quote
    assert sum(len(piece.text) for piece in quote) <= MAX_QUOTE + 2


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("javascript:alert(1)", ""),
        ("JaVaScRiPt:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//news.example.org/a", ""),
        ("https://user:pw@news.example.org/", ""),
        ("https:///nohost", ""),
        ("https://news.example.org:99999/", ""),
        ("https://news.example.org/" + "a" * 3000, ""),
        ("https://news.example.org/a|b>c<d\"e'f", "https://news.example.org/a%7Cb%3Ec%3Cd%22e%27f"),
        ("https://مثال.إختبار/خبر", "https://xn--mgbh0fb.xn--kgbechtv/%D8%AE%D8%A8%D8%B1"),
        ("https://news.example.org/100%25?q=a%20b", "https://news.example.org/100%25?q=a%20b"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
    ],
)
def test_links_are_http_and_ascii(url: str, link: str) -> None:
    """Only http and https addresses without tricks are linked, with nothing in them that any markup reads."""
    assert safe_link(url) == link


@given(st.text(), st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40)), max_size=6))
def test_never_raises_and_loses_no_text(text: str, marks: list[tuple[int, int]]) -> None:
    """Whatever stands in the feed and wherever marks point, a short sentence comes out whole and clean."""
    parts = render(
        message(headline=text, url=text, source=Source(name=text), evidence=(Evidence(text=text[:300], marks=tuple(marks)),))
    )
    said = "".join(piece.text for quote in parts.quotes for piece in quote)
    assert clean(text[:300]).replace(" ", "") in said.replace(" ", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_invisible_is_left(text: str) -> None:
    """Control characters and bidi controls of a feed reach no part."""
    parts = render(message(headline=text, language=Language(tag=text), source=Source(name=text)))
    said = parts.headline + "".join(parts.origin)
    assert not set(said) & set("\r\n\x00\x07\x1b\x85\x9b\u200f\u2028\u2029\u202c\u202e\u2066\u2069")


def test_summary_names_its_stories() -> None:
    """Each story has its dot, headline, link, who hit, source and language; the badge says what the message is."""
    parts = render(summary())
    assert parts.badge == "🔴 high · iraq · first-fetch summary"
    assert [(part.dot, part.link, part.about) for part in parts.stories] == [
        ("🔴", "https://news.example.org/a?b=1&c=2", ("Thabet al-Abbasi, rule iraq-us-defence", "INA", "ar")),
        ("⚪", "https://news.example.org/2", ("ثابت العباسي", "news.example.org", "en")),
    ]
    assert (parts.more_stories, parts.findings, parts.origin) == (7, (), ("found 12:26 Baghdad", "2 languages"))


def test_summary_of_one_story_is_that_story() -> None:
    """One story needs no list: it is told as ever, under a badge that says where it came from."""
    told = message(stories=(story(1),))
    assert render(told) == replace(render(message()), badge="🔴 high · iraq · first-fetch summary")


def test_summary_is_bounded() -> None:
    """Fifty lines, each with a short headline and four names; what is left out is counted."""
    cards = message().findings * 3
    parts = render(summary(*(story(number, headline="word " * 99, findings=cards) for number in range(53))))
    assert (len(parts.stories), parts.more_stories) == (50, 10)
    assert len(parts.stories[0].headline) <= MAX_STORY_HEADLINE
    assert parts.stories[0].about[0].endswith("rule iraq-us-defence, and 2 more")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_invisible_is_left_of_a_story(text: str) -> None:
    """Control characters and bidi controls of a feed reach no story's line, and its link stays one."""
    for part in render(hostile_summary(text)).stories:
        said = "".join((part.headline, part.link, *part.about))
        assert not set(said) & set("\r\n\x00\x07\x1b\x85\x9b\u200f\u2028\u2029\u202c\u202e\u2066\u2069")
        assert part.link.startswith("https://news.example.org/")
