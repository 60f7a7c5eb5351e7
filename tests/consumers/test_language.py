"""Languages: guessed from the text, with the feed's word for texts that say little."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.text.language import Languages, Prior, primary

LANGUAGES = Languages()


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("العباسي في واشنطن: جلسة افتتاح لحوار أمني مع أوستن", "ar"),
        ("وزیر دفاع عراق با همتای آمریکایی خود دیدار و گفتگو کرد", "fa"),
        ("وزیر دفاع کل شام لاہور پہنچ گئے اور اجلاس میں شرکت کی", "ur"),
        ("وەزیری بەرگری عێراق گەیشتە واشنتن بۆ گفتوگۆ", "ku"),
        ("שר הביטחון נפגש עם עמיתו האמריקני בוושינגטון", "he"),
        ("Министр обороны прибыл в Вашингтон на переговоры", "ru"),
        ("Міністр оборони прибув до Вашингтона на переговори", "uk"),
        ("Savunma bakanı görüşmeler için Washington'a gitti", "tr"),
        ("The defence minister travelled to Washington for talks", "en"),
        ("Le ministre de la défense est arrivé à Washington pour des entretiens", "fr"),
        ("国防部长星期二抵达华盛顿会见美国同行", "zh"),
        ("防衛相は火曜日にワシントンで会談した", "ja"),
        ("국방장관이 화요일 워싱턴에 도착해 회담했다", "ko"),
    ],
)
@pytest.mark.parametrize("said", ["", "de"])
def test_a_sentence_tells_its_language(text: str, tag: str, said: str) -> None:
    """A sentence is believed rather than a feed that says otherwise."""
    found = LANGUAGES.guess(text, Prior(said, "feed" if said else ""))
    assert (found.tag, found.source) == (tag, "text")


@pytest.mark.parametrize(
    ("text", "said", "tag", "source"),
    [
        ("Ein Test", "nl", "nl", "feed"),
        ("وزير الدفاع", "fa-IR", "fa", "feed"),
        ("Министр", "bg", "bg", "feed"),
        ("Министр обороны прибыл в Вашингтон", "en", "ru", "text"),
        ("Министр", "en", "", "text"),
        ("防衛相が訪米", "zh", "ja", "text"),
        ("2023 - 12:25", "ar", "ar", "feed"),
        ("", "he", "he", "feed"),
        ("", "", "", ""),
        ("…", "und", "", ""),
    ],
)
def test_little_text_is_taken_for_the_feeds_language(text: str, said: str, tag: str, source: str) -> None:
    """Under four words, or where two languages are close, the feed is believed, if the letters are of its script."""
    found = LANGUAGES.guess(text, Prior(said, "feed"))
    if tag:
        assert found.tag == tag
    assert found.tag != "en"
    assert found.source in (source, "text")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("ar-IQ", "ar"),
        ("en_US", "en"),
        ("iw", "he"),
        ("ckb", "ku"),
        ("zh-Hant-TW", "zh"),
        ("und", ""),
        ("", ""),
        ("english", ""),
        ("x1", ""),
    ],
)
def test_tags_are_brought_to_one_form(tag: str, expected: str) -> None:
    """Feeds write tags in many ways; one language has one tag."""
    assert primary(tag) == expected


def test_threads_share_the_model() -> None:
    """The model is loaded once, whoever asks first, and guessing in threads gives what one thread gives."""
    languages = Languages()
    texts = ["The minister travelled to Washington for talks", "Министр прибыл в Вашингтон на переговоры"] * 8
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: languages.guess(text, Prior()).tag, texts))
    assert found == ["en", "ru"] * 8


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80), st.text(max_size=6))
def test_no_text_crashes_it(text: str, said: str) -> None:
    """Any text and any tag give a language with a confidence from 0 to 1, and where it is from."""
    found = LANGUAGES.guess(text, Prior(said, "feed"))
    assert 0 <= found.confidence <= 1
    assert found.source in ("text", "feed") if found.tag else not found.source
