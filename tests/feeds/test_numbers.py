"""Behaviour that feeds.md numbers is cited by a test, so that whoever changes it finds what it is for."""

import re
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parents[1]
LATER: Final = frozenset({30, 33})
"""WebSub, and a second client for HTTP/2."""

_CITED: Final = re.compile(r"[Ff]eeds ((?:\d+(?: to \d+)?(?:, | and )?)+)")
_RANGE: Final = re.compile(r"(\d+)(?: to (\d+))?")


def cited() -> frozenset[int]:
    """All numbers in the docstrings and comments of tests: `feeds 12`, `feeds 18 to 20 and 26`."""
    found: set[int] = set()
    for path in TESTS.rglob("*.py"):
        for numbers in _CITED.findall(path.read_text("utf-8")):
            for first, last in _RANGE.findall(numbers):
                found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


@pytest.mark.parametrize("number", sorted(set(range(1, 35)) - LATER))
def test_each_number_has_a_test(number: int) -> None:
    """Each numbered behaviour of feeds is named by the test that holds it."""
    assert number in cited()
