"""Where a fault strikes: a folder with a bus, a ledger, and the `rasid` processes that run there, started again as need be.

up ─▶ instant ─▶ strike ─┐        settle: the last life, until the sink has everything; a stop in good order; the balance
 └◀─────── publish ◀─────┘
"""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Final

import apsw

from daemon.app.buses import BUS_FILE
from tests.e2e.service import Service, running
from tests.faults.balance import Balance, take_stock
from tests.faults.ledger import Ledger
from tests.faults.progress import Tally

ONE: Final[Mapping[str, Sequence[str]]] = {"rasid": ()}
"""A single process with all roles: its name here, and the arguments of its `rasid run`."""
PATIENCE: Final = 90.0
"""Seconds until something must arrive while nothing is broken: twice the promised 45 s."""


class Scene:
    """Faults call `kill` and `stop`, so that a process which ends by itself is told from one that was ended.

    `chance` draws instants and victims, and is renewed by whoever leads the lives. `tally` keeps what faults measure, and in
    `doubts` of how many messages at most a fault may have cut off the answer.
    """

    def __init__(self, folder: Path, ledger: Ledger, tally: Tally, processes: Mapping[str, Sequence[str]] = ONE) -> None:
        self.folder = folder
        self.ledger = ledger
        self.tally = tally
        self.chance = random.Random(0)
        self.services: dict[str, Service] = {}
        self.environ: dict[str, str] = {}
        self._processes = processes
        self._stacks: dict[str, AsyncExitStack] = {}

    async def up(self) -> None:
        """Start every process that does not run. Fails when one has ended by itself."""
        for name, service in self.services.items():
            assert service.process.returncode is None, f"{name} ended by itself\n{service.told()[-5000:]}"
        for name in self._processes.keys() - self.services.keys():
            stack = AsyncExitStack()
            process = running(self.folder, *self._processes[name], **self.environ)
            self.services[name] = await stack.enter_async_context(process)
            self._stacks[name] = stack

    async def kill(self, name: str) -> None:
        """Kill -9. At most one message was in flight then: there is one receiver."""
        self.tally.counts["doubts"] += 1
        await self.services[name].kill()
        await self._forget(name)

    async def stop(self, name: str) -> float:
        """End it in good order, which must not fail nor take three times the promised ten seconds; seconds it took.

        A process that has not come as far as to say anything is no program of ours yet: the signal itself ends it.
        """
        began, service = monotonic(), self.services[name]
        code = await service.stop()
        assert code == 0 or (code == -signal.SIGTERM and not service.raw_log), service.told()[-5000:]
        await self._forget(name)
        return monotonic() - began

    def victim(self) -> str:
        """One of the running processes."""
        return self.chance.choice(sorted(self.services))

    async def instant(self, longest: float = 1.0) -> None:
        """Until a drawn instant: in the first second of a life, in the second after `started`, or amid work at full length."""
        stage = self.chance.choice(("begin", "started", "work", "work"))
        if stage == "started":
            await self.started()
        elif stage == "work":
            await self.at_work(PATIENCE)
        await self.moment(longest)

    async def started(self) -> None:
        """Until every process has its bus."""
        await asyncio.gather(*(service.event("started") for service in self.services.values()))

    async def moment(self, longest: float = 1.0) -> None:
        """For a drawn time: an event would never lead in between two."""
        await asyncio.sleep(self.chance.uniform(0.0, longest))

    async def at_work(self, within: float = PATIENCE) -> None:
        """Until the sink has taken something more."""
        await self.ledger.taken_more(within)

    async def settle(self, total: int = 0, in_flight: int = 0) -> Balance:
        """Publish what is left of `total`, let all arrive, stop in good order, and count; raises when a law is broken.

        `in_flight`: messages beyond `doubts` whose answer may have been cut off.
        """
        await self.up()
        while len(self.ledger.links) < total:
            self.ledger.publish(total - len(self.ledger.links))
            if not await self.ledger.taken_all(PATIENCE):
                break
        await self.ledger.taken_all(PATIENCE)
        for name in sorted(self.services):
            self.tally.note("exit", await self.stop(name))
        balance = await take_stock(self.ledger, self.folder)
        self.tally.state(balance)
        balance.holds(self.tally.counts["doubts"] + in_flight)
        self._sound()
        return balance

    def _sound(self) -> None:
        """SQLite's full check of the embedded bus, where there is one."""
        if (path := self.folder / "data" / BUS_FILE).exists():
            with apsw.Connection(str(path)) as db:
                assert db.pragma("integrity_check") == "ok"

    async def _forget(self, name: str) -> None:
        service = self.services.pop(name)
        if service.started_after is not None:
            self.tally.note("restart", service.started_after)
        await self._stacks.pop(name).aclose()

    async def close(self) -> None:
        """Kill what still runs."""
        for stack in self._stacks.values():
            await stack.aclose()


@asynccontextmanager
async def staged(
    folder: Path, ledger: Ledger, tally: Tally, processes: Mapping[str, Sequence[str]] = ONE
) -> AsyncIterator[Scene]:
    """A scene on a folder where `config.yaml` stands; nothing runs when it is over."""
    scene = Scene(folder, ledger, tally, processes)
    try:
        yield scene
    finally:
        await scene.close()
