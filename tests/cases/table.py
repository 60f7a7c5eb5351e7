"""Reads a table of cases; those with `fails` are expected to fail, strictly, with what comes out instead as the reason."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Case: TypeAlias = Mapping[str, Any]


def read_cases(name: str) -> list[Case]:
    """The cases of a table beside this file."""
    return [json.loads(line) for line in Path(__file__).with_name(name).read_text("utf-8").splitlines()]


def params_of(name: str) -> list[Any]:
    """One pytest parameter a case, named by its id."""
    return [pytest.param(case, id=case["id"], marks=_marks(case)) for case in read_cases(name)]


def _marks(case: Case) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xfail(strict=True, reason=case["fails"])] if "fails" in case else []
