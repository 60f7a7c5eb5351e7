"""`rasid check`: what the service would start with, and what is doubtful all the same."""

import sys
from pathlib import Path

import pytest

from daemon.cli.main import main

SOUND = """
feeds: [{id: one, url: "https://example.org/feed"}]
watchlists: [w.yaml]
"""


def checked(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> list[str]:
    """The warnings of a configuration that is right, without the file's name."""
    (folder / "w.yaml").write_text("desk: iraq\nkeywords: [basra]\n")
    path = folder / "config.yaml"
    path.write_text(text)
    assert main(["check", "--config", str(path)]) == 0
    lines = capsys.readouterr().err.splitlines()
    return [line.removeprefix("warning: ").removeprefix(str(path)).lstrip(":") for line in lines]


def test_a_sound_configuration_has_no_doubts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is said of what is as it should be."""
    assert checked(tmp_path, capsys, SOUND) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'feeds: [{id: a, url: "https://example.org/a", interval: 10s}]\nwatchlists: [w.yaml]\n',
            "1:47: feeds[0].interval: is shorter than polling.min_interval: the feed is polled every 60 s (feed a)",
        ),
        ("watchlists: [w.yaml]\n", " feeds: there is no feed: nothing is polled"),
        ('feeds: [{id: a, url: "https://example.org/a"}]\n', " watchlists: there is no watchlist: nothing is told"),
        (
            SOUND + "route: {receiver: screen, routes: [{routes: [{matchers: ['desk=\"dd\"']}]}]}\n",
            '4:58: route.routes[0].routes[0].matchers[0]: desk="dd" fits no desk; there are: iraq',
        ),
    ],
)
def test_doubts_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    """What the service runs with, and does less than was meant, is a warning with its place."""
    assert checked(tmp_path, capsys, text) == [said]


def test_a_file_that_is_not_there_is_doubtful(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It may be written later, or lie where the poller runs: a warning, which names the path that was looked at."""
    (said,) = checked(tmp_path, capsys, "feeds: [{id: a, url: 'file:none.xml'}]\nwatchlists: [w.yaml]\n")
    assert said.endswith(f"feeds[0].url: there is no file {tmp_path.resolve() / 'none.xml'} (feed a)")


def test_desks_that_fit_are_not_doubted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Patterns and what excludes another desk fit the desk that is there."""
    routes = "[{matchers: ['desk=~\"ir.*\"']}, {matchers: ['desk!=\"dd\"', 'severity=\"high\"']}]"
    assert checked(tmp_path, capsys, SOUND + f"route: {{receiver: screen, routes: {routes}}}\n") == []


def test_the_summary_counts_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One feed is one feed."""
    (tmp_path / "w.yaml").write_text("desk: iraq\nkeywords: [basra]\n")
    (tmp_path / "config.yaml").write_text(SOUND)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["check", "--config", str(tmp_path / "config.yaml")]) == 0
    assert capsys.readouterr().out.endswith(": 1 feed, 1 desk, 0 actors, 1 rule, 0 tests, 1 receiver\n")


EXPLAINED = """desk iraq, rule ports, in body, lead, title
where   AND
          NEAR/3
            basra
            OR
              port
              "oil terminal"
          NOT
            lang:fa
unless  =Basra
anchor  basra
and     port or "oil terminal"
cost    4 terms searched for, 1 operator on places
"""


def explain(folder: Path, wanted: str) -> int:
    rule = "{id: ports, where: 'basra NEAR/3 (port OR \"oil terminal\") AND NOT lang:fa', unless: '=Basra'}"
    (folder / "w.yaml").write_text(f"desk: iraq\nrules: [{rule}]\n")
    (folder / "config.yaml").write_text(SOUND)
    return main(["check", "--config", str(folder / "config.yaml"), "--explain", wanted])


@pytest.mark.parametrize("wanted", ["ports", "iraq/ports"])
def test_a_rule_is_explained(
    wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """How it was read, what it needs, what is met least (by a guess) first, and what it costs."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert explain(tmp_path, wanted) == 0
    assert capsys.readouterr().out.startswith(EXPLAINED)


def test_a_rule_that_is_not_there_is_not_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The closest one is named."""
    assert explain(tmp_path, "prots") == 2
    assert "did you mean ports?" in capsys.readouterr().err
