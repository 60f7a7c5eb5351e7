"""Folders that may not be searched, and names no file system takes: one sentence from every command, never a traceback."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from daemon.cli.main import main
from tests.users import unprivileged_folder

LONG = "x" * 300
COMMANDS = (
    ("alerts", "list"),
    ("deadletter", "list"),
    ("feeds", "list"),
    ("backup", "copy"),
    ("restore", "copy"),
    ("move", "--partitions", "2"),
    ("move", "--to", "other.yaml"),
)


@pytest.fixture
def locked_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Path]:
    """The working folder, in which nobody but root may look into `data` and `copy`; two configurations lie there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("data_dir: data\n")
    for arguments in COMMANDS:
        main(arguments)  # what it imports is imported then: who has no privileges may not even read where the code lies
    capfd.readouterr()
    with unprivileged_folder() as folder:
        (folder / "config.yaml").write_text("data_dir: data/below\n")
        (folder / "other.yaml").write_text("data_dir: other\n")
        for name in ("data", "copy"):
            (folder / name).mkdir(mode=0o000)
        monkeypatch.chdir(folder)
        yield folder
        for name in ("data", "copy"):
            (folder / name).chmod(0o700)
        shutil.rmtree(folder / "copy")


def said(arguments: Sequence[str], capfd: pytest.CaptureFixture[str]) -> str:
    """What a command that cannot do its work says: one line, and exit code 1."""
    assert main(arguments) == 1
    out, err = capfd.readouterr()
    assert (out, err.count("\n"), err[:7]) == ("", 1, "rasid: "), err
    return err


@pytest.mark.usefixtures("locked_out")
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_folder_that_may_not_be_searched(arguments: Sequence[str], capfd: pytest.CaptureFixture[str]) -> None:
    """A data_dir or backup of another user's is named, with what is wrong."""
    err = said(arguments, capfd)
    assert "Permission denied" in err or "may not be written by this user" in err


@pytest.mark.parametrize("arguments", [*COMMANDS, ("backup", LONG), ("restore", LONG)], ids=lambda words: words[0])
def test_a_name_that_is_too_long(
    arguments: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A data_dir or backup that no file system can have is named, with what is wrong."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(f"data_dir: {LONG if LONG not in arguments else 'data'}\n")
    (tmp_path / "other.yaml").write_text("data_dir: other\n")
    (tmp_path / "copy").mkdir()
    err = said(arguments, capfd)
    assert "File name too long" in err or "no such file" in err


def test_check_warns_of_a_feed_whose_name_is_too_long(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A `file:` address that no file system can have is a warning, as one that leads to no file is."""
    config = tmp_path / "config.yaml"
    config.write_text(f"feeds:\n  - {{id: one, url: 'file:{LONG}'}}\n")
    assert main(["check", "--config", str(config)]) == 0
    assert f"feeds[0].url: {tmp_path / LONG} cannot be read: File name too long" in capfd.readouterr().err
