"""What CI makes of tests that were skipped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ABSENT

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("reason", "required", "code"),
    [("no broker", "1", pytest.ExitCode.TESTS_FAILED), (f"{ABSENT}page", "1", 0), ("no broker", "", 0)],
)
def test_what_may_be_skipped(tmp_path: Path, reason: str, required: str, code: int) -> None:
    """Where everything is required, a missing component fails the run; a document that cannot be installed does not."""
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_sessionfinish\n")
    (tmp_path / "test_it.py").write_text(f"import pytest\n\ndef test_it():\n    pytest.skip({reason!r})\n")
    command = (sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path))
    required_or_not = os.environ | {"RASID_REQUIRE_ALL": required}
    ended = subprocess.run(command, cwd=ROOT, env=required_or_not, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout.count(b"1 skipped")) == (code, 1)
