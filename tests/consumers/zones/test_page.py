"""Pages, their markup and their summaries: only the article's own text is title, lead and body."""

import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

from consumers.zones.zoner import LIMIT, Passage
from daemon.messages.article import Zone
from tests.consumers.zones.pages import PROSE, ROOT, ZONER, divide, html, reasons
from tests.documents import article_page


def sample() -> str:
    item = ET.parse(ROOT / "seeds" / "sample-feed.xml").find("channel/item/description")  # noqa: S314 - our own file
    assert item is not None
    return item.text or ""


def as_paragraphs(text: str) -> str:
    """The same page as a site would mark it up: paragraphs, and the last list as a list."""
    parts = [part.strip() for part in text.split("\n") if part.strip()]
    entries = "".join(f"<li><a href='#'>{part[1:].strip()}</a></li>" for part in parts if part.startswith("•"))
    return "".join(f"<p>{part}</p>\n" for part in parts if not part.startswith("•")) + f"<ul>{entries}</ul>"


@pytest.mark.parametrize("source", [sample, article_page])
@pytest.mark.parametrize("form", ["text", "unbroken html", "html", "no blank lines"])
def test_the_page_is_cut_where_its_article_ends(source: Callable[[], str], form: str) -> None:
    """Of the page that drives this project the body is its own article; source, tags, story, notice and list are rest."""
    text = source()
    page = {
        "text": lambda: divide(text),
        "unbroken html": lambda: html(text),
        "html": lambda: html(as_paragraphs(text)),
        "no blank lines": lambda: divide("\n".join(filter(None, (line.strip() for line in text.splitlines())))),
    }[form]()
    assert page.body.split() == text[: text.index("المصدر:")].split()
    assert page.lead == page.title == ""
    assert reasons(page) == [
        ("body", "dateline"),
        ("body", "text"),
        ("rest", "source"),
        ("rest", "tags"),
        ("rest", "related"),
        ("rest", "player"),
        ("rest", "related"),
    ]
    assert all(name in page.body for name in ("ثابت العباسي", "أوستن", "وزير الدفاع"))
    assert all(name in page.rest and name not in page.body for name in ("نواف سلام", "جوزاف عون", "وزير الدفاع اليوناني"))


def test_sample_is_written_for_this_project() -> None:
    """The sample shares facts and names with the real page, never a run of six words but its date line and its notice."""
    quoted = ("8 غشت 2023 - 12:25 م بغداد", "آخر تحديث", "Your browser does not support the video tag.", "إقرأ أيضاً")
    ours, theirs = sample(), article_page()
    for phrase in quoted:
        ours = ours.replace(phrase, " § ")
    words, known = ours.split(), theirs.split()
    runs = {tuple(known[n : n + 6]) for n in range(len(known) - 5)}
    assert not [run for n in range(len(words) - 5) if (run := tuple(words[n : n + 6])) in runs]


@pytest.mark.parametrize(
    "looks", ["hidden", "style='display:none'", 'style="color:red; DISPLAY : none"', "style='visibility: hidden'"]
)
@pytest.mark.parametrize(("around", "tag"), [("p", "p"), ("p", "span"), ("div", "div"), ("b", "span")])
def test_what_html_hides_is_rest(looks: str, around: str, tag: str) -> None:
    """Readers do not see it, so nobody is alerted by it; it neither parts the sentence around it nor goes unrecorded."""
    inner = f"<{tag} {looks}><i>Planted</i> Name</{tag}>"
    page = html(f"<{around}>One sentence {inner if tag == 'span' else ''} goes on.</{around}>{'' if tag == 'span' else inner}")
    assert " ".join(page.body.split()) == "One sentence goes on."
    assert [page.text_of(block) for block in page.blocks if block.reason == "markup"] == ["Planted Name"]


def test_what_only_speaks_of_hiding_is_seen() -> None:
    """A page that hides something hides nothing else."""
    page = html("<p>The hidden = treasure, display:none</p><p hidden>Planted</p><p style='color:red'>Seen</p>")
    assert page.body == "The hidden = treasure, display:none\n\nSeen"


def test_links_in_a_row_are_rest() -> None:
    """Three paragraphs of nothing but links are other stories, wherever they stand; a link in a sentence is not."""
    links = "".join(f"<p><a href='/{n}'>Story number {n}</a></p>" for n in range(3))
    page = html(f"<p>{PROSE}</p>{links}<p>A <a href='/x'>linked</a> word. {PROSE}</p>")
    assert page.rest == "Story number 0\n\nStory number 1\n\nStory number 2"
    assert page.body == f"{PROSE}\n\nA linked word. {PROSE}"


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        ("nav", "markup"),
        ("aside", "markup"),
        ("footer", "markup"),
        ("form", "markup"),
        ("video", "player"),
        ("iframe", "player"),
    ],
)
def test_html_that_says_it_stands_beside_is_rest(markup: str, reason: str) -> None:
    """What the markup itself puts beside the article never is its body."""
    page = html(f"<p>{PROSE}</p><{markup}>Planted Name</{markup}><p>{PROSE}</p>")
    assert page.body == f"{PROSE}\n\n{PROSE}"
    assert [block.reason for block in page.blocks if block.zone is Zone.REST] in ([reason], [])


def test_scripts_and_styles_are_not_text() -> None:
    """Code in a feed's HTML is nobody's text."""
    page = html("<p>One</p><script>var planted;</script><style>p {color: red}</style><p>Two &amp; three<br>four</p>")
    assert page.body == "One\n\nTwo & three\nfour"


@pytest.mark.parametrize(
    ("summary", "lead"),
    [
        ("A summary of its own, which says it otherwise.", "A summary of its own, which says it otherwise."),
        (PROSE, ""),
        (PROSE[:80] + " […]", ""),
        (PROSE[:80].upper() + "...", ""),
        ("", ""),
    ],
)
def test_a_summary_that_repeats_the_content_is_no_lead(summary: str, lead: str) -> None:
    """A name told once must not count twice: only a summary of its own is a lead."""
    page = divide(PROSE, summary=summary)
    assert (page.lead, page.body) == (lead, PROSE)


def test_without_content_the_summary_is_the_body() -> None:
    """Feeds that give one text give it as summary or content, as they please."""
    page = ZONER.divide("Title", Passage(PROSE), Passage())
    assert (page.title, page.lead, page.body) == ("Title", "", PROSE)


def test_syndication_notes_of_a_summary_are_rest() -> None:
    """What a blog's software appends to every summary is not the lead."""
    page = divide(PROSE, summary="Own words.\nThe post A long title appeared first on Some Site.")
    assert page.lead == "Own words."
    assert reasons(page)[:2] == [("lead", "feed"), ("rest", "syndication")]


def test_a_text_beyond_the_limit_is_cut_and_says_so() -> None:
    """Nothing larger than the limit goes on, and the article tells that it was cut."""
    page = divide("ا" * LIMIT)
    assert len(page.body.encode()) <= LIMIT
    assert page.notes == ("text cut at 512 kB",)
