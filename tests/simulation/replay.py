"""One hop over its input without crashes, in batches cut at will: what everything that was lived through is compared with."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from daemon.bus.base import Record, Row
from daemon.bus.held import HeldRows
from daemon.messages import wire
from daemon.stage.graveyard import Grave
from daemon.stage.hop import Hop
from daemon.stage.preparation import Preparation
from daemon.stage.step import Decisions
from daemon.stage.table import StepTable

_ALL = 10**9


class Replay:
    """A partition of a hop. `out` is what it published, `rows` what it holds; the wall stands where the caller puts it."""

    def __init__(self, hop: Hop[Any, Any], partition: int = 0) -> None:
        self.rows = HeldRows()
        self.out: list[Record] = []
        self._hop = hop
        self._grave = Grave(partition, hop.name)
        self._preparation = Preparation(hop, wire.decode, None)

    async def take(self, records: Sequence[Record], cuts: Sequence[int] = ()) -> None:
        """The records in batches, `cuts` being offsets into them; the wall is at each batch's last record."""
        bounds = [0, *sorted(cut % (len(records) + 1) for cut in cuts), len(records)]
        for start, end in pairwise(bounds):
            batch = records[start:end]
            if batch:
                items = await self._preparation.items(batch)
                table, decisions = self._step(batch[-1].at)
                decisions.records(list(zip(batch, items, strict=True)), _ALL)
                self._commit(table, decisions)

    def until(self, now: float) -> None:
        """Nothing comes any more: the wall drives the timers."""
        table, decisions = self._step(now)
        decisions.wakes(now, _ALL)
        self._commit(table, decisions)

    def reconcile(self, now: float) -> None:
        """A lease opens, of the only partition."""
        table, decisions = self._step(now)
        decisions.reconcile(0, 1)
        self._commit(table, decisions)

    def answers(self, results: Sequence[tuple[bytes, object]], now: float) -> None:
        """Work outside has ended, in one step."""
        table, decisions = self._step(now)
        decisions.results(results)
        self._commit(table, decisions)

    def held(self) -> list[Row]:
        return list(self.rows.scan())

    def _step(self, wall: float) -> tuple[StepTable, Decisions[Any, Any]]:
        table = StepTable(self.rows)
        return table, Decisions(self._hop, self._grave, table, set(), wall)

    def _commit(self, table: StepTable, decisions: Decisions[Any, Any]) -> None:
        self.rows.apply(table.changes())
        self.out += decisions.gathered.out
