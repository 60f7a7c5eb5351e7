"""Time, passed in: a jump of the wall clock is held back until it has lasted."""

import pytest

from daemon.clock import JUMP, WallClock


class Hands:
    """A wall and a steady clock that a test moves."""

    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.steady = 50.0

    def pass_time(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def clock(self) -> WallClock:
        return WallClock(lambda: self.wall, lambda: self.steady)


@pytest.mark.parametrize("jump", [-3600.0, 86400.0, 315_360_000.0])
def test_a_jump_is_held_back_until_it_has_lasted_ten_minutes(jump: float) -> None:
    """Clock jumps of -1 h, +1 d, +10 y: time goes on at its own pace, and follows after ten minutes."""
    hands = Hands()
    clock = hands.clock()
    hands.wall += jump
    assert clock.now() == 1_000_000.0
    hands.pass_time(JUMP - 1)
    assert clock.now() == 1_000_000.0 + JUMP - 1
    hands.pass_time(2)
    assert clock.now() == hands.wall


def test_a_jump_that_is_taken_back_leaves_no_trace() -> None:
    """A clock that jumps and comes back within ten minutes was never followed."""
    hands = Hands()
    clock = hands.clock()
    hands.wall += 86400
    clock.now()
    hands.pass_time(60)
    hands.wall -= 86400
    assert clock.now() == hands.wall


def test_small_corrections_are_followed_at_once() -> None:
    """Ordinary adjustments (NTP) up to ten minutes are taken over."""
    hands = Hands()
    clock = hands.clock()
    hands.wall += 120
    assert clock.now() == hands.wall
