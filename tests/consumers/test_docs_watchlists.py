"""docs/watchlists.md: every example in it is run."""

import re
from pathlib import Path

import pytest

from consumers.compile import compile_desks
from consumers.given import given_article
from consumers.matcher import judge_article
from consumers.query import QueryError, parse_query
from consumers.ruletests import check_watchlists
from consumers.watchlist.read import parse_watchlist
from tests.consumers.articles import article, judged

DOCS = (Path(__file__).parents[2] / "docs" / "watchlists.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", DOCS, re.DOTALL)
_OPERATORS = re.findall(r"^\| `([^`]+)` \| [^|]* \| ([^|]+) \| ([^|]+) \|$", DOCS, re.MULTILINE)
_REFUSED = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|$", DOCS.partition("| refused |")[2], re.MULTILINE)


def examples() -> list[tuple[str, bool, str]]:
    """Watchlist, whether it must match, text: each `match` and `miss` block belongs to the `yaml` before it."""
    found: list[tuple[str, bool, str]] = []
    watchlist = ""
    for kind, block in BLOCKS:
        if kind == "yaml":
            watchlist = block
        elif kind in {"match", "miss"}:
            found.extend((watchlist, kind == "match", line) for line in block.strip().splitlines())
    return found


@pytest.mark.parametrize(("watchlist", "holds", "text"), examples())
def test_watchlists(watchlist: str, text: str, *, holds: bool) -> None:
    """Each example watchlist is sound, and finds what the page says."""
    desks = parse_watchlist(watchlist, "docs.yaml")
    assert check_watchlists(desks) == []
    ((_, judgement),) = judge_article(compile_desks(desks), given_article({"body": text}, "a"))
    assert bool(judgement.hits) is holds


@pytest.mark.parametrize(("query", "holds", "misses"), _OPERATORS)
def test_queries(query: str, holds: str, misses: str) -> None:
    """Each example query holds for the one text and not for the other."""
    watchlist = f"rules:\n  - where: >-\n      {query}\n"
    assert judged(watchlist, article(holds)).rules
    assert not judged(watchlist, article(misses)).rules


@pytest.mark.parametrize(("query", "reason"), _REFUSED)
def test_refusals(query: str, reason: str) -> None:
    """What the page says is refused is refused."""
    assert reason
    with pytest.raises(QueryError):
        parse_query(query)


def test_the_page_was_understood() -> None:
    """The tables and blocks above were found at all."""
    assert len(examples()) >= 10
    assert len(_OPERATORS) == 15
    assert len(_REFUSED) == 8
