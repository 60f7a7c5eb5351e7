"""Many short lives of the whole pipeline: whatever is killed when, nothing is lost and nothing told twice."""

import os
import subprocess
import sys

import pytest

from tests.simulation.laws import judge
from tests.simulation.life import live
from tests.simulation.process import Sense
from tests.simulation.sense import make_sense


@pytest.fixture(scope="module")
def sense() -> Sense:
    """Models and automata are the same in every life: built once."""
    return make_sense()


@pytest.mark.parametrize("seed", range(16))
def test_lives(seed: int, sense: Sense) -> None:
    """All laws hold of a world whose processes were killed, frozen, failed by their bus and stopped; see `laws`."""
    _, wrong = live(seed, sense, judge)
    assert wrong == []


def test_a_seed_is_repeated_to_the_byte() -> None:
    """One seed gives the same bytes on all topics in two programs, whatever order their sets have."""
    answers = {_fingerprint(hash_seed) for hash_seed in ("1", "2")}
    assert len(answers) == 1


def _fingerprint(hash_seed: str) -> str:
    command = [sys.executable, "-m", "tests.simulation", "1", "7"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONHASHSEED": hash_seed}, check=True, capture_output=True, text=True, timeout=100
    )
    return done.stdout.splitlines()[0]
