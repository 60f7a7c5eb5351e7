"""Small edits beside what was built: everything is found as if all had been built anew."""

from pathlib import Path
from typing import Final

import pytest

from consumers.compile import Compiled, compile_desks
from consumers.edits import MOST, edited
from consumers.judge import judge_all
from consumers.matcher import subject_of
from consumers.watchlist.read import parse_watchlist
from tests.consumers.articles import article

BEFORE: Final = """
- {desk: a, actors: [{file: names.csv}, [Ann]], rules: [{id: r, where: 'actor:ann AND oil'}]}
- {desk: b, actors: [[Bob]]}"""
TEXTS: Final = ("Ann and oil", "Bob, Carl and Cleo", "gas for Dora, wind", "Zoe", "nothing")
EDITS: Final = {
    "a new alias": ("[Ann]", "[Ann, Carl]"),
    "a new actor": ("[Ann]", "[Cleo], [Ann]"),
    "a name that is gone": ("[[Bob]]", "[[Dora]]"),
    "another rule": ("oil'", "gas'"),
    "one rule more": ("'}]", "'}, {id: s, any: [gas, wind]}]"),
    "a desk less": ("\n- {desk: b, actors: [[Bob]]}", ""),
    "a desk more": ("[[Bob]]}", "[[Bob]]}\n- {desk: c, keywords: [wind, Bob]}"),
    "nothing": ("", ""),
}


def ready(text: str, folder: Path) -> Compiled:
    return compile_desks(parse_watchlist(text, str(folder / "w.yaml")))


def found(compiled: Compiled) -> list[tuple[str, list[str], list[str], list[str]]]:
    return [
        (
            desk.name,
            [actor.id for actor in judged.actors],
            [rule.id for rule in judged.rules],
            [hit.alias for hit in judged.hits],
        )
        for text in TEXTS
        for desk, judged in judge_all(compiled, subject_of(compiled, article(text)))
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "names.csv").write_text("id,name\nzoe,Zoe\n", "utf-8")
    return tmp_path


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_finds_what_all_built_anew_finds(edit: str, folder: Path) -> None:
    """Also an edit of an edit, and of all that were made before it."""
    text, compiled = BEFORE, ready(BEFORE, folder)
    for name in (edit, *EDITS):
        text = text.replace(*EDITS[name], 1)
        desks = parse_watchlist(text, str(folder / "w.yaml"))
        again = edited(compiled, desks)
        assert again is not None
        compiled = again
        assert found(compiled) == found(compile_desks(desks))


def test_what_is_not_small_is_built_anew(folder: Path) -> None:
    """Other names in a file, or more new terms than are searched beside the others."""
    compiled = ready(BEFORE, folder)
    many = ", ".join(f"Name{number}" for number in range(MOST + 1))
    assert edited(compiled, parse_watchlist(BEFORE.replace("[Bob]", f"[{many}]"), str(folder / "w.yaml"))) is None
    (folder / "names.csv").write_text("id,name\nzoe,Zoe\nyan,Yan\n", "utf-8")
    assert edited(compiled, parse_watchlist(BEFORE, str(folder / "w.yaml"))) is None
