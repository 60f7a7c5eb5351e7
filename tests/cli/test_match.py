"""`rasid match`: lines in, lines out."""

import json
from pathlib import Path
from typing import Any

import pytest

from daemon.cli.main import main

WATCHLIST = "desk: d\nactors: [[Lloyd Austin], [نواف سلام]]\nrules: [{id: r, any: war, stage: shadow}]"
ARTICLES: list[dict[str, Any]] = [
    {"id": "one", "title": "Lloyd Austin", "body": "وقال لويد", "rest": "نواف سلام"},
    {"id": "two", "rest": "نواف سلام"},
    {"id": 3, "body": "a war", "unknown": 1, "source": {"name": "INA"}, "lang": "en"},
    {"body": "nothing"},
]


@pytest.fixture(name="watchlist")
def _watchlist(tmp_path: Path) -> str:
    path = tmp_path / "w.yaml"
    path.write_text(WATCHLIST, "utf-8")
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    code = main(["match", *arguments])
    said = capsys.readouterr()
    return code, [json.loads(line) for line in said.out.splitlines()], said.err


def written(tmp_path: Path, *lines: str | dict[str, Any]) -> str:
    path = tmp_path / "in.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), "utf-8")
    return str(path)


def test_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path, watchlist: str) -> None:
    """One line a match with matching.md's names, in the input's order; what matches nothing prints nothing."""
    code, lines, _ = run(capsys, "--watchlist", watchlist, written(tmp_path, *ARTICLES))
    assert code == 0
    assert [(line["article"], line["actors"], line["rules"], line["stage"], line["severity"]) for line in lines] == [
        ("one", ["lloyd-austin"], [], "live", "normal"),
        ("3", [], ["r"], "shadow", "normal"),
    ]
    assert lines[0]["watchlist"].startswith("sha256:")
    assert lines[0]["hits"] == [
        {
            "zone": "title", "start": 0, "end": 12, "surface": "Lloyd Austin", "alias": "Lloyd Austin", "actor": "lloyd-austin",
            "rule": None, "prefix": "", "suffix": "", "snippet": "Lloyd Austin", "offset": 0,
        }
    ]  # fmt: skip


def test_near_misses_and_all(capsys: pytest.CaptureFixture[str], tmp_path: Path, watchlist: str) -> None:
    """`--near-misses` adds what stayed silent, with the reason; `--all` a line for every article and desk."""
    _, lines, _ = run(capsys, "--watchlist", watchlist, "--near-misses", written(tmp_path, *ARTICLES))
    assert [line["article"] for line in lines] == ["one", "two", "3"]
    assert [(miss["reason"], miss["zone"], miss["surface"]) for miss in lines[1]["near_misses"]] == [
        ("zone", "rest", "نواف سلام")
    ]
    _, lines, _ = run(capsys, "--watchlist", watchlist, "--all", written(tmp_path, *ARTICLES))
    assert [(line["article"], len(line["hits"])) for line in lines] == [("one", 1), ("two", 0), ("3", 1), ("4", 0)]
    assert lines[3]["severity"] is None


def test_text(capsys: pytest.CaptureFixture[str], tmp_path: Path, watchlist: str) -> None:
    """`--text` takes the input as one article's body."""
    path = tmp_path / "page.txt"
    path.write_text("The first line.\nلنواف سلام", "utf-8")
    _, (line,), _ = run(capsys, "--watchlist", watchlist, "--text", str(path))
    assert [(hit["zone"], hit["start"], hit["end"], hit["prefix"]) for hit in line["hits"]] == [("body", 17, 26, "ل")]


def test_bad_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path, watchlist: str) -> None:
    """Lines that cannot be read are named with their number, the others matched, and the exit code is 2."""
    path = written(tmp_path, "no json", {"id": "x"}, "[1]", {"body": 5}, {"body": "x", "revision": 0}, "", ARTICLES[0])
    code, lines, errors = run(capsys, "--watchlist", watchlist, path)
    assert (code, [line["article"] for line in lines]) == (2, ["one"])
    said = errors.splitlines()
    assert [line.split(": ")[0] for line in said] == [f"{path}:{number}" for number in range(1, 6)]
    assert "has no text" in said[1]
    assert "'body' must be a text" in said[3]


def test_bad_watchlist_and_missing_input(capsys: pytest.CaptureFixture[str], tmp_path: Path, watchlist: str) -> None:
    """A bad watchlist or input that is not there ends with 2 and one sentence."""
    (tmp_path / "bad.yaml").write_text("desk: d\nactors: [[a، b]]", "utf-8")
    code, _, errors = run(capsys, "--watchlist", str(tmp_path / "bad.yaml"), written(tmp_path, *ARTICLES))
    assert (code, errors.startswith(f"{tmp_path / 'bad.yaml'}:2:11: actors[0][0]")) == (2, True)
    code, _, errors = run(capsys, "--watchlist", watchlist, str(tmp_path / "none.jsonl"))
    assert code == 2
    assert "No such file" in errors


def test_watchlists_of_the_config(capsys: pytest.CaptureFixture[str], tmp_path: Path, watchlist: str) -> None:
    """Without `--watchlist` those of the config are used, relative to it; warnings about names go to stderr."""
    Path(watchlist).write_text("desk: d\nactors: [[the]]", "utf-8")
    (tmp_path / "config.yaml").write_text("watchlists: [w.yaml]", "utf-8")
    code, lines, errors = run(capsys, "--config", str(tmp_path / "config.yaml"), written(tmp_path, {"body": "the"}))
    assert (code, [line["actors"] for line in lines]) == (0, [["the"]])
    assert "warning: " in errors


def test_silence_is_said_to_people(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, watchlist: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal an input without any hit ends with a sentence; scripts get nothing, as before."""
    assert run(capsys, written(tmp_path, ARTICLES[3]), "--watchlist", watchlist) == (0, [], "")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["match", written(tmp_path, ARTICLES[3]), "--watchlist", watchlist]) == 0
    assert capsys.readouterr().err == "nothing of the watchlists was found\n"
