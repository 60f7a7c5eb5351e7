"""What a newer version has written meets an older one: rows end it with a sentence, records are set aside; nothing is lost."""

from pathlib import Path
from typing import Final

import apsw
import orjson
import pytest

from daemon.bus.base import Record
from daemon.bus.embedded.bus import EmbeddedBus
from daemon.bus.topics import ARTICLES, FEEDS, MATCHES, OUTBOX, RAW
from daemon.clock import WallClock
from tests.e2e.service import command, copy_starter, json_lines, running

TAKEN_BY: Final = {FEEDS: "poller", RAW: "enricher", ARTICLES: "matcher", MATCHES: "alerter", OUTBOX: "sender"}
KINDS: Final = {FEEDS: "command", RAW: "raw_article", ARTICLES: "article", MATCHES: "match", OUTBOX: "message"}
ALERT_WITHIN: Final = 30.0


async def told_once(folder: Path) -> None:
    """Run it until the sample's alert stands on the screen."""
    async with running(folder) as service:
        await service.until(lambda at: "Lloyd Austin" in "\n".join(at.out), ALERT_WITHIN)
        assert await service.stop() == 0


def rewrite(folder: Path, old: str, new: str) -> None:
    """Change the format that rows of feeds say they have."""
    with apsw.Connection(str(folder / "data" / "bus.sqlite")) as db:
        update = (
            "UPDATE row SET value = CAST(replace(CAST(value AS TEXT), ?, ?) AS BLOB) WHERE key >= 'feed/' AND key < 'feed0'"
        )
        db.execute(update.replace("'feed/'", "x'666565642f'").replace("'feed0'", "x'6665656430'"), (old, new))
        assert db.changes() == 1


@pytest.mark.slow
async def test_rows_of_a_newer_version(tmp_path: Path) -> None:
    """Each start ends with one sentence that names file, partition and what to do; the newer version then goes on."""
    folder = copy_starter(tmp_path)
    await told_once(folder)
    rewrite(folder, '"v":1', '"v":2')
    for _ in range(2):
        code, out, err = await command(folder, "run")
        assert (code, out) == (1, "")
        said = [line for line in err.splitlines() if not line.startswith("{")]
        assert len(said) == 1, err
        assert "bus.sqlite, partition " in said[0]
        assert "of poller: a row of the poller (FeedRow) has format 2 of a newer version of Rasid; run that version" in said[0]
    code, _, err = await command(folder, "feeds", "list")
    assert (code, err.count("\n")) == (1, 1)
    assert "has format 2 of a newer version" in err
    rewrite(folder, '"v":2', '"v":1')
    async with running(folder) as service:
        await service.event("started")
        assert await service.stop() == 0
        assert service.out == []
    assert await json_lines(folder, "deadletter", "list") == []


async def test_records_of_a_newer_version(tmp_path: Path) -> None:
    """On every topic they are set aside with a sentence and their bytes, and what else stands there goes on."""
    folder = copy_starter(tmp_path)
    values = {topic: orjson.dumps({"kind": kind, "v": 2, "other": [1]}) for topic, kind in KINDS.items()}
    async with running(folder) as service:
        await service.event("started")
        async with EmbeddedBus(folder / "data" / "bus.sqlite", clock=WallClock(), service=False) as bus:
            await bus.publish([Record(topic, "lane", b"newer", value, 1.0) for topic, value in values.items()])
        for hop in TAKEN_BY.values():
            await service.event("dead_letter", hop=hop, reason="undecodable")
        await service.until(lambda at: "Lloyd Austin" in "\n".join(at.out), ALERT_WITHIN)
        assert await service.stop() == 0
    letters = {letter["topic"]: letter for letter in await json_lines(folder, "deadletter", "list")}
    assert {topic: letter["hop"] for topic, letter in letters.items()} == TAKEN_BY
    for topic, letter in letters.items():
        assert letter["error"] == f"{KINDS[topic]}: version 2 is not known to this version of Rasid; run a newer one"
        code, out, err = await command(folder, "deadletter", "show", letter["id"])
        assert code == 0, err
        assert values[topic].decode() in out
