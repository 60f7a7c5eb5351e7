"""`file:` addresses: below the folder or not at all."""

import os
from pathlib import Path

import pytest

from daemon.net.answers import FetchOutcome
from daemon.net.files import OutsideFolder, locate, read_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside.xml").write_bytes(b"secret")
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "feed.xml").write_bytes(b"<rss/>")
    (folder / "link.xml").symlink_to(tmp_path / "outside.xml")
    return folder


@pytest.mark.parametrize("url", ["file:feed.xml", "FILE:./feed.xml", "file:../etc/feed.xml"])
def test_files_below_the_folder(folder: Path, url: str) -> None:
    """A file below the config's folder is read, and its time and size make an ETag."""
    fetched = read_file(url, folder, known="", limit=100)
    assert (fetched.outcome, fetched.body) == (FetchOutcome.OK, b"<rss/>")
    assert read_file(url, folder, known=fetched.etag, limit=100).outcome is FetchOutcome.NOT_MODIFIED


def test_a_changed_file_is_read_again(folder: Path) -> None:
    """A file whose time or size differs is read again."""
    first = read_file("file:feed.xml", folder, known="", limit=100)
    os.utime(folder / "feed.xml", ns=(1, 1))
    assert read_file("file:feed.xml", folder, known=first.etag, limit=100).outcome is FetchOutcome.OK


@pytest.mark.parametrize("url", ["file:../outside.xml", "file:link.xml", "file:/etc/passwd", "file:///etc/passwd", "file:a\0b"])
def test_files_outside_the_folder(folder: Path, url: str) -> None:
    """What lies outside, also behind a symlink, is refused with a sentence that says so."""
    assert read_file(url, folder, known="", limit=100).outcome is FetchOutcome.REFUSED_FILE
    with pytest.raises(OutsideFolder, match="file:"):
        locate(url, folder)


def test_files_that_cannot_be_read(folder: Path) -> None:
    """A missing file, a folder and a pipe are outcomes; nothing waits for a pipe."""
    os.mkfifo(folder / "pipe")
    for name in ("missing.xml", ".", "pipe"):
        assert read_file(f"file:{name}", folder, known="", limit=100).outcome is FetchOutcome.UNREADABLE_FILE


def test_files_that_are_too_large(folder: Path) -> None:
    """Feeds 17: the cap on bodies holds for files too."""
    assert read_file("file:feed.xml", folder, known="", limit=5).outcome is FetchOutcome.TOO_LARGE
