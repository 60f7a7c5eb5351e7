"""Only few rules are looked at: the same hold as when all are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.actors import actor_hits
from consumers.clauses import Clause, clauses
from consumers.compile import Compiled, reanchored
from consumers.evaluate import Evaluation
from consumers.judge import judge_all
from consumers.matcher import subject_of
from consumers.query import parse_query
from consumers.syntax import ActorTerm, Leaf, Term
from daemon.messages.article import Article
from tests.consumers.articles import article, compiled

_LEAVES = st.sampled_from(["oil", "gas", "coal", "wind", "sun", "actor:a", "actor:b"])
QUERIES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda both: f"({both[0]} AND {both[1]})"),
        st.tuples(inner, inner).map(lambda both: f"({both[0]} OR {both[1]})"),
        st.tuples(inner, inner).map(lambda both: f"({both[0]} AND NOT {both[1]})"),
        st.tuples(_LEAVES, _LEAVES).map(lambda both: f"({both[0]} NEAR/1 {both[1]})"),
        inner.map(lambda one: f"title:({one})"),
    ),
    max_leaves=8,
)
TEXTS = st.lists(st.sampled_from(["oil", "gas", "coal", "wind", "sun", "Ann", "Bob", "x"]), max_size=8).map(" ".join)


def ready(queries: list[str]) -> Compiled:
    rules = "".join(f"- {{id: r{number}, where: '{query}'}}\n" for number, query in enumerate(queries))
    return compiled(
        f"actors: [{{id: a, names: Ann, alert: false}}, {{id: b, names: [Bob, sun], alert: false}}]\nrules:\n{rules}"
    )


def held(made: Compiled, subject: Article) -> list[str]:
    ((_, judgement),) = judge_all(made, subject_of(made, subject))
    return [rule.id for rule in judgement.rules]


def all_looked_at(made: Compiled, subject: Article) -> list[str]:
    (desk,) = made.desks
    seen = subject_of(made, subject)
    evaluation = Evaluation(desk.actors, seen.found, actor_hits(desk, seen.found, seen.texts), seen.texts, seen.attributes)
    return [rule.id for place, rule in enumerate(desk.desk.rules) if evaluation.holds(desk.plan(place)[0], rule.zones)]


@given(queries=st.lists(QUERIES, min_size=1, max_size=8), texts=st.lists(TEXTS, min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_the_same_rules_hold_as_when_all_are_looked_at(queries: list[str], texts: list[str]) -> None:
    """Wherever rules are anchored: by guesses, and by what was met."""
    made = ready(queries)
    subjects = [article(text, title="oil gas") for text in texts]
    expected = [all_looked_at(made, subject) for subject in subjects]
    assert [held(made, subject) for subject in subjects] == expected
    assert [held(reanchored(made), subject) for subject in subjects] == expected


@pytest.mark.parametrize(
    ("query", "needed"),
    [
        ("oil", [{"oil"}]),
        ("(oil OR gas) AND coal AND NOT wind", [{"oil", "gas"}, {"coal"}]),
        ("(oil AND gas) OR coal", [{"oil", "coal"}]),
        ("title:(oil NEAR/3 gas)", [{"oil"}, {"gas"}]),
        ("oil AND (gas OR NOT coal)", [{"oil"}]),
        ("COUNT(oil OR actor:a)>=2 AND lang:ar", [{"oil", "a"}]),
    ],
)
def test_clauses(query: str, needed: list[set[str]]) -> None:
    """Of each clause something must be found; NOT, fields and what stands beside them in OR ask for nothing."""
    names: list[str] = []

    def mark(leaf: Leaf) -> int:
        names.append(leaf.text if isinstance(leaf, Term) else leaf.id if isinstance(leaf, ActorTerm) else leaf.file)
        return len(names) - 1

    def first(clause: Clause) -> float:
        return clause[0]

    assert [{names[mark] for mark in clause} for clause in clauses(parse_query(query), mark, first)] == needed


def test_anchors_follow_what_is_met() -> None:
    """A rule stands at its rarer clause: once its longest word is met everywhere, an article with that alone is passed over."""
    others = " OR ".join(f"another{number}" for number in range(17))
    made = compiled(f"rules: [{{id: r, where: 'extraordinary AND ({others})'}}]")
    for _ in range(3):
        held(made, article("extraordinary"))
    marks = made.rules.marks(subject_of(made, article("extraordinary")).found, [()])
    again = reanchored(made)
    assert again.rules.traffic.articles == 3
    assert (made.rules.candidates.of(marks), again.rules.candidates.of(marks)) == ([0], [])
    assert held(again, article("another7 extraordinary")) == ["r"]
