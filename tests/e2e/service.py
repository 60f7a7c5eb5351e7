"""A real `rasid` process for end-to-end tests: started, watched line by line, stopped or killed, never left behind."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from daemon.app.end import PROMISED

ROOT: Final = Path(__file__).parent.parent.parent
EXIT_WITHIN: Final = 3 * PROMISED
"""A test's patience with a busy machine. By its own clock the service keeps the promise, or ends with 1."""
COMMAND_WITHIN: Final = 600.0
"""Long: some print the journal of 20,000 alerts, on a busy machine."""


class Service:
    """One running process. `out` and `log` grow as it writes them; `started_after`: seconds from its birth to `started`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.out: list[str] = []
        self.log: list[dict[str, Any]] = []
        self.raw_log: list[str] = []
        self.started_after: float | None = None
        self._born = time.monotonic()
        self._grown = asyncio.Condition()
        self._readers = [
            asyncio.create_task(self._read(process.stdout, self.out.append)),
            asyncio.create_task(self._read(process.stderr, self._logged)),
        ]

    async def until(self, holds: Callable[["Service"], object], within: float = 30.0) -> None:
        """Wait until something it wrote makes `holds` true; fails with all it wrote when it does not."""
        try:
            async with asyncio.timeout(within), self._grown:
                await self._grown.wait_for(lambda: bool(holds(self)) or self._over())
        except TimeoutError:
            raise AssertionError(f"not within {within} s\n{self.told()}") from None
        assert holds(self), f"it ended before\n{self.told()}"

    async def event(self, name: str, within: float = 30.0, **fields: object) -> dict[str, Any]:
        """Wait for a log event and give it."""

        def found() -> list[dict[str, Any]]:
            return [entry for entry in self.log if entry.get("event") == name and fields.items() <= entry.items()]

        await self.until(lambda _: found(), within)
        return found()[0]

    async def url(self) -> str:
        """Where its status server listens, once it does."""
        return f"http://127.0.0.1:{(await self.event('listening'))['port']}"

    async def metrics(self) -> dict[str, float]:
        """Its samples by `name{labels}` as exposed."""
        text = (await self.get("/metrics"))[1]
        samples = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in samples}

    async def get(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(await self.url() + path) as answer:
            return answer.status, await answer.text()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it in good order; gives the exit code."""
        self.process.send_signal(number)
        return await self.ended()

    def interrupt(self) -> None:
        """Ctrl-C as a terminal sends it, to every process of the group."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)

    async def ended(self) -> int:
        """Wait until it has ended; gives the exit code."""
        try:
            async with asyncio.timeout(EXIT_WITHIN):
                return await self._ended()
        except TimeoutError:
            raise AssertionError(f"not gone within {EXIT_WITHIN} s; {self._threads()}\n{self.told()[-5000:]}") from None

    async def kill(self) -> None:
        """Kill -9."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self._ended()

    def told(self) -> str:
        return "\n".join(["--- stdout", *self.out, "--- log", *self.raw_log])

    async def _ended(self) -> int:
        code = await self.process.wait()
        await asyncio.gather(*self._readers)
        return code

    def _threads(self) -> str:
        """What the kernel says each thread of the process is at."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return ", ".join(
            f"{(task / 'comm').read_text().strip()} {(task / 'wchan').read_text().strip()}" for task in tasks.glob("*")
        )

    def _over(self) -> bool:
        return all(reader.done() for reader in self._readers)

    def _logged(self, line: str) -> None:
        self.raw_log.append(line)
        with suppress(orjson.JSONDecodeError):
            self.log.append(entry := orjson.loads(line))
            if entry.get("event") == "started":
                self.started_after = time.monotonic() - self._born

    async def _read(self, stream: asyncio.StreamReader | None, keep: Callable[[str], None]) -> None:
        assert stream is not None
        async for line in stream:
            keep(line.decode().rstrip("\n"))
            async with self._grown:
                self._grown.notify_all()
        async with self._grown:
            self._grown.notify_all()


def rasid(*arguments: str) -> Sequence[str]:
    return [sys.executable, "-m", "daemon", *arguments]


def environment(**more: str) -> Mapping[str, str]:
    """The environment of a test's process: any free port to listen on, nothing of the developer's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RASID_")}
    return {**kept, "RASID_SERVER__LISTEN": "127.0.0.1:0", "PYTHONPATH": str(ROOT), **more}


@asynccontextmanager
async def running(folder: Path, *arguments: str, through: Sequence[str] = (), **environ: str) -> AsyncIterator[Service]:
    """`rasid run` on `folder/config.yaml`; killed at the end if it still runs. `through`: a command that becomes it."""
    process = await asyncio.create_subprocess_exec(
        *through,
        *rasid("run", "--config", str(folder / "config.yaml"), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**environ),
        start_new_session=True,
        limit=16_000_000,
    )
    service = Service(process)
    try:
        yield service
    finally:
        await service.kill()


async def command(folder: Path, *arguments: str, **environ: str) -> tuple[int, str, str]:
    """Run one command to its end: exit code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        *rasid(*arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**environ),
        cwd=folder,
    )
    async with asyncio.timeout(COMMAND_WITHIN):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def json_lines(folder: Path, *arguments: str, **environ: str) -> list[dict[str, Any]]:
    """What a command that must succeed printed, as JSON lines."""
    code, out, err = await command(folder, *arguments, **environ)
    assert code == 0, err
    return [orjson.loads(line) for line in out.splitlines()]


def copy_starter(folder: Path) -> Path:
    """The configuration and seeds as they are shipped, to run on without touching the checkout."""
    shutil.copy(ROOT / "config.yaml", folder)
    shutil.copytree(ROOT / "seeds", folder / "seeds")
    return folder
