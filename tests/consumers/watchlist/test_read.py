"""Watchlist files: every form, and every mistake with its place."""

from pathlib import Path
from textwrap import dedent

import pytest

from consumers.ruletests import check_watchlists
from consumers.watchlist.read import parse_watchlist, read_watchlists
from daemon.errors import ConfigError
from daemon.messages.match import Severity, Stage
from tests.consumers.articles import desk

FULL = """
    time_zone: Asia/Baghdad
    defaults: {severity: high, notify: [iraq-slack, iraq-mail]}
    actors:
      - [ثابت العباسي, Thabet al-Abbasi]
      - علي
      - id: iq-mod
        kind: organisation
        names: {ar: [وزارة الدفاع, {name: الوزارة, loose: true}], en: Ministry of Defence}
        severity: low
        notify: screen
        alert: false
        require_near: {any: [العراق, Iraq*]}
        not_in: [وزارة الدفاع الأمريكية]
    keywords:
      - البنتاغون
      - {id: any-all, any: [a, b], all: [c], none: [d], stage: shadow}
    rules:
      - id: r
        name: A rule
        where: '"وزير الدفاع" NEAR/8 أمريكي'
        unless: 'source:example.org'
        zones: [title]
        tests:
          - match: {title: "وزير الدفاع الأمريكي"}
          - miss: "وزير"
"""


def problems(text: str, folder: Path | None = None) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        parse_watchlist(dedent(text), str((folder or Path()) / "w.yaml"))
    return [str(problem) for problem in refused.value.problems]


def test_all_forms() -> None:
    """Short and full forms, names in every shape, defaults, keywords and rules are read; ids are made where none is given."""
    read = desk(FULL)
    assert (read.name, read.time_zone, read.version[:7]) == ("d", "Asia/Baghdad", "sha256:")
    assert [actor.id for actor in read.actors] == ["thabet-al-abbasi", "aly", "iq-mod"]
    first, _, ministry = read.actors
    assert (first.name, first.severity, first.notify, first.alert) == (
        "Thabet al-Abbasi",
        Severity.HIGH,
        ("iraq-slack", "iraq-mail"),
        True,
    )
    assert (ministry.severity, ministry.notify, ministry.alert) == (Severity.LOW, ("screen",), False)
    assert [alias.text for alias in ministry.aliases] == ["وزارة الدفاع", "الوزارة", "Ministry of Defence"]
    assert ministry.require_near is not None
    assert ministry.require_near.within == 15
    assert [(rule.id, rule.name, rule.stage) for rule in read.rules] == [
        ("albntaghwn", "البنتاغون", Stage.LIVE),
        ("any-all", "any-all", Stage.SHADOW),
        ("r", "A rule", Stage.LIVE),
    ]
    assert check_watchlists([read]) == []


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("desk: d\nactors:\n  - [a، b]", "w.yaml:3:6: actors[0][0]", "Arabic comma"),
        ("desk: d\nactors:\n  - {names: {ar: [x, true]}}", "w.yaml:3:22: actors[0].names.ar[1]", "put quotes round it"),
        ("desk: d\nactors:\n  - {names: 2024}", "w.yaml:3:6: actors[0].names", "put quotes round it"),
        ("desk: d\nactors:\n  - [a, ]\n  - []", "w.yaml:4:5: actors[1]", "at least one"),
        ("desk: d\nactors: [['...']]", "w.yaml:2:11: actors[0][0]", "no letter or digit"),
        ("desk: d\nactors: [['Iraq*']]", "w.yaml:2:11: actors[0][0]", "* has no meaning in a name"),
        ("desk: d\nactors: [{names: a, not_built: 1}]", "w.yaml:2:21: actors[0].not_built", "unknown key"),
        ("desk: d\nactors: [{names: a, id: 'x y'}]", "w.yaml:2:21: actors[0].id", "must be Latin letters"),
        ("desk: d\nactors: [{names: a, severity: huge}]", "w.yaml:2:21: actors[0].severity", "'high'"),
        ("desk: d\nrules:\n  - where: a b", "w.yaml:3:5: rules[0].where", "column 3 of the query"),
        ("desk: d\nrules: [{where: '“a”'}]", "w.yaml:2:10: rules[0].where", "straight quotes"),
        ("desk: d\nrules: [{where: a, any: [b]}]", "w.yaml:2:9: rules[0]", "not both"),
        ("desk: d\nrules: [{none: [b]}]", "w.yaml:2:9: rules[0]", "something that must be found"),
        ("desk: d\nrules: [{any: b, tests: [{hit: x}]}]", "w.yaml:2:27: rules[0].tests[0].hit", "unknown key"),
        ("desk: d\nrules: [{any: b, zones: []}]", "w.yaml:2:18: rules[0].zones", "at least one"),
        ("desk: d\nrules: [{id: r, where: 'actor:mod'}]", "w.yaml:2:9: rules[0]", "no actor of this desk"),
        ("desk: d\nrules: [{id: r, where: 'list:x.csv'}]", "w.yaml:2:9: rules[0]", "no file of this desk"),
        ("desk: d\nkeywords: ['ab*']", "w.yaml:2:12: keywords[0]", "at least 3 letters"),
        ("desk: d\ntime_zone: Iraq/Baghdad", "w.yaml:2:1: time_zone", "Asia/Baghdad"),
        ("desk: d\nactors: [{id: x, names: a}, {id: x, names: b}]", "w.yaml:2:29: actors[1]", "also in w.yaml:2"),
        ("desk: d\nrules: [{id: x, any: a}, {id: x, any: b}]", "w.yaml:2:26: rules[1]", "also in w.yaml:2"),
        ("actors: []", "w.yaml", "'desk' is missing"),
        ("just words", "w.yaml:1", "begin with `desk: NAME`"),
        ("desk: d\nactors: [{file: none.csv}]", "none.csv", "cannot be read"),
    ],
)
def test_mistakes(text: str, place: str, reason: str) -> None:
    """Each mistake is told with file, line, key and reason."""
    (said,) = problems(text)
    assert said.startswith(place)
    assert reason in said


def test_a_key_in_the_wrong_section() -> None:
    """A key that is known elsewhere is sent there; it is not said to be like itself."""
    assert problems("desk: d\nnotify: [screen]") == ["w.yaml:2:1: notify: unknown key here; it belongs under 'defaults'"]


def test_receivers_are_known_with_their_places() -> None:
    """Wherever a receiver is named, so that one that does not exist can be told there."""
    text = """
    - desk: d
      defaults: {notify: a}
      actors:
        - X
        - {names: Y, notify: [b, c]}
      keywords: [{any: Z, notify: d}]
      rules:
        - {where: z, notify: e}
    """
    (read,) = parse_watchlist(dedent(text), "w.yaml")
    assert [(name, place.line, place.key) for name, place in read.notified] == [
        ("a", 3, "[0].defaults.notify"),
        ("b", 6, "[0].actors[1].notify"),
        ("c", 6, "[0].actors[1].notify"),
        ("d", 7, "[0].keywords[0].notify"),
        ("e", 9, "[0].rules[0].notify"),
    ]


def test_all_mistakes_at_once() -> None:
    """One reading tells every mistake of every file."""
    assert len(problems("desk: d\nactors: [[a، b], ['...']]\nrules: [{where: a b}]")) == 3


def test_two_actors_with_one_id_in_two_files(tmp_path: Path) -> None:
    """An id that stands in two files of a desk is refused, naming both; another desk may have it."""
    (tmp_path / "one.yaml").write_text("desk: d\nactors: [{id: x, names: a}]", "utf-8")
    (tmp_path / "two.yaml").write_text(
        "- {desk: e, actors: [{id: x, names: a}]}\n- {desk: d, actors: [{id: x, names: b}]}", "utf-8"
    )
    with pytest.raises(ConfigError) as refused:
        read_watchlists(["*.yaml"], tmp_path, {})
    (problem,) = refused.value.problems
    assert (problem.file, problem.line) == (str(tmp_path / "two.yaml"), 2)
    assert f"{tmp_path / 'one.yaml'}:2" in problem.reason


def test_a_desk_spread_over_files(tmp_path: Path) -> None:
    """Files of one desk unite, each with its own defaults; made ids step aside for given ones; the version covers all."""
    (tmp_path / "one.yaml").write_text("desk: d\ndefaults: {severity: low}\nactors: [[Lloyd Austin]]", "utf-8")
    (tmp_path / "two.yaml").write_text("desk: d\nactors: [{id: lloyd-austin, names: b}, [Lloyd, Austin]]", "utf-8")
    (read,) = read_watchlists(["one.yaml", "*.yaml"], tmp_path, {})
    assert [(actor.id, actor.severity) for actor in read.actors] == [
        ("lloyd-austin-2", Severity.LOW),
        ("lloyd-austin", Severity.NORMAL),
        ("lloyd", Severity.NORMAL),
    ]
    (tmp_path / "two.yaml").write_text("desk: d\nactors: [[b]]", "utf-8")
    assert read_watchlists(["*.yaml"], tmp_path, {})[0].version != read.version


def test_pattern_without_files(tmp_path: Path) -> None:
    """A pattern that names nothing is a mistake: silently watching nobody is worse."""
    with pytest.raises(ConfigError, match="no watchlist file is there"):
        read_watchlists(["nothing/*.yaml"], tmp_path, {})


def test_dangerous_names_are_warned_about() -> None:
    """Names of one letter and stop words are kept, and said once, with their number; علي is none, على is."""
    read = desk("actors: [[A, the, Someone], [علي], [على]]")
    assert [len(actor.aliases) for actor in read.actors] == [3, 1, 1]
    said = [str(warning) for warning in read.warnings]
    assert len(said) == 2
    assert "1 word is of one letter and will be found everywhere: A" in said[0]
    assert "2 words are among the commonest" in said[1]
    assert all(warning.startswith("desk.yaml:2:") for warning in said)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("keywords: [the]", "1 word is among the commonest of a language and will be found everywhere: the"),
        ("keywords: ['C++']", "1 word is of one letter and will be found everywhere: C++ (compared as 'c')"),
        ("rules: [{any: [A, B]}]", "2 words are of one letter and will be found everywhere: A, B"),
        ("rules: [{where: 'war AND c'}]", "1 word is of one letter and will be found everywhere: c"),
        ("rules: [{where: war, unless: the}]", "1 word is among the commonest of a language and will be found everywhere: the"),
    ],
)
def test_dangerous_terms_are_warned_about(rules: str, said: str) -> None:
    """The terms of keywords and rules like the names of actors, in the form in which they are compared."""
    assert [warning.reason for warning in desk(rules).warnings] == [said]


LISTS = [
    ("names.csv", "id,kind,lang,name\nta,person,ar,ثابت العباسي\nta,person,en,Thabet al-Abbasi\n,,en,Lloyd Austin\n"),
    ("names.csv", "\ufeffid;kind;lang;name\r\nta;person;ar;ثابت العباسي\r\nta;;en;Thabet al-Abbasi\r\n;;en;Lloyd Austin\r\n"),
    ("names.csv", "ta,person,ar,ثابت العباسي\nta,person,en,Thabet al-Abbasi\n,,en,Lloyd Austin\n"),
    ("names.csv", 'name,id\n"ثابت العباسي",ta\nThabet al-Abbasi,ta\n\nLloyd Austin,\n'),
    ("names.jsonl", '{"id":"ta","name":"ثابت العباسي"}\n{"id":"ta","name":"Thabet al-Abbasi"}\n{"name":"Lloyd Austin"}\n'),
]


@pytest.mark.parametrize(("name", "content"), LISTS)
def test_lists(name: str, content: str, tmp_path: Path) -> None:
    """CSV as people and spreadsheets save it, and JSON lines; rows of one id form one actor, found by `list:` too."""
    (tmp_path / name).write_text(content, "utf-8", newline="")
    text = (
        f"desk: d\ndefaults: {{severity: high}}\nactors: [{{file: {name}}}]\nrules: [{{id: r, where: 'list:{name} AND war'}}]"
    )
    (read,) = parse_watchlist(text, str(tmp_path / "w.yaml"))
    assert [(actor.id, len(actor.aliases), actor.severity) for actor in read.actors] == [
        ("ta", 2, Severity.HIGH),
        ("lloyd-austin", 1, Severity.HIGH),
    ]


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("n.csv", "id,kind,lang,name\nx,person,ar,a، b\n", 2, "Arabic comma"),
        ("n.csv", "id,kind,lang,name\nx,alien,ar,a\n", 2, "is none of person"),
        ("n.csv", "id,kind,lang,name\nx,person,ar,a,b\n", 2, "quote a name with a comma"),
        ("n.csv", "id,kind,lang,name\nx,person,ar,a\nx,place,en,b\n", 3, "is a person on line 2"),
        ("n.csv", "id,colour,name\nx,red,a\n", 1, "unknown column"),
        ("n.csv", "just one column\n", 1, "name the columns"),
        ("n.csv", 'id,kind,lang,name\nx,person,ar,"a\n', 2, "not valid CSV"),
        ("n.csv", "id,kind,lang,name\nx,person,ar,\n", 2, "no letter or digit"),
        ("n.jsonl", '{"name":"a"}\n{"name":\n', 2, "not valid JSON"),
        ("n.jsonl", "[1]\n", 1, "no JSON object"),
        ("n.jsonl", '{"name":1}\n', 1, "must be a text"),
        ("n.jsonl", '{"naem":"a"}\n', 1, "unknown key 'naem'"),
    ],
)
def test_mistakes_in_lists(name: str, content: str, line: int, reason: str, tmp_path: Path) -> None:
    """A file of names names its bad lines."""
    (tmp_path / name).write_text(content, "utf-8")
    (said,) = problems(f"desk: d\nactors: [{{file: {name}}}]", tmp_path)
    assert said.startswith(f"{tmp_path / name}:{line}")
    assert reason in said


def test_failing_tests_of_rules_are_told() -> None:
    """A rule that does not do as its tests say is named with the test's line."""
    read = desk("rules:\n  - id: r\n    any: war\n    tests:\n      - match: peace\n      - miss: war\n      - match: war")
    assert [(problem.line, problem.reason) for problem in check_watchlists([read])] == [
        (6, "rule r does not match this text"),
        (7, "rule r matches this text and should not"),
    ]


@pytest.mark.parametrize("text", ["keywords: ['=May']", "keywords: ['^May']", "rules: [{any: ['^May']}]"])
def test_marks_of_queries_are_refused_before_keywords(text: str) -> None:
    """As signs they are not compared, so the word would silently be found in any form."""
    with pytest.raises(ConfigError, match="in queries only"):
        desk(text)


def test_words_that_fold_into_a_common_one_and_shared_names_are_warned_about() -> None:
    """علي is found in على where its letters may differ; a name of two actors is told for both."""
    warnings = [warning.reason for warning in desk("actors: [[{name: علي, loose: true}], [Bob], [Robert, bob]]").warnings]
    assert warnings == [
        "1 word is among the commonest of a language and will be found everywhere: علي",
        "1 name belongs to several actors, and each of them is told: Bob (bob, robert)",
    ]


def test_one_id_in_two_files(tmp_path: Path) -> None:
    """An id stands once in a desk, in files of names too; both places are named."""
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text("id,name\nx1,Ann\nx2,Bob\n".replace("x1", name[:3]), "utf-8")
    said = problems("desk: d\nactors: [{id: two, names: Cleo}, {file: one.csv}, {file: two.csv}]", tmp_path)
    assert [line.partition(": ")[2] for line in said] == [
        f"actors[0]: the actor 'two' stands in this desk twice, also in {tmp_path / 'two.csv'}:2",
        f"the actor 'x2' stands in this desk twice, also in {tmp_path / 'one.csv'}:3",
    ]
