"""How much is done for an article: what its rules cost together must not grow with how often its words stand in it."""

import json
import sys
from collections.abc import Sequence
from types import FrameType

import pytest

from consumers.finds import MOST
from consumers.judge import MAX_HITS, Judgement
from consumers.matcher import judge_article
from daemon.messages.article import Article
from tests.consumers.articles import article, compiled

RULES = 60
ASKED = ["actor:iq AND (oil OR price)", "oil AND NOT rest:iraq", "actor:iq NEAR/5 (oil OR price)", "SAME(oil, price)"]


def watchlist(queries: Sequence[str]) -> str:
    rules = [{"id": f"r{number}", "where": query} for number, query in enumerate(queries)]
    return f"actors: [{{id: iq, names: [Iraq]}}]\nrules: {json.dumps(rules)}"


def calls(queries: Sequence[str], subject: Article) -> tuple[int, Judgement]:
    """How many functions are called to judge an article, those of C included."""
    ready = compiled(watchlist(queries))
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        ((_, judgement),) = judge_article(ready, subject)
    finally:
        sys.setprofile(before)
    return counted, judgement


@pytest.mark.parametrize("query", ASKED)
def test_another_rule_costs_the_same_however_often_its_words_stand_there(query: str) -> None:
    """An article that repeats its words a thousand times costs once what searching it costs, not once a rule."""
    few, many = (article("Iraq oil price " * times) for times in (3, MOST))
    extra = []
    for subject in (few, many):
        one, rules = calls([query], subject)[0], calls([query] * RULES, subject)[0]
        extra.append((rules - one) / (RULES - 1))
    assert extra[1] < 2 * extra[0] + MAX_HITS


def test_all_hits_are_counted_though_few_are_told() -> None:
    """What is not told is counted exactly, for rules that share their hits and for those that keep some of them."""
    queries = ["actor:iq AND (oil OR price)", "(oil NEAR/0 price) OR (oil AND price)", "oil BEFORE/0 price"]
    _, judgement = calls(queries, article("x oil oil price " * 300, title="Iraq"))
    of_rules = [1 + 600 + 300, 600 + 300, 300 + 300]
    assert (len(judgement.hits), judgement.more_hits) == (MAX_HITS, 1 + sum(of_rules) - MAX_HITS)
