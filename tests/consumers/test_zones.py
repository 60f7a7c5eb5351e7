"""Zones: only the article's own text is title, lead and body; every block says why it stands where it stands."""

import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.zones.headings import Headings, load_headings
from consumers.zones.reasons import BlockReason
from consumers.zones.zoner import LIMIT, Passage, Zoned, Zoner
from daemon.errors import ConfigError
from daemon.messages.article import Zone

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "seed" / "article-page.txt"
ZONER = Zoner(load_headings())
PROSE = (
    "The ministry said on Monday that talks on the new road would go on for another week, and that both sides had agreed on "
    "most of what they had come for. A spokesman added that a date for the next meeting had not been set."
)


def divide(text: str, title: str = "", summary: str = "") -> Zoned:
    return ZONER.divide(title, Passage(summary), Passage(text))


def html(text: str) -> Zoned:
    return ZONER.divide("", Passage(), Passage(text, text))


def reasons(zoned: Zoned) -> list[tuple[str, str]]:
    return [(block.zone.value, block.reason) for block in zoned.blocks]


def sample() -> str:
    item = ET.parse(ROOT / "seeds" / "sample-feed.xml").find("channel/item/description")  # noqa: S314 - our own file
    assert item is not None
    return item.text or ""


def real() -> str:
    if not REAL.exists():
        pytest.skip(f"the real page is not at hand: {REAL.name} beside the repository")
    return REAL.read_text(encoding="utf-8")


def as_paragraphs(text: str) -> str:
    """The same page as a site would mark it up: paragraphs, and the last list as a list."""
    parts = [part.strip() for part in text.split("\n") if part.strip()]
    entries = "".join(f"<li><a href='#'>{part[1:].strip()}</a></li>" for part in parts if part.startswith("•"))
    return "".join(f"<p>{part}</p>\n" for part in parts if not part.startswith("•")) + f"<ul>{entries}</ul>"


@pytest.mark.parametrize("source", [sample, real])
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
    ours, theirs = sample(), real()
    for phrase in quoted:
        ours = ours.replace(phrase, " § ")
    words, known = ours.split(), theirs.split()
    runs = {tuple(known[n : n + 6]) for n in range(len(known) - 5)}
    assert not [run for n in range(len(words) - 5) if (run := tuple(words[n : n + 6])) in runs]


HEADINGS = {
    "ar": "اقرا ايضا",
    "fa": "بيشتر بخوانيد:",
    "he": "קראו גם",
    "tr": "İLGİLİ HABERLER",
    "ur": "یہ بھی پڑھیں:",
    "ku": "هەروەها بخوێنەوە",
    "ru": "Читайте также:",
    "uk": "ЧИТАЙТЕ ТАКОЖ",
    "en": "* Read also *",
    "fr": "A lire aussi :",
    "de": "Lesen Sie auch",
    "es": "Lea tambien:",
    "pt": "Leia também",
    "it": "Leggi anche:",
    "zh": "相关阅读：",
    "ja": "【関連記事】",
    "ko": "관련기사",
}


@pytest.mark.parametrize(("language", "heading"), HEADINGS.items())
def test_names_below_a_heading_are_rest_in_every_language(language: str, heading: str) -> None:
    """What a heading announces is rest, however it is spelled: hamzas, kinds of yeh, case, accents, colons, brackets."""
    for page in (
        divide(f"{PROSE}\n\n{heading}\n\n• Planted Name wins the election\n• Another one loses it"),
        divide(f"{PROSE}\n{heading}\nPlanted Name wins the election"),
        html(f"<p>{PROSE}</p><h3>{heading}</h3><ul><li><a href='/1'>Planted Name wins the election</a></li></ul>"),
    ):
        assert page.body == PROSE, language
        assert "Planted Name" in page.rest
        assert {block.reason for block in page.blocks if block.zone is Zone.REST} == {BlockReason.RELATED}


def test_every_language_has_its_headings() -> None:
    """The data file speaks the languages the design names."""
    text = (ROOT / "consumers" / "zones" / "headings.yaml").read_text(encoding="utf-8")
    assert all(f"\n  {language}: [" in text for language in HEADINGS)


@pytest.mark.parametrize(
    "sentence",
    [
        "Read also what the treaty says before you sign it, the minister told reporters on his way out of the talks.",
        "He said that people should read also: the letters, the speeches and the notes that came with the treaty itself.",
        "وقال الوزير إن على الطلاب أن يتعلموا كيف اقرأ أيضا ما بين السطور في كل ما يصل إليهم من نصوص قديمة.",
        "Sources close to the minister said on Monday that Planted Name would travel to the capital within the week.",
        "Related to this, the court ruled that the sale was void.",
    ],
)
def test_a_heading_inside_a_sentence_is_the_article(sentence: str) -> None:
    """Words that announce other stories do so only as a line of their own or before a colon at its beginning."""
    page = divide(f"{PROSE}\n\n{sentence}\n\n{PROSE}")
    assert page.rest == ""
    assert sentence in page.body


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (f"{PROSE}\n\nRead also: Planted Name resigns\n\n{PROSE}", "Read also: Planted Name resigns"),
        (f"{PROSE}\n\nRead also\n• Planted Name resigns\n\n{PROSE}", "Read also\n• Planted Name resigns"),
        (f"{PROSE}\n\nTags: one, two\n\n{PROSE}", "Tags: one, two"),
        (f"{PROSE}\n\nTags\none\ntwo\n\n{PROSE}", "Tags\none\ntwo"),
        (f"{PROSE}\n\nSource\nThe Daily\n\n{PROSE}", "Source\nThe Daily"),
        (f"{PROSE}\n\nWe use cookies to make this site work.\n\n{PROSE}", "We use cookies to make this site work."),
    ],
)
def test_an_article_goes_on_behind_what_stands_in_its_middle(text: str, rest: str) -> None:
    """A heading with its text, a closed list and a notice cut out their own lines, not the remainder."""
    page = divide(text)
    assert page.rest == rest
    assert page.body == f"{PROSE}\n\n{PROSE}"


@pytest.mark.parametrize(
    ("text", "in_rest"),
    [
        (f"{PROSE}\n\n• First story of the day here\n• Second story of the day here\n• Third story of the day here", True),
        (f"{PROSE}\n\n• First story of the day here\n• Second story of the day here", False),
        (f"{PROSE}\n\nFirst flash of the day here\nSecond flash of the day here\nThird flash of the day here", False),
        (f"{PROSE}\n\n• First point of the deal\n• Second point of the deal\n• Third point of it\n\nTalks go on.", False),
        (
            f"{PROSE}\n\nWho comes:\n• One minister of a state\n• Two of the second one\n• Three of the third",
            False,
        ),
        (f"{PROSE}\n\n• First point of the deal here\n• Second point of it here\n• Third point of it here\n\n{PROSE}", False),
        ("First story of the day here\nSecond story of the day here\nThird story of the day here", False),
    ],
)
def test_headlines_in_a_list_behind_the_last_sentence_are_rest(text: str, in_rest: bool) -> None:  # noqa: FBT001 - a table
    """A list of headlines at the end is furniture; within the article, introduced by it, or without bullets it is its own."""
    assert bool(divide(text).rest) is in_rest


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("#Planted_Name #talks #road", "tags"),
        ("© 2024 Planted News Agency. All rights reserved.", "syndication"),
        ("(c) 2024 Planted News", "syndication"),
        ("Copyright 2024 Planted News", "syndication"),
        ("(Reporting by Planted Name; editing by Another One)", "syndication"),
        ("Share on Facebook", "share"),
        ("تابعونا على تلغرام", "share"),
        ("عذراً، متصفحك لا يدعم تشغيل الفيديو", "player"),
        ("（责任编辑：陈雅雯）", "source"),
    ],
)
def test_a_line_that_says_what_it_is_takes_itself_only(line: str, reason: str) -> None:
    """Tag lines, rights, credits and notices are rest wherever they stand; the article goes on behind them."""
    page = divide(f"{PROSE}\n\n{line}\n\n{PROSE}")
    assert (page.rest, page.body) == (line, f"{PROSE}\n\n{PROSE}")
    assert ("rest", reason) in reasons(page)


@pytest.mark.parametrize(
    "line",
    [
        "#Planted_Name meets the #minister on Monday",
        "#Planted_Name",
        "Share on Monday rose by a tenth, the exchange said.",
        "شارك على هامش المؤتمر وزير الخارجية في اجتماع مغلق.",
        "Copyright law was changed on Monday.",
    ],
)
def test_a_line_with_such_words_in_it_is_the_article(line: str) -> None:
    """A hashtag in a sentence, or a sentence that opens like a notice, is the article's."""
    assert divide(f"{PROSE}\n\n{line}\n\n{PROSE}").rest == ""


def test_hashtags_before_the_article_are_its_own() -> None:
    """Short messages name their matter in front: only behind the article they are a tag list."""
    assert divide(f"#Planted_Name #urgent\n{PROSE}").rest == ""


STORIES = "Planted Name named ambassador Fire closes port for a day"


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        (f"{PROSE} Read also: {STORIES}", f"Read also: {STORIES}"),
        (f"{PROSE} إقرأ أيضاً: {STORIES}", f"إقرأ أيضاً: {STORIES}"),
        (f"{PROSE} Read also: {STORIES}.", ""),
        (f"{PROSE} Read also {STORIES}", ""),
        (f"{PROSE} Pupils should read also: {STORIES}", ""),
        (f"{PROSE} The letter said this, and more news: {STORIES}", ""),
        (f"{PROSE} Read also: {STORIES}. {PROSE}", ""),
        (f"{PROSE} Read also: {STORIES * 8}", ""),
    ],
)
def test_stories_announced_on_the_articles_own_line(line: str, rest: str) -> None:
    """Behind a sentence, a phrase with its colon and headlines to the line's end are rest; if one is missing, nothing is."""
    page = divide(line)
    assert page.rest == rest
    assert page.body == line.removesuffix(rest).rstrip()


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


ATTACKS = {
    "colons": ":" * 1_000_000,
    "headings": "Read also\n" * 100_000,
    "marked headings": "• Read also\n" * 90_000,
    "tags": "Tags\nx\n" * 140_000,
    "blanks": "a" + " " * 999_998 + "b",
    "dots": ". " * 500_000,
    "short lines": "x\n" * 500_000,
    "quotes": '."' * 500_000,
    "decomposed": "e\u0301 " * 330_000,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_megabyte_takes_no_longer_than_its_length(name: str) -> None:
    """No text makes it super-linear: 1 MB in seconds where 5 kB take a fraction of a millisecond (CPU time, ample)."""
    start = time.process_time()
    ZONER.divide("t", Passage(ATTACKS[name][:10_000]), Passage(ATTACKS[name]))
    assert time.process_time() - start < 8


@pytest.mark.parametrize(
    "page", ["<div>" * 100_000, "<li><a>x</a>" * 50_000, "<p>x" * 100_000, "<b i={}>" * 9_000, "<" * 100_000, "&" * 100_000]
)
def test_a_megabyte_of_html_takes_no_longer_than_its_length(page: str) -> None:
    """Neither does HTML, however deep."""
    start = time.process_time()
    html(page)
    assert time.process_time() - start < 8


LINES = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(
            [*HEADINGS.values(), PROSE, "", "• A headline of a few words", "Tags: a, b", "المصدر: شبكة", "Comments"]
        ),
    ),
    max_size=14,
).map("\n".join)


def _holds(page: Zoned) -> None:
    for zone in Zone:
        own = [block for block in page.blocks if block.zone is zone]
        assert getattr(page, zone.value) == "\n\n".join(page.text_of(block) for block in own)
        assert all(block.end > block.start for block in own)
        assert all(one.end + 2 == other.start for one, other in pairwise(own))


@settings(max_examples=150, deadline=None)
@given(text=LINES)
def test_blocks_cut_out_their_zones_and_nothing_is_lost(text: str) -> None:
    """A zone is its blocks joined by a blank line, and every letter of the text stands in some zone, in its order there."""
    page = divide(text)
    _holds(page)
    assert sorted(filter(str.isalnum, text)) == sorted(filter(str.isalnum, page.body + page.rest))
    assert "".join(filter(str.isalnum, text)) == "".join(
        character for block in page.blocks for character in page.text_of(block) if character.isalnum()
    )


@settings(max_examples=80, deadline=None)
@given(title=st.text(max_size=40), summary=LINES, content=LINES, markup=st.booleans())
def test_no_text_crashes_it(title: str, summary: str, content: str, markup: bool) -> None:  # noqa: FBT001 - drawn
    """Any strings, as text or as HTML, have zones that can be encoded."""
    page = ZONER.divide(title, Passage(summary, summary if markup else ""), Passage(content, content if markup else ""))
    _holds(page)
    (page.title + page.lead + page.body + page.rest).encode()


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="<>/abdipluvnr \n'=\"&;!-", max_size=120))
def test_no_html_crashes_it(markup: str) -> None:
    """Broken markup has zones too."""
    _holds(html(markup))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("relatd: {en: [read also]}", "relatd"),
        ("related: {en: read also}", "related.en"),
        ("related: {en: ['…appeared first']}", "before “…”"),
        ("related: {en: [':']}", "needs a letter"),
    ],
)
def test_a_mistake_in_the_phrases_is_named(tmp_path: Path, text: str, said: str) -> None:
    """People extend the file: what is wrong in it is refused with its place, never swallowed."""
    file = tmp_path / "headings.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"headings\.yaml") as refused:
        load_headings(file)
    assert said in str(refused.value)


def test_phrases_can_be_added() -> None:
    """A phrase of one's own is enough; its language does not matter."""
    zoner = Zoner(Headings([("Und ferner", BlockReason.RELATED)]))
    page = zoner.divide("", Passage(), Passage(f"{PROSE}\n\nUND FERNER\nPlanted Name"))
    assert page.rest == "UND FERNER\nPlanted Name"
