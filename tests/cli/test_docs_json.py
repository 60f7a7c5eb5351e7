"""docs/json.md names the fields that the commands print, and no other."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from click import Command

from consumers.explain import Explanation
from daemon.cli.feeds import list_feeds
from daemon.cli.feeds_find import find_feeds
from daemon.cli.feeds_poll import Told, poll_feed
from daemon.cli.main import main
from daemon.errors import Problem
from daemon.feeds.elsewhere.discovery import Found
from daemon.feeds.listing import Line
from daemon.messages.alert import Outcome, Sent
from daemon.messages.dead import DeadLetter
from daemon.messages.match import Hit

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "json.md").read_text("utf-8")


def named(what: str) -> set[str]:
    """The fields in the table of something."""
    table = DOCS.partition(f"<!-- names: json of {what} -->\n")[2].partition("\n\n")[0]
    return set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


@pytest.mark.parametrize(
    ("what", "shape", "besides"),
    [
        ("findings", Outcome, {"kind"}),
        ("deliveries", Sent, {"kind"}),
        ("feeds", Line, set()),
        ("found feeds", Found, set()),
        ("polls on command", Told, set()),
        ("hits", Hit, set()),
        ("problems", Problem, {"level"}),
        ("explanations", Explanation, {"level"}),
    ],
)
def test_records(what: str, shape: type, besides: set[str]) -> None:
    """What is printed as it is kept has the fields it is kept with."""
    assert named(what) == {field.name for field in fields(shape)} | besides


@pytest.mark.parametrize(
    ("command", "shape"),
    [(list_feeds, Line), (find_feeds, Found), (poll_feed, Told)],
    ids=["list", "find", "poll"],
)
def test_helps(command: Command, shape: type) -> None:
    """The help of a command names the fields of what it prints, in their order."""
    listed = re.search(r"\{(\"id\"|\"url\")[^}]*\}", command.help or "")
    assert listed is not None
    assert re.findall(r"\"(\w+)\"", listed[0]) == [field.name for field in fields(shape)]


def test_dead_letters() -> None:
    """A letter is printed without the bytes it holds."""
    besides = {"id", "record", "lane", "key"}
    assert named("dead letters") == {field.name for field in fields(DeadLetter)} - {"value"} | besides


@pytest.mark.parametrize(
    ("what", "line", "seldom"),
    [
        ("items", ["parse", str(ROOT / "seeds" / "sample-feed.xml")], {"file", "summary_html", "content_html"}),
        ("articles", ["extract", str(ROOT / "seeds" / "sample-page.html")], {"file", "id"}),
        ("attempts", ["send-test", "screen", "--config", str(ROOT / "config.yaml")], set()),
    ],
)
def test_lines(what: str, line: list[str], seldom: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What is made for printing has the fields that are printed; those said to be seldom may be missing."""
    assert main(line) == 0
    printed = set(json.loads(capsys.readouterr().out.splitlines()[0]))
    assert named(what) - seldom <= printed <= named(what)


def test_matches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A match has its fields, a hit and a near miss theirs."""
    article = tmp_path / "article.json"
    article.write_text('{"title": "Lloyd Austin in Baghdad", "rest": "Nawaf Salam"}', "utf-8")
    assert main(["match", str(article), "--near-misses", "--config", str(ROOT / "config.yaml")]) == 0
    match = json.loads(capsys.readouterr().out.splitlines()[0])
    assert named("matches") == set(match)
    assert named("hits") == set(match["hits"][0])
    misses = DOCS.partition("A near miss has ")[2].partition("\n")[0]
    assert set(re.findall(r"`(\w+)`", misses)) == set(match["near_misses"][0])


def test_the_summary_of_check(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line of a check has the fields that the page says."""
    assert main(["check", "--config", str(ROOT / "config.yaml")]) == 0
    said = DOCS.partition("The summary has ")[2].partition(". ")[0]
    assert set(re.findall(r"`(\w+)`", said)) - {"summary"} == set(json.loads(capsys.readouterr().out.splitlines()[-1]))
