"""A data_dir on a file system without locks."""

import errno
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.service import ROOT, copy_starter, environment, rasid


def without_locks(folder: Path, number: int, *arguments: str) -> tuple[int, str]:
    """A command of ours whose locks the kernel refuses: exit code, stderr. Skips where no system call can be filtered."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip("the filter of system calls is written for Linux on x86-64")
    wrapper = [sys.executable, "-m", "tests.servers.lockless", str(number), *rasid(*arguments)]
    done = subprocess.run(
        wrapper, cwd=folder, env=environment(PYTHONPATH=str(ROOT)), capture_output=True, timeout=60, check=False
    )
    if "no filter of system calls" in done.stderr.decode():
        pytest.skip("this system lets nobody filter system calls")
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_the_service_refuses_it(tmp_path: Path, number: int) -> None:
    """It ends with one sentence that says what is missing and what to do, and makes no bus."""
    folder = copy_starter(tmp_path)
    code, err = without_locks(folder, number, "run")
    said = [line for line in err.splitlines() if not line.startswith("{")]
    assert code == 1
    assert len(said) == 1, err
    assert "bus.sqlite: the file system there has no locks (" in said[0]
    assert "put data_dir on a local disk" in said[0]
    assert not (folder / "data" / "bus.sqlite").exists()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_command_says_so(tmp_path: Path, number: int) -> None:
    """A command beside it ends with one sentence, too."""
    folder = copy_starter(tmp_path)
    (folder / "data").mkdir()
    (folder / "data" / "bus.sqlite").touch()
    code, err = without_locks(folder, number, "alerts", "list")
    assert (code, err.count("\n")) == (1, 1), err
    assert "bus.sqlite: " in err
