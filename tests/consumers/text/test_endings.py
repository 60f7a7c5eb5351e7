"""Other forms of names known by their base form: which are made, where they are found, and that people can switch them off."""

from pathlib import Path

import pytest

from consumers.text.endings import MOST_FORMS, default_languages, inflected, languages, load_languages
from consumers.text.fold import fold_key
from daemon.errors import ConfigError
from tests.consumers.articles import article, judged


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        (
            "Владимир Путин",
            "встретил Владимира Путина с Владимиром Путиным",
            [("Владимира Путина", "а"), ("Владимиром Путиным", "ым")],
        ),
        ("Владимир Зеленский", "о Владимире Зеленском", [("Владимире Зеленском", "ом")]),
        ("Павел Дуров", "задержали Павла Дурова", [("Павла Дурова", "а")]),
        ("Лев Толстой", "роман Льва Толстого", [("Льва Толстого", "го")]),
        ("Ангела Меркель", "с Ангелой Меркель", [("Ангелой Меркель", "")]),
        ("Мария Захарова", "сказала Марии Захаровой", [("Марии Захаровой", "ой")]),
        ("Ким Чен Ын", "встреча с Ким Чен Ыном", [("Ким Чен Ыном", "ом")]),
        ("Башар аль-Асад", "Башару аль-Асаду", [("Башару аль-Асаду", "у")]),
        ("Зеленський", "Зеленського, Зеленському", [("Зеленського", "ого"), ("Зеленському", "ому")]),
        ("Київ", "у Києві", []),
        ("Wołodymyr Zełenski", "Wołodymyra Zełenskiego", [("Wołodymyra Zełenskiego", "ego")]),
        ("Роман Старовойт", "читал романа старовойта", []),
        ("Роман", "нет Романа", [("Романа", "а")]),
        ("Роман", "глава романа", []),
        ("Буш", "Буша", []),
    ],
)
def test_forms_in_texts(name: str, text: str, found: list[tuple[str, str]]) -> None:
    """All words change in one case, as a reader would highlight them; the ending is named; a small letter is another word."""
    judgement = judged(f"actors: [[{name}]]", article(text))
    assert [(hit.surface, hit.suffix) for hit in judgement.hits] == found


@pytest.mark.parametrize(
    ("names", "text", "found"),
    [
        ("{pl: Andrzej Duda}", "z Andrzejem Dudą", True),
        ("{cs: Petr Fiala}", "vládu Petra Fialy", True),
        ("{fi: Sanna Marin}", "Sanna Marinin hallitus", True),
        ("{de: Angela Merkel}", "Angela Merkels Politik", True),
        ("Andrzej Duda", "z Andrzejem Dudą", False),
        ("{en: Владимир Путин}", "Владимира Путина", False),
        ("[{name: Владимир Путин, inflect: false}]", "Владимира Путина", False),
        ("[{name: Andrzej Duda, inflect: [pl]}]", "Andrzeja Dudy", True),
        ("[{name: İstanbul, inflect: false}]", "İstanbul'da", True),
    ],
)
def test_languages_of_a_name(names: str, text: str, *, found: bool) -> None:
    """Endings are those of the language that is said, else of the name's own letters; `inflect` switches them."""
    assert bool(judged(f"actors: [{{names: {names}}}]", article(text)).hits) is found


@pytest.mark.parametrize(
    ("names", "text", "found"),
    [
        ("Толстая", "роман Толстой", False),
        ("Толстая", "позвали Толстую", True),
        ("Татьяна Толстая", "роман Татьяны Толстой", True),
        ("{ru: Толстая}", "роман Толстой", True),
        ("Валера", "стихи Поля Валери", False),
        ("{uk: Валера}", "від Валери", True),
    ],
)
def test_forms_that_are_other_names(names: str, text: str, *, found: bool) -> None:
    """A form that is another's base form is made of a name of one word only where its language is said."""
    assert bool(judged(f"actors: [{{names: {names}}}]", article(text)).hits) is found


def test_an_actor_says_it_for_all_its_names() -> None:
    """`inflect` of an actor holds for its names, but where a name says otherwise."""
    watchlist = "actors: [{names: [Павел Дуров, {name: Лев Толстой, inflect: true}], inflect: false}]"
    judgement = judged(watchlist, article("Павла Дурова и Льва Толстого"))
    assert [hit.surface for hit in judgement.hits] == ["Льва Толстого"]


def test_an_unknown_language_is_refused() -> None:
    """A language without endings is an error that names those there are."""
    with pytest.raises(ConfigError, match="ru, uk"):
        judged("actors: [{names: Путин, inflect: [xx]}]", article("a"))


@pytest.mark.parametrize("name", ["Андрей " * 12, "а", "ь й", "Ян " * 40])
def test_forms_are_bounded(name: str) -> None:
    """However long a name, it has so many forms and no more, each other than itself."""
    key = fold_key(name)
    forms = inflected(key, languages())
    assert len(forms) <= MOST_FORMS * len(languages())
    assert key not in forms


def test_languages_by_letters() -> None:
    """A letter of one language only decides; Cyrillic without one is looked for in two; plain Latin in none."""
    assert default_languages("Зеленський Володимир") == ("ru", "uk")
    assert default_languages("Порошенко Їжак") == ("uk",)
    assert default_languages("Крым") == ("ru",)
    assert default_languages("Wałęsa") == ("pl",)
    assert default_languages("Lloyd Austin") == ()
    assert default_languages("Lloyd", "xx") == ()


@pytest.mark.parametrize(
    "text", ["ru: {words: all, rows: {}}", "ru: {words: each, rows: {'[а': б}}", "ru: {words: each, rows: {а: 1}}"]
)
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    """A file of endings that cannot be read is an error that names it."""
    file = tmp_path / "endings.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"endings\.yaml"):
        load_languages(file)
