"""The query language: what it refuses, where, and with which words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.query import FIELDS, QueryError, parse_query
from consumers.syntax import ActorTerm, And, Attribute, Exactness, InZone, ListTerm, Near, Not, Or, Term, make_term
from daemon.messages.article import Zone

REFUSED = [
    ("a b", 1, 3, "side by side"),
    ('"a b" c', 1, 7, "quotes round a phrase"),
    ("war and peace", 1, 5, "in capitals: AND"),
    ("war near/3 peace", 1, 5, "in capitals: NEAR/3"),
    ("war NEAR peace", 1, 5, "NEAR/8"),
    ("a AND b OR c", 1, 9, "mixed"),
    ("NOT a", 1, 1, "no positive term"),
    ("a OR NOT b", 1, 1, "no positive term"),
    ("lang:ar", 1, 1, "no positive term"),
    ("a AND", 1, 3, "nothing follows"),
    ("AND a", 1, 1, "between two terms"),
    ("a NOT", 1, 6, "a term is missing"),
    ("(a OR b", 1, 8, "a ) is missing"),
    ("a)", 1, 2, "has no ("),
    ("()", 1, 2, "term is missing"),
    ("“a b”", 1, 1, "straight quotes"),
    ("a AND «b»", 1, 7, "straight quotes"),
    ("a، b", 1, 2, "Arabic comma"),
    ("a, b", 1, 2, "has no meaning here"),
    ('"a', 1, 1, 'closing "'),
    ("foo:bar", 1, 1, "is no field; the fields are title"),
    ("tilte:bar", 1, 1, "did you mean title:?"),
    ("ab*", 1, 1, "at least 3 letters"),
    ("a*b", 1, 1, "at the end only"),
    ("中国中国*", 1, 1, "without spaces"),
    ('"..."', 1, 1, "no letter or digit"),
    ("a NEAR/5 b NEAR/5 c", 1, 12, "one term on each side"),
    ("(a AND b) NEAR/3 c", 1, 1, "NEAR takes words"),
    ("a NEAR/5000 b", 1, 3, "at most 1000"),
    ("COUNT(a)>=0", 1, 11, "from 1"),
    ("COUNT(a)>2", 1, 9, "has no meaning"),
    ("x AND\n  y z", 2, 5, "side by side"),
    ("", 1, 1, "is empty"),
    ("(" * 50 + "a" + ")" * 50, 1, 41, "parentheses within"),
    ("a" * 250_001, 1, 1, "longer than"),
    (" OR ".join(f"w{number}" for number in range(10_001)), 1, 1, "10001 terms, more than 10000; make several rules"),
    ("NOT " * 4_000 + "a", 1, 161, "more than 40 NOT"),
    ("title:" * 3_000 + "a", 1, 241, "more than 40 NOT and fields"),
]


@pytest.mark.parametrize(("query", "line", "column", "reason"), REFUSED, ids=[entry[0][:20] for entry in REFUSED])
def test_refusals(query: str, line: int, column: int, reason: str) -> None:
    """What would silently mean something else is refused, with place and hint."""
    with pytest.raises(QueryError) as refused:
        parse_query(query)
    assert (refused.value.line, refused.value.column) == (line, column)
    assert reason in str(refused.value)


def test_trees() -> None:
    """Terms, marks, fields and operators stand in the tree as they were written."""
    one, two = make_term("a"), make_term("b c")
    assert parse_query('a OR "b c"') == Or((one, two))
    assert parse_query("a AND NOT (b OR c)") == And((one, Not(Or((make_term("b"), make_term("c"))))))
    assert parse_query('a NEAR/3 "b c"') == Near(one, two, 3)
    assert parse_query('a BEFORE/3 "b c"') == Near(one, two, 3, ordered=True)
    assert parse_query("title:(a OR b)") == InZone(Zone.TITLE, Or((one, make_term("b"))))
    assert parse_query("actor:iq-mod") == ActorTerm("iq-mod")
    assert parse_query("list:names.csv") == ListTerm("names.csv")
    assert parse_query('url:"https://a.example/(x)" AND a') == And((Attribute("url", "https://a.example/(x)"), one))
    assert parse_query("=May") == Term("May", "may", exactness=Exactness.EXACT)
    assert parse_query("^May") == Term("May", "may", exactness=Exactness.CASED)
    assert parse_query("Iraq*") == Term("Iraq*", "iraq", runs_on=True)
    assert parse_query("ANDROID AND NOTE") == And((make_term("ANDROID"), make_term("NOTE")))


@pytest.mark.parametrize(
    ("repeated", "short"),
    [
        (" OR ".join(["oil"] * 2_800), "oil"),
        ("(a AND b) OR (a AND b AND b) OR c", "(a AND b) OR c"),
        ("(a OR a) NEAR/2 b", "a NEAR/2 b"),
    ],
    ids=["one word", "subtrees", "sides"],
)
def test_what_is_said_twice_is_kept_once(repeated: str, short: str) -> None:
    """Repeating a part of AND or OR changes neither what a query means nor what it costs."""
    assert parse_query(repeated) == parse_query(short)


PIECES = [
    "a",
    "AND",
    "OR",
    "NOT",
    "NEAR/3",
    "(",
    ")",
    '"',
    "“",
    "*",
    "=",
    "^",
    ":",
    ",",
    "،",
    "COUNT",
    "SAME",
    ">=2",
    "\n",
    " ",
    *FIELDS,
]


@given(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join)
)
@settings(deadline=None)
def test_any_text_is_read_or_refused(query: str) -> None:
    """No text makes the reader fail otherwise than by saying what is wrong within it."""
    line, column = 1, 1
    try:
        parse_query(query)
    except QueryError as error:
        line, column = error.line, error.column
    assert 1 <= line <= query.count("\n") + 1
    assert 1 <= column <= len(query) + 1
