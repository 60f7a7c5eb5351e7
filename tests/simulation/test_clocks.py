"""The clock is set, by −1 h, +1 d or +10 y, for a while or for good."""

import pytest

from consumers.compile import Compiled
from consumers.enricher import Enricher
from tests.simulation.clocks import WATCHLIST, play
from tests.simulation.plain import understand


@pytest.fixture(scope="module")
def understanding() -> tuple[Enricher, Compiled]:
    """Built once."""
    return understand(WATCHLIST)


@pytest.mark.parametrize("seed", range(8))
def test_a_clock_that_is_set(seed: int, understanding: tuple[Enricher, Compiled]) -> None:
    """No poll is skipped, no message comes late, twice or never, whatever the clock does and whenever the service starts."""
    play(str(seed), understanding).check()
