"""Where names begin and end, by script: through the whole matcher, on both automata."""

import pytest

from consumers.automaton import ENGINES
from tests.consumers.articles import article, judged, surfaces

NAMES = [
    # script, name, text, what is found: clitic and surface
    ("latin", "Lloyd Austin", "said LLOYD  AUSTIN.", [("", "LLOYD  AUSTIN")]),
    ("latin", "Austin", "Austins and Austin's", [("", "Austin")]),
    ("latin", "al-Qa'ida", "of Al-Qa’ida, alqaida", [("", "Al-Qa’ida")]),
    ("latin", "Müller", "Muller, Müllers", [("", "Muller")]),
    ("cyrillic", "Зеленский", "Зеленский. Зеленских", [("", "Зеленский")]),
    ("arabic", "ثابت العباسي", "وبثابت العباسي ثم لثابت العباسيين", [("وب", "ثابت العباسي")]),
    (
        "arabic",
        "العراق",
        "العراق للعراق وللعراق بالعراق عراق",
        [("", "العراق"), ("ل", "لعراق"), ("ول", "لعراق"), ("ب", "العراق")],
    ),
    ("arabic", "اللجنة العليا", "للجنة العليا", [("ل", "لجنة العليا")]),
    ("arabic", "سلام نواف", "سلام نواف والسلام نواف سسلام نواف", [("", "سلام نواف")]),
    ("arabic", "محمد", "سمحمد المحمد محمدا أمحمد", []),
    ("arabic", "عون", "عون وعون بعون فعون العون", [("", "عون"), ("و", "عون")]),
    ("arabic", "ثَابت", "ثابتٌ.", [("", "ثابتٌ")]),
    ("persian", "ایران‌خودرو", "ایرانخودرو", [("", "ایرانخودرو")]),
    ("hebrew", "נתניהו", "ונתניהו שלנתניהו ולנתניהו אנתניהו", [("ו", "נתניהו"), ("של", "נתניהו"), ("ול", "נתניהו")]),
    ("hebrew", "גנץ", "גנץ וגנץ", [("", "גנץ")]),
    ("han", "中国", "在中国的IBM", [("", "中国")]),
    ("han", "G7", "日本はG7の", [("", "G7")]),
    ("katakana", "イラン", "イランの イランド チイラン", [("", "イラン")]),
    ("thai", "กรุง", "กรุงเทพ กรุ้ง", [("", "กรุง")]),
    ("thai", "ทัก", "ทักษิณ ทัก์", [("", "ทัก")]),
    ("mixed", "アップルTV", "新アップルTVを アップルTVs", [("", "アップルTV")]),
]
WORDS = [
    ("وزير", "الوزير بالوزير وللوزير وزير سوزير", [("ال", "وزير"), ("بال", "وزير"), ("ولل", "وزير"), ("", "وزير")]),
    ("نفط", "النفط بالنفط بنفط", [("ال", "نفط"), ("بال", "نفط")]),
    ("لجنة", "للجنة اللجنة", [("ل", "لجنة"), ("ال", "لجنة")]),
    ("Iraq*", "Iraq Iraqi Iraqis' Iran", [("", "Iraq"), ("", "Iraqi"), ("", "Iraqis")]),
    ("عراق*", "العراقيون", [("ال", "عراقيون")]),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("script", "name", "text", "found"), NAMES)
def test_names(script: str, name: str, text: str, found: list[tuple[str, str]], engine: str) -> None:
    """A name is found with its script's clitics and never inside another word; the clitic is named, not highlighted."""
    assert surfaces(judged(f'actors: [["{name}"]]', article(text), engine)) == found


@pytest.mark.parametrize(("term", "text", "found"), WORDS)
def test_terms(term: str, text: str, found: list[tuple[str, str]]) -> None:
    """A rule's term may carry the Arabic article and its fusions too, and any ending after `*`."""
    assert surfaces(judged(f'keywords: ["{term}"]', article(text))) == found


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("=May", "may May MAY", ["May"]),
        ("^May", "may May MAY Máy", ["May", "Máy"]),
        ('="وزير"', "الوزير وزير وزيرٌ", ["وزير"]),
        ("=علي", "على علي", ["علي"]),
    ],
)
def test_exact_and_cased_terms(query: str, text: str, found: list[str]) -> None:
    """`=` asks for the very letters and no clitic, `^` for the capitals."""
    judgement = judged(f"rules: [{{where: '{query}'}}]", article(text))
    assert [hit.surface for hit in judgement.hits] == found


@pytest.mark.parametrize(
    ("alias", "text", "found"),
    [
        ("علي", "على", False),
        ("علي", "وعلي", True),
        ("علي", "علی", True),
        ("{name: علي, loose: true}", "على", True),
        ("فاطمة", "فاطمه", False),
        ("رائد", "رايد", False),
        ("أحمد", "احمد", True),
        ("علي حسن", "على حسن", True),
    ],
)
def test_spelling_of_one_word_names(alias: str, text: str, *, found: bool) -> None:
    """What only folding makes equal is a near miss for a name of one word, unless the alias is loose."""
    judgement = judged(f"actors: [[{alias}]]", article(text))
    assert bool(judgement.hits) is found
    assert [miss.reason for miss in judgement.near_misses] == ([] if found else ["spelling"])
