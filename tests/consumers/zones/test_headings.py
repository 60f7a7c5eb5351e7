"""Headings, lists and notices: what announces other stories is rest, and every block says why it stands where it stands."""

from pathlib import Path

import pytest

from consumers.zones.headings import Headings, load_headings
from consumers.zones.reasons import BlockReason
from consumers.zones.zoner import Passage, Zoner
from daemon.errors import ConfigError
from daemon.messages.article import Zone
from tests.consumers.zones.pages import HEADINGS, PROSE, ROOT, divide, html, reasons


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
