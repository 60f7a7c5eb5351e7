"""README.md, “Try each step alone”: each transcript is what the commands print on a terminal."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "README.md").read_text("utf-8").partition("## Try each step alone\n")[2].partition("\n## ")[0]
TRANSCRIPTS = re.findall(r"```console\n\$ ([^\n]+)\n(.*?)```", SECTION, re.DOTALL)


def on_a_terminal(line: str) -> str:
    """What a line of the shell prints there, without colours and the marks around right-to-left text."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with subprocess.Popen(line, shell=True, cwd=ROOT, env=environ, stdout=theirs, stderr=theirs):  # noqa: S602 - the page's own
        os.close(theirs)
        printed = b""
        try:
            while some := os.read(ours, 65536):
                printed += some
        except OSError:  # how Linux says that nobody holds the other end any more
            pass
        finally:
            os.close(ours)
    return re.sub(r"\x1b\[[0-9;]*m|[\u2068\u2069\r]", "", printed.decode())


def test_the_page_was_understood() -> None:
    """The transcripts were found at all."""
    assert len(TRANSCRIPTS) == 3


@pytest.mark.parametrize(("line", "printed"), TRANSCRIPTS)
def test_transcripts(line: str, printed: str) -> None:
    """A step prints what the page shows."""
    assert on_a_terminal(line) == printed
