"""Standard streams as supervisors leave them (closed, full) and signals at the worst moment."""

import asyncio
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.service import EXIT_WITHIN, copy_starter, environment, rasid


def shell(folder: Path, line: str) -> tuple[int, str]:
    """A shell line in which `rasid` is this one: exit code and what it said on stderr."""
    command = " ".join(rasid())
    done = subprocess.run(
        ["bash", "-c", f'rasid() {{ {command} "$@"; }}; {line}'],
        cwd=folder,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("rasid check >&-", 0),
        ("rasid parse seeds/sample-feed.xml >&-", 0),
        ("rasid match - <&- >/dev/null", 0),
        ("rasid check 2>&- >/dev/null", 0),
        ("rasid check >/dev/full", 1),
        ("rasid --help >/dev/full", 1),
    ],
)
def test_commands_with_odd_streams(tmp_path: Path, line: str, code: int) -> None:
    """A closed stream is an empty one; output that cannot be written is one sentence and exit code 1."""
    found, said = shell(copy_starter(tmp_path), line)
    assert found == code
    assert "Traceback" not in said
    assert code == 0 or "cannot be written" in said


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
async def test_the_service_with_a_closed_stream(tmp_path: Path, closed: str) -> None:
    """The service runs and ends in good order whichever of its standard streams its supervisor has closed."""
    folder = copy_starter(tmp_path)
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", f"exec {' '.join(rasid('run'))} {closed}", cwd=folder, env=environment()
    )
    try:
        async with asyncio.timeout(30):
            while not (folder / "data" / "bus.sqlite").exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(EXIT_WITHIN):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def handling(number: signal.Signals, process: asyncio.subprocess.Process) -> None:
    """Wait until the process handles the signal itself: its own first lines have run."""
    async with asyncio.timeout(30):
        while not _caught(process.pid) & 1 << number - 1:  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.005)


def _caught(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")), 16)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see when the process begins")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [0.0, 0.4])
async def test_a_signal_during_the_start(tmp_path: Path, number: signal.Signals, after: float) -> None:
    """A signal while the service is still being loaded ends it with exit 0, without a traceback."""
    folder = copy_starter(tmp_path)
    process = await asyncio.create_subprocess_exec(
        *rasid("run"), cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    await handling(signal.SIGTERM, process)
    await asyncio.sleep(after)  # the instant is what is tested
    process.send_signal(number)
    async with asyncio.timeout(EXIT_WITHIN):
        _, said = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in said
