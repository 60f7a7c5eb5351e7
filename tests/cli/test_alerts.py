"""`rasid alerts list` over a real bus."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.listing import entry_table
from daemon.app.buses import open_bus
from daemon.bus.base import Record
from daemon.bus.topics import ALERTS
from daemon.cli.main import main
from daemon.clock import WallClock
from daemon.config.load import load_config
from daemon.messages.alert import Delivery, Outcome, Reason, Sent, Told
from daemon.messages.wire import encode
from daemon.metrics import count_nothing

NOW = WallClock().now()
TOLD = Outcome(
    desk="iraq",
    match="m1",
    article="a1",
    url="https://news.example/1",
    title="وزير الدفاع يلتقي نظيره",
    actor="thabet-al-abbasi",
    outcome=Told.TOLD,
    reason=Reason.NEW_STORY,
    receivers=("screen",),
    message="o1",
    at=NOW - 3000,
)
HELD = replace(TOLD, outcome=Told.HELD, reason=Reason.GROUP_WAIT, until=NOW - 3000, at=NOW - 8400)
QUIET = replace(TOLD, actor="x", outcome=Told.SUPPRESSED, reason=Reason.ZONE, receivers=(), message="", at=NOW - 3600)
SENT = Sent(
    desk="levant", message="o1", version=1, receiver="screen", channel="console", outcome=Delivery.DELIVERED, at=NOW - 10
)
OLD = replace(QUIET, match="m0", at=NOW - 90_000)
JOURNAL = (OLD, HELD, TOLD, QUIET, SENT)


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("data_dir: data\n")
    asyncio.run(_write(path, [encode(entry) for entry in JOURNAL] + [b'{"kind":"outcome","v":9}']))
    return path


async def _write(path: Path, values: Sequence[bytes]) -> None:
    config = load_config(path, {})
    async with open_bus(config, path.parent, clock=WallClock(), service=True, observe=count_nothing) as bus:
        ats = [*(entry.at for entry in JOURNAL), NOW]
        await bus.publish([Record(ALERTS, str(at), b"", value, at) for value, at in zip(values, ats, strict=True)])


def listed(config: Path, capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[list[dict[str, object]], str]:
    assert main(["alerts", "list", "--config", str(config), *arguments]) == 0
    said = capfd.readouterr()
    return [json.loads(line) for line in said.out.splitlines()], said.err


def test_the_journal_as_json_lines(config: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Piped: one object an entry of the last day, newest last; a held finding that ended is listed once."""
    lines, said = listed(config, capfd)
    assert [(line["kind"], line["outcome"], line["reason"]) for line in lines] == [
        ("finding", "suppressed", "zone"),
        ("finding", "told", "new_story"),
        ("delivery", "delivered", ""),
    ]
    assert said == "rasid: 1 entries were written by a newer version and are left out\n"


@pytest.mark.parametrize(
    ("options", "outcomes"),
    [
        (["--desk", "levant"], ["delivered"]),
        (["--outcome", "suppressed"], ["suppressed"]),
        (["--since", "30m"], ["delivered"]),
        (["--since", "2d", "--outcome", "suppressed"], ["suppressed", "suppressed"]),
        (["--limit", "2"], ["told", "delivered"]),
        (["--desk", "nowhere"], []),
    ],
)
def test_entries_are_chosen(config: Path, capfd: pytest.CaptureFixture[str], options: list[str], outcomes: list[str]) -> None:
    """By age, desk and outcome; at most so many, the newest."""
    lines, _ = listed(config, capfd, *options)
    assert [line["outcome"] for line in lines] == outcomes


def test_table_on_a_terminal(config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal: a table with who, why and to whom."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["alerts", "list", "--config", str(config)]) == 0
    head, quiet, told, sent = capsys.readouterr().out.splitlines()
    assert head.split() == ["time", "(UTC)", "desk", "outcome", "reason", "detail", "of", "to", "headline"]
    assert "suppressed" in quiet
    assert "thabet-al-abbasi" in told
    assert "screen (console)" in sent


def test_the_table_says_until_when_and_what_went_wrong() -> None:
    """Until when a finding is held, and what a server said to a message that did not arrive; of others nothing."""
    held = replace(HELD, until=1_700_000_000.0)
    refused = replace(SENT, outcome=Delivery.RETRY, reason="unreachable", detail="Connect call failed")
    _, *lines = entry_table([held, refused, replace(SENT, detail="HTTP 200")]).splitlines()
    assert "until 2023-11-14 22:13:20" in lines[0]
    assert "Connect call failed" in lines[1]
    assert "HTTP 200" not in lines[2]


def test_texts_of_feeds_cannot_steer_a_terminal() -> None:
    """Control characters and bidi overrides of a headline do not reach the terminal, nor does it break the line."""
    hostile = replace(TOLD, title="\x1b[31mred\nline\u202e")
    shown = entry_table([hostile])
    assert len(shown.splitlines()) == 2
    assert not {"\x1b", "\u202e"} & set(shown)


@pytest.mark.parametrize("options", [["--since", "yesterday"], ["--outcome", "lost"], ["--limit", "0"]])
def test_wrong_options(config: Path, capfd: pytest.CaptureFixture[str], options: list[str]) -> None:
    """An option that cannot be read is exit 2 and names itself."""
    assert main(["alerts", "list", "--config", str(config), *options]) == 2
    assert options[0] in capfd.readouterr().err
