"""The search against a slow one that is obviously right, on random watchlists and texts, for both automata."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.automaton import ENGINES, MOST_RAW, build, encode
from consumers.matcher import LONGEST
from consumers.search import load_searcher, make_searcher, zone_texts
from consumers.syntax import make_term
from consumers.text.fold import Folded, fold_key, points_of
from consumers.text.scripts import Clitics
from daemon.errors import DecodeError
from daemon.messages.article import Zone
from tests.consumers.articles import article, compiled, judged

NAMES = st.lists(st.text(st.sampled_from("abéالوبعة "), min_size=1, max_size=8).filter(fold_key), min_size=1, max_size=6)
TEXTS = st.text(st.sampled_from("abAéالوبعةهَ ،-"), max_size=60)
CLITICS = "[وف]?[بكل]?"


def slow(names: list[str], text: str) -> set[tuple[str, str]]:
    """Name and word run found, by regular expressions over the folded text, as matching.md words the rules."""
    folded = f" {fold_key(text)} "
    found = set()
    for name in names:
        key = fold_key(name)
        arabic, letters = key[0] > "z", len(key.replace(" ", ""))
        before = "" if not arabic else CLITICS if letters >= 4 else "و?"
        forms = [f"(?<= )(?:{before})(?={re.escape(key)} )"]
        if arabic and letters >= 4 and key.startswith("ال") and len(key) > 4:
            rest = key[3:] if key.startswith("الل") else key[2:]
            forms.append(f"(?<= )[وف]?ل(?=ل{re.escape(rest)} )")
        for form in forms:
            for hit in re.finditer(form, folded):
                found.add((key, folded[hit.end() : folded.index(" ", hit.end())]))
    return found


@pytest.mark.parametrize("engine", ENGINES)
@given(names=NAMES, text=TEXTS)
@settings(max_examples=150, deadline=None)
def test_agrees_with_the_slow_one(engine: str, names: list[str], text: str) -> None:
    """Every name that the rules allow is found, and no other."""
    terms = [*dict.fromkeys(make_term(name, Clitics.NAME) for name in names)]
    texts = zone_texts({Zone.BODY: text})
    found = set()
    for number, hits in make_searcher(terms, engine).search(texts).items():
        for hit in hits:
            folded = texts[hit.zone].folded.text
            found.add((terms[number].key, folded[hit.start :].split(" ", 1)[0]))
            start, end = texts[hit.zone].span(hit)
            assert fold_key(text[start:end]) == folded[hit.start : hit.end]
    assert found == slow(names, text)


@given(
    st.sets(st.text(st.sampled_from("ab 中"), min_size=1, max_size=4), max_size=8),
    st.text(st.sampled_from("ab 中😀"), max_size=40),
)
@settings(deadline=None)
def test_automata_agree(patterns: set[str], text: str) -> None:
    """Both libraries find the same, offsets in code points."""
    expected = sorted(
        (at, at + len(pattern), pattern)
        for pattern in patterns
        for at in range(len(text) + 2)
        if f" {text} ".startswith(pattern, at)
    )
    for name in ENGINES:
        encoded = encode([*patterns])
        found = build(encoded, name).find(Folded(points_of(text), text, ()))
        assert sorted((start, end, [*patterns][encoded.order[number]]) for start, end, number in found.tolist()) == expected


@given(st.text(max_size=60))
@settings(deadline=None)
def test_no_text_makes_it_fail(text: str) -> None:
    """Whatever an article holds, it is judged, and every hit cuts out its surface."""
    judgement = judged("actors: [[a], [ا], [中], [é b]]\nkeywords: ['aaa*']", article(f"a {text}", rest=text))
    for hit in judgement.hits:
        assert f"a {text}"[hit.start : hit.end] == hit.surface
        assert hit.snippet[hit.offset : hit.offset + len(hit.surface)] == hit.surface


@pytest.mark.timeout(20)
def test_a_text_of_hits_only_is_bounded() -> None:
    """512 kB of nothing but hits, in a rule that pairs them all, ends soon and within the limits."""
    rules = "actors: [[a], [a a], [aa aa]]\nrules: [{where: 'a NEAR/5 aa'}, {where: 'SAME(a, aa)'}, {where: 'COUNT(a)>=1000'}]"
    judgement = judged(rules, article("a aa " * (LONGEST // 5)))
    assert len(judgement.hits) == 200
    assert len(judgement.rules) == 3
    assert compiled("actors: []").desks[0].desk.actors == ()


@given(names=NAMES, text=TEXTS)
@settings(max_examples=50, deadline=None)
def test_a_searcher_that_was_stored_is_the_same(names: list[str], text: str) -> None:
    """What is read back from a searcher's bytes finds the same; other bytes are refused."""
    terms = [*dict.fromkeys(make_term(name, Clitics.NAME) for name in [*names, "東京", "A東"])]
    searcher = make_searcher(terms, "daachorse")
    stored = searcher.dump()
    assert stored is not None
    texts = zone_texts({Zone.BODY: f"{text} 東京 a"})
    assert load_searcher(terms, stored).search(texts) == searcher.search(texts)
    with pytest.raises(DecodeError):
        load_searcher(terms, stored[:-3])


def test_what_cannot_be_stored_says_so() -> None:
    """Where the library knows no bytes, there is nothing to keep."""
    assert make_searcher([make_term("a")], "ahocorasick_rs").dump() is None


def test_windows_hide_nothing() -> None:
    """A long text is searched piece by piece; names on the seams are found once, as in one piece."""
    text = "中 " + "ab cd " * 3000 + "京都"
    patterns = [" ab ", " cd ab cd ", "中", "京都"]
    expected = sorted(
        (at.start(), at.start() + len(pattern), pattern)
        for pattern in patterns
        for at in re.finditer(f"(?={pattern})", f" {text} ")
    )
    encoded = encode(patterns)
    found = build(encoded).find(Folded(points_of(text), text, ()))
    assert sorted((start, end, patterns[encoded.order[number]]) for start, end, number in found.tolist()) == expected


@pytest.mark.timeout(120)
@pytest.mark.parametrize("joint", [" ", ""])
def test_names_within_names_are_bounded(joint: str) -> None:
    """Of ninety names each of which begins the next, in a text of nothing else, so many hits are looked at, and it is said."""
    names = [joint.join(["中" if not joint else "a"] * length) for length in range(1, 90)]
    terms = [*dict.fromkeys(make_term(name, Clitics.NAME) for name in names)]
    found = make_searcher(terms).search(zone_texts({Zone.BODY: joint.join(["中" if not joint else "a"] * (LONGEST // 8))}))
    assert found.cut
    assert len(found) == len(terms)
    assert MOST_RAW < sum(len(zone.terms) + len(zone.others) for zone in found.zones) < 2 * MOST_RAW
