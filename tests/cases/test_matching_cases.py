"""The tables of matching.jsonl and inflection.jsonl: written from matching.md by someone who had not seen the matcher.

A case with `fails` is right and not yet held: it is expected to fail, strictly, with what comes out instead as its reason.
"""

import json
from collections.abc import Sequence
from typing import Final

import pytest

from consumers.compile import compile_desks
from consumers.given import given_article
from consumers.matcher import judge_article
from consumers.watchlist.read import parse_watchlist
from daemon.errors import ConfigError
from daemon.messages.article import Article, Zone
from daemon.messages.match import Hit, Miss
from tests.cases.table import Case, params_of, read_cases

INFLECTED: Final = "inf-"
_ZONES: Final = tuple(Zone)


def _watchlist(case: Case) -> str:
    """The case's desk as YAML; JSON strings are YAML strings."""
    if "watchlist" in case:
        return str(case["watchlist"])
    if "query" in case:
        return f"desk: d\nrules:\n  - {{id: r, where: {json.dumps(case['query'], ensure_ascii=False)}}}\n"
    aliases = case["alias"] if isinstance(case["alias"], list) else [case["alias"]]
    names = {case["lang"]: aliases} if case["id"].startswith(INFLECTED) else aliases  # the list says whose language a name is
    return f"desk: d\nactors:\n  - {{id: a, names: {json.dumps(names, ensure_ascii=False)}}}\n"


def _article(case: Case) -> Article:
    values = dict(case.get("article") or {"body": case["text"]})
    return given_article({**values, "lang": case["lang"]}, case["id"])


def _is_one_of(surface: str, wanted: str | Sequence[str]) -> bool:
    return surface in ([wanted] if isinstance(wanted, str) else wanted)


def _judged(case: Case) -> tuple[list[Hit], list[Miss], set[str], set[str]]:
    """Hits in reading order, each place once; near misses; the ids of rules and actors."""
    compiled = compile_desks(parse_watchlist(_watchlist(case), "case.yaml"))
    hits: dict[tuple[int, int, int], Hit] = {}
    misses: list[Miss] = []
    rules: set[str] = set()
    actors: set[str] = set()
    article = _article(case)
    for _, judgement in judge_article(compiled, article):
        for hit in judgement.hits:
            assert article.zones()[hit.zone][hit.start : hit.end] == hit.surface, "offsets cut out the surface"
            hits[(_ZONES.index(hit.zone), hit.start, hit.end)] = hit
        misses.extend(judgement.near_misses)
        rules |= {rule.id for rule in judgement.rules}
        actors |= {actor.id for actor in judgement.actors}
    return [hits[place] for place in sorted(hits)], misses, rules, actors


def _check_hits(case: Case, hits: Sequence[Hit]) -> None:
    found = [(hit.zone.value, hit.surface) for hit in hits]
    wanted = case["expect"]
    if case.get("contains") or ("query" in case and wanted and not case.get("only")):
        for want in wanted:
            assert any(zone == want["zone"] and _is_one_of(text, want["surface"]) for zone, text in found), (want, found)
        return
    assert len(found) == len(wanted), found
    for (zone, text), want in zip(found, wanted, strict=True):
        assert zone == want["zone"], found
        if case.get("loose_surface"):
            text = text.strip("\u0640\u202a\u202c\u2066\u2069\ufeff")  # noqa: PLW2901 - invisible edges are nobody's business here
        assert _is_one_of(text, want["surface"]), found


@pytest.mark.parametrize("case", [*params_of("matching.jsonl"), *params_of("inflection.jsonl")])
def test_case(case: Case) -> None:
    """What matching.md says of the text comes out: the hits cut out as a reader would, or none, or an error."""
    if isinstance(case["expect"], dict):
        with pytest.raises(ConfigError):
            parse_watchlist(_watchlist(case), "case.yaml")
        return
    hits, misses, rules, actors = _judged(case)
    _check_hits(case, hits)
    if "query" in case:
        assert rules == ({"r"} if case["expect"] else set())
    if "rules" in case:
        assert rules == set(case["rules"])
    if "actors" in case:
        assert actors == set(case["actors"])
    assert set(case.get("near", ())) <= {miss.reason.value for miss in misses}


def test_ids_are_unique() -> None:
    """No two cases share an id, and every case states its rule."""
    cases = [*read_cases("matching.jsonl"), *read_cases("inflection.jsonl")]
    assert len({case["id"] for case in cases}) == len(cases)
    assert all(case["rule"] for case in cases)
