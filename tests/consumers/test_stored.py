"""Names and automata kept between two starts: used when whole and of the same content and code, else built anew."""

from pathlib import Path

import pytest

from consumers import compile as compiling
from consumers.compile import Compiled, compile_desks
from consumers.judge import judge_all
from consumers.matcher import subject_of
from consumers.stored import Stored
from consumers.watchlist import parts
from consumers.watchlist.read import read_watchlists
from tests.consumers.articles import article

WATCHLIST = (
    "desk: d\nactors: [{id: me, names: [Someone]}, {file: names.csv}]\nrules: [{id: r, where: 'actor:a1 AND list:names.csv'}]"
)
NAMES = "id,name\na1,علي\na1,Ann Other\n,Bob\na2,Bob\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A watchlist with a file of names."""
    (tmp_path / "w.yaml").write_text(WATCHLIST, "utf-8")
    (tmp_path / "names.csv").write_text(NAMES, "utf-8")
    return tmp_path


def started(folder: Path) -> Compiled:
    stored = Stored(folder / "cache", least=1)
    return compile_desks(read_watchlists(["w.yaml"], folder, {}, stored), stored=stored)


def found(compiled: Compiled, text: str) -> tuple[list[str], list[str]]:
    ((_, judgement),) = judge_all(compiled, subject_of(compiled, article(text)))
    return [actor.id for actor in judgement.actors], [rule.id for rule in judgement.rules]


def test_a_second_start_reads_and_builds_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stored is all that is needed, and says the same, warnings included."""
    first = started(folder)
    monkeypatch.delattr(parts, "make_listing")
    monkeypatch.delattr(compiling, "make_searcher")
    second = started(folder)
    assert first.desks[0].desk == second.desks[0].desk
    assert [warning.reason for warning in second.desks[0].desk.warnings] == [
        "1 name belongs to several actors, and each of them is told: Bob (a2)"
    ]
    for text in ("Someone met علي", "على", "Bob and Ann Other", "x"):
        assert found(first, text) == found(second, text)
    assert found(second, "Bob and Ann Other") == (["a1", "bob", "a2"], ["r"])


@pytest.mark.parametrize("kind", ["names", "automaton"])
@pytest.mark.parametrize("harm", [b"", b"nothing", bytes(1000)])
def test_what_is_damaged_is_built_anew(folder: Path, kind: str, harm: bytes) -> None:
    """A file that is cut short, or anybody else's, is as none; and is whole again afterwards."""
    started(folder)
    (path,) = (folder / "cache").glob(f"{kind}-*")
    content = path.read_bytes()
    for damaged in (harm, content[:-1], content[:100] + b"x" + content[101:]):
        path.write_bytes(damaged)
        assert found(started(folder), "Bob") == (["bob", "a2"], [])
        assert path.read_bytes() == content


def test_other_names_are_another_file_and_few_are_kept(folder: Path) -> None:
    """What is stored of other content is not used; the ones used longest ago go."""
    for number in range(7):
        (folder / "names.csv").write_text(f"{NAMES}a3,Number {number}\n", "utf-8")
        assert found(started(folder), f"Number {number}") == (["a3"], [])
    assert {len([*(folder / "cache").glob(f"{kind}-*")]) for kind in ("names", "automaton")} == {4}


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(folder: Path) -> None:
    """Nothing is stored, everything works."""
    (folder / "cache").write_text("a file", "utf-8")
    assert found(started(folder), "Someone") == (["me"], [])
