"""Behaviour that feeds.md numbers is cited by a test, so that whoever changes it finds what it is for."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parents[1]
LATER: Final = frozenset({30, 33})
"""WebSub, and a second client for HTTP/2."""

_CITED: Final = re.compile(r"[Ff]eeds ((?:\d+(?: to \d+)?(?:, | and )?)+)")
_RANGE: Final = re.compile(r"(\d+)(?: to (\d+))?")


@cache
def cited() -> frozenset[int]:
    """All numbers that tests name; those of this file, which hold no behaviour, left aside."""
    others = (path for path in TESTS.rglob("*.py") if path != Path(__file__))
    return frozenset(number for path in others for number in named_in(path.read_text("utf-8")))


def named_in(code: str) -> Iterator[int]:
    """The numbers in the docstrings of a file's tests: `feeds 12`, `feeds 18 to 20 and 26`."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for numbers in _CITED.findall(ast.get_docstring(node) or ""):
                for first, last in _RANGE.findall(numbers):
                    yield from range(int(first), int(last or first) + 1)


@pytest.mark.parametrize("number", sorted(set(range(1, 35)) - LATER))
def test_each_number_has_a_test(number: int) -> None:
    """Each numbered behaviour of feeds is named by the test that holds it."""
    assert number in cited()


@pytest.mark.parametrize(
    ("code", "numbers"),
    [
        ('def test_it():\n    """Feeds 18 to 20 and 26: so."""', {18, 19, 20, 26}),
        ('async def test_it():\n    """So (feeds 3, 4)."""', {3, 4}),
        ('def made():\n    """Feeds 18: made for a test."""', set()),
        ('"""Feeds 18."""\nLIMIT = 1\n"""Feeds 19."""', set()),
        ("def test_it():\n    assert True  # feeds 18", set()),
    ],
)
def test_what_counts(code: str, numbers: set[int]) -> None:
    """A number counts where a test says it: neither a module, nor what a test is made of, nor a comment holds anything."""
    assert set(named_in(code)) == numbers
