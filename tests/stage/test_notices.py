"""What a hop notices is logged by the runner: once it is committed, and each thing once."""

import pytest
from structlog.testing import capture_logs

from daemon.errors import BusError
from daemon.stage.hop import Effects, Notice, Table
from tests.stage.hops import Echo
from tests.stage.test_leases import over
from tests.stage.world import World, virtually


class Grumbling(Echo):
    """Notices every text, in a different way each time."""

    def __init__(self) -> None:
        super().__init__()
        self.decided = 0

    def decide(self, item: str, table: Table, now: float) -> Effects:
        self.decided += 1
        effects = super().decide(item, table, now)
        return Effects(out=effects.out, notices=[Notice("grumbled", {"text": item}, {"time": str(self.decided)})])


@pytest.mark.parametrize("failures", [0, 2])
def test_a_notice_is_logged_once_it_is_committed(failures: int) -> None:
    """A step that failed logs nothing; of notices about the same thing the first that stands is logged, with its details."""

    async def story() -> None:
        world = World()
        await world.put("a", "b", "a")
        with capture_logs() as logs:
            await over(world, [BusError("no answer in time")] * failures, Grumbling())
        grumbles = [(entry["text"], entry["time"], entry["log_level"]) for entry in logs if entry["event"] == "grumbled"]
        first = 3 * failures + 1
        assert grumbles == [("A", str(first), "error"), ("B", str(first + 1), "error")]

    virtually(story())
