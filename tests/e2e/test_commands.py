"""The commands as a shell runs them, beside a running service on either bus: what they print, and their exit codes."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
import orjson
import pytest

from daemon.cli.main import main
from daemon.cli.main import rasid as main_group
from daemon.config.models import KafkaSettings
from tests.bus.kafka_engine import settings
from tests.e2e.service import command, environment, json_lines, rasid, running
from tests.e2e.workplace import write
from tests.faults.ledger import WATCHLIST
from tests.servers.feeds import RssItem, feed_server, rss
from tests.servers.hooks import HookServer, Say

ITEM = RssItem(guid="one", link="https://news.example/one", title="Jane Roe speaks", description="Jane Roe said so.")


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def kafka(request: pytest.FixtureRequest) -> KafkaSettings | None:
    """Where the bus is: None for the embedded one."""
    return settings(request.getfixturevalue("broker")) if request.param == "kafka" else None


@asynccontextmanager
async def at_work(folder: Path, kafka: KafkaSettings | None) -> AsyncIterator[HookServer]:
    """A service that polls one feed with one item and has told it to the sink."""
    async with feed_server() as feeds, HookServer() as sink:
        feeds.publish("/one", rss([ITEM]))
        write(
            folder,
            WATCHLIST,
            [{"id": "one", "url": feeds.url("/one"), "first_fetch": "alert", "max_age": "none"}],
            sink.url,
            kafka=kafka,
        )
        async with running(folder) as service:
            await sink.wait_for(lambda: len(sink.posted) == 1, 60.0)
            yield sink
            assert await service.stop() == 0, service.told()


async def test_beside_the_service(tmp_path: Path, kafka: KafkaSettings | None) -> None:
    """While the service runs, `feeds list` and `alerts list` tell of its work, and `send-test` and `check` do theirs."""
    async with at_work(tmp_path, kafka) as sink, asyncio.timeout(60):
        (feed,) = await json_lines(tmp_path, "feeds", "list")
        assert (feed["id"], feed["state"], feed["items"]) == ("one", "ok", 1)
        journal = await json_lines(tmp_path, "alerts", "list")
        while len(journal) < 2:  # the delivery's entry follows the sink's answer
            journal = await json_lines(tmp_path, "alerts", "list")
        told = [(entry["kind"], entry["outcome"]) for entry in journal]
        assert told == [("finding", "told"), ("delivery", "delivered")]
        assert await json_lines(tmp_path, "alerts", "list", "--outcome", "told", "--desk", "ledger") == journal[:1]
        assert await json_lines(tmp_path, "alerts", "list", "--desk", "nobody") == []
        (answer,) = await json_lines(tmp_path, "send-test", "sink")
        assert (answer["channel"], answer["outcome"], len(sink.posted)) == ("webhook", "delivered", 2)
        sink.script(Say(status=500))
        assert (await command(tmp_path, "send-test", "sink"))[0] == 1
        code, out, err = await command(tmp_path, "check")
        assert code == 0, err
        assert orjson.loads(out.splitlines()[-1])["actors"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("send-test", "nobody"), "there is no receiver 'nobody'"),
        (("feeds", "list", "--config", "absent.yaml"), "absent.yaml"),
        (("alerts", "list", "--config", "absent.yaml"), "absent.yaml"),
        (("run", "--config", "absent.yaml"), "absent.yaml"),
        (("run", "--role", "cook"), "there is no role cook"),
        (("alerts", "list", "--since", "soon"), "not a duration"),
        (("match", "absent.jsonl"), "absent.jsonl"),
        (("parse", "absent.xml"), "absent.xml: cannot be read"),
        (("extract", "absent.html"), "absent.html: cannot be read"),
        (("dance",), "No such command 'dance'"),
    ],
)
def test_bad_input_is_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], arguments: Sequence[str], says: str
) -> None:
    """What is not there or not known is exit 2 with a sentence that names it, and nothing on stdout."""
    monkeypatch.chdir(write(tmp_path, WATCHLIST, [], "http://127.0.0.1:9/"))
    assert main(list(arguments)) == 2
    out, err = capfd.readouterr()
    assert (out, says in err) == ("", True), err


async def test_no_bus_yet_is_exit_1(tmp_path: Path) -> None:
    """Before the first run there is nothing to list, and that is said."""
    write(tmp_path, WATCHLIST, [], "http://127.0.0.1:9/")
    code, out, err = await command(tmp_path, "alerts", "list")
    assert (code, out) == (1, "")
    assert "there is no bus here yet" in err


async def pipe(folder: Path, line: str) -> tuple[int, list[dict[str, Any]], str]:
    """A line for the shell, `rasid` being ours; the exit code is the last failing command's."""
    shell = f'set -o pipefail; rasid() {{ {" ".join(rasid())} "$@"; }}; {line}'
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", shell, stdout=-1, stderr=-1, cwd=folder, env={**os.environ, **environment()}
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode or 0, [orjson.loads(each) for each in out.splitlines()], err.decode()


async def test_the_steps_as_a_pipeline(tmp_path: Path) -> None:
    """`parse`, `extract` and `match` take each other's lines; a bad part of the input is exit 2, and the rest passes."""
    write(tmp_path, WATCHLIST, [], "http://127.0.0.1:9/")
    (tmp_path / "feed.xml").write_bytes(rss([ITEM]))
    (tmp_path / "page.html").write_text(
        "<html><title>News</title><body><article><p>Jane Roe said so.</p></article></body></html>"
    )
    (tmp_path / "page.txt").write_text("Nothing of note.")
    code, (match,), _ = await pipe(tmp_path, "rasid parse feed.xml | rasid extract | rasid match")
    assert (code, match["actors"], match["article"]) == (0, ["jane-roe"], "one")
    code, (match,), _ = await pipe(tmp_path, "rasid extract page.html page.txt | rasid match")
    assert (code, match["actors"], match["hits"][0]["zone"]) == (0, ["jane-roe"], "body")
    code, (item,), err = await pipe(tmp_path, "cat feed.xml | rasid parse --url https://news.example/feed -")
    assert (code, item["title"]) == (0, ITEM.title)
    assert "RSS 2.0; well-formed" in err
    code, lines, err = await pipe(tmp_path, "{ echo nonsense; rasid parse feed.xml | rasid extract; } | rasid match")
    assert (code, len(lines)) == (2, 1)
    assert "standard input:1: not valid JSON" in err
    code, lines, err = await pipe(tmp_path, "rasid parse feed.xml | rasid match")
    assert (code, lines) == (2, [])
    assert "not divided into zones yet: send it through `rasid extract` first" in err
    code, lines, err = await pipe(tmp_path, "rasid parse page.txt feed.xml")
    assert (code, len(lines)) == (2, 1)
    assert "page.txt: no items" in err
    assert (await pipe(tmp_path, 'yes \'{"title": "Jane Roe"}\' | head -20000 | rasid match | head -1'))[0] in {0, 141}


async def test_check_names_file_line_key_and_reason(tmp_path: Path) -> None:
    """A broken config, feed or watchlist is exit 2, each mistake one JSON object with its place."""
    write(tmp_path, WATCHLIST, [{"id": "one", "url": "gopher://example.org"}], "http://127.0.0.1:9/")
    with (tmp_path / "watchlist.yaml").open("a") as file:
        file.write("  - {id: jane-roe, names: Another}\n")
    code, out, err = await command(tmp_path, "check")
    problems = [orjson.loads(line) for line in out.splitlines()]
    assert (code, {Path(problem["file"]).name for problem in problems}) == (2, {"config.yaml", "watchlist.yaml"})
    assert all(problem["level"] == "error" and problem["line"] and problem["key"] and problem["reason"] for problem in problems)
    assert err.count("error:") == len(problems)


def commands(group: click.Group, *path: str) -> Iterator[Sequence[str]]:
    """Every command that is no group, by the words that name it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name)


@pytest.mark.parametrize("name", [(), *commands(main_group)], ids=" ".join)
def test_help_is_worth_reading(name: Sequence[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Each command's help says more than its name, and names the exit codes."""
    assert main([*name, "--help"]) == 0
    said = " ".join(capfd.readouterr().out.split())
    assert said.startswith(" ".join(["Usage: rasid", *name]))
    assert "Exit code" in said
    assert len(said.partition("Options:")[0]) > 200
