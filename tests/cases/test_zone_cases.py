"""The table of zones.jsonl: what of a text is the article's own, written from feeds.md by someone who had not seen the zoner.

A case with `fails` is right and not yet held: it is expected to fail, strictly, with what comes out instead as its reason.
"""

import pytest

from consumers.zones.headings import load_headings
from consumers.zones.zoner import Passage, Zoner
from tests.cases.table import Case, params_of, read_cases


@pytest.fixture(scope="module")
def zoner() -> Zoner:
    return Zoner(load_headings())


@pytest.mark.parametrize("case", params_of("zones.jsonl"))
def test_case(zoner: Zoner, case: Case) -> None:
    """The article's own sentences stand in lead or body, all that merely stands beside it in rest."""
    content = Passage(html=case["html"]) if "html" in case else Passage(text=case["text"])
    zoned = zoner.divide(case.get("title", ""), Passage(), content)
    own = f"{zoned.lead}\n\n{zoned.body}"
    assert [text for text in case["body_contains"] if text not in own] == [], "the article lost these"
    assert [text for text in case["body_excludes"] if text in own] == [], "these would alert"
    assert [text for text in case["rest_contains"] if text not in zoned.rest] == [], "these are lost without a record"
    for block in zoned.blocks:
        text = {"title": zoned.title, "lead": zoned.lead, "body": zoned.body, "rest": zoned.rest}[block.zone.value]
        assert text[block.start : block.end].strip(), "a block cuts out text of its zone"


def test_ids_are_unique() -> None:
    """No two cases share an id, and every case states its rule."""
    cases = read_cases("zones.jsonl")
    assert len({case["id"] for case in cases}) == len(cases)
    assert all(case["rule"] for case in cases)
