"""What is looked at, and where notices of its changes come from."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.app.watch import Watched
from daemon.config.files import noting, read_plain


def watched(folder: Path, *patterns: str) -> Watched:
    return Watched(frozenset({folder / "one.yaml", folder / "missing.yaml"}), patterns, folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "etc"
    made.mkdir()
    (made / "one.yaml").write_text("one")
    return made


def _in_place(folder: Path) -> None:
    (folder / "one.yaml").write_text("other")


def _renamed(folder: Path) -> None:
    stat = (folder / "one.yaml").stat()
    (folder / "new").write_text("two")
    os.utime(folder / "new", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (folder / "new").rename(folder / "one.yaml")


def _removed(folder: Path) -> None:
    (folder / "one.yaml").unlink()


def _appeared(folder: Path) -> None:
    (folder / "missing.yaml").write_text("")


def _matched(folder: Path) -> None:
    (folder / "lists").mkdir()
    (folder / "lists" / "x.yaml").write_text("")


@pytest.mark.parametrize("change", [_in_place, _renamed, _removed, _appeared, _matched])
def test_every_change_is_seen(folder: Path, change: Callable[[Path], None]) -> None:
    """Whatever an editor does, with the same time and size too; and a file that comes to match a pattern."""
    before = watched(folder, "lists/*.yaml").look()
    assert watched(folder, "lists/*.yaml").look() == before
    change(folder)
    assert watched(folder, "lists/*.yaml").look() != before


def test_a_linked_folder(folder: Path, tmp_path: Path) -> None:
    """Another folder behind the same link is a change, and the folder in which the link stands is followed."""
    (tmp_path / "link").symlink_to("etc")
    linked = Watched(frozenset({tmp_path / "link" / "one.yaml"}), (), tmp_path)
    before = linked.look()
    assert {name for name, _, _ in linked.folders()} >= {str(tmp_path), str(folder)}
    other = tmp_path / "other"
    other.mkdir()
    (other / "one.yaml").write_text("one")
    (tmp_path / "new").symlink_to("other")
    (tmp_path / "new").rename(tmp_path / "link")
    assert linked.look() != before


def test_folders_that_are_missing(folder: Path) -> None:
    """The nearest folder that is there is followed: in it the others will appear; one that was made anew is another."""
    deep = Watched(frozenset({folder / "a" / "b" / "c.yaml"}), ("lists/*/x.yaml",), folder)
    before = deep.folders()
    assert {name for name, _, _ in before} == {str(folder)}
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "lists").mkdir()
    assert {name for name, _, _ in deep.folders()} == {str(folder / "a" / "b"), str(folder / "lists")}


def test_patterns_that_cannot_be(folder: Path) -> None:
    """They match nothing, as for whoever reads them."""
    assert watched(folder, "**x/[", "/nowhere/*.yaml").look().keys() == watched(folder).look().keys()


def test_files_are_noted(folder: Path) -> None:
    """Those read, those that could not be, and those of a block within."""
    with noting() as outer:
        with noting() as inner:
            read_plain(folder / "one.yaml", 10)
        with pytest.raises(OSError, match="No such file"):
            read_plain(folder / "missing.yaml", 10)
    read_plain(folder / "one.yaml", 10)
    assert inner == {folder / "one.yaml"}
    assert outer == {folder / "one.yaml", folder / "missing.yaml"}
