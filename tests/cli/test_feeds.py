"""`rasid feeds list` over a real bus."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from daemon.app.buses import open_bus
from daemon.bus.base import Step
from daemon.bus.topics import FEEDS, partition_of
from daemon.cli.main import main
from daemon.clock import WallClock
from daemon.config.load import load_config
from daemon.feeds.pace.schedule import Pace
from daemon.feeds.poller import Poller
from daemon.feeds.sources.load import load_sources
from daemon.metrics import count_nothing
from daemon.stage.table import StepTable

CONFIG = 'feeds:\n  - {id: one, url: "https://example.org/feed"}\n  - {id: two, url: "https://example.org/two"}\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return path


async def _reconciled(config_file: Path) -> None:
    """A service that started and ended: its rows stand on the bus."""
    config, clock = load_config(config_file, {}), WallClock()
    poller = Poller(load_sources(config, config_file, {})[:1], pace=Pace(), parser=1)
    async with (
        open_bus(config, config_file.parent, clock=clock, service=True, observe=count_nothing) as bus,
        AsyncExitStack() as stack,
    ):
        wanted = partition_of("example.org", bus.partitions(FEEDS))
        async for held in bus.leases(FEEDS, "poller"):
            lease = await stack.enter_async_context(held)
            if lease.partition == wanted:
                table = StepTable(lease.rows)
                poller.reconcile(lease.partition, lease.partitions, table, clock.now())
                await lease.commit(Step(None, rows=table.changes()))
                return


def test_feeds_as_json_lines(config: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Piped, each feed is one JSON object: one the service knows with its next poll, another as new."""
    asyncio.run(_reconciled(config))
    assert main(["feeds", "list", "--config", str(config)]) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [(line["id"], line["state"], line["next_poll"] is None) for line in lines] == [
        ("one", "new", False),
        ("two", "new", True),
    ]


def test_a_broken_config(config: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Bad feeds are exit 2 with file, line, key and reason."""
    config.write_text("feeds:\n  - {id: one, url: 'gopher://e.com'}\n")
    assert main(["feeds", "list", "--config", str(config)]) == 2
    assert "config.yaml:2:15: feeds[0].url: not an http, https or file address" in capfd.readouterr().err


def test_a_bad_edit_beside_what_runs(config: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """While the files cannot be used, their mistakes are told and the list is what the service remembers; exit 2."""
    asyncio.run(_reconciled(config))
    config.write_text(CONFIG + "  - {id: three, url: 'gopher://e.com'}\n")
    assert main(["feeds", "list", "--config", str(config)]) == 2
    said = capfd.readouterr()
    (line,) = [json.loads(line) for line in said.out.splitlines()]
    assert (line["id"], line["url"], line["state"], line["next_poll"] is None) == (
        "one",
        "https://example.org/feed",
        "new",
        False,
    )
    assert "config.yaml:4:17: feeds[2].url: not an http" in said.err
    assert "the feeds of the last good state" in said.err


@pytest.mark.parametrize("command", ["list", "export"])
def test_no_secret_is_needed(command: str, config: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Who looks on has not the service's variables, nor its files of secrets: addresses are shown as they are written."""
    asyncio.run(_reconciled(config))
    url, basic = "https://example.org/f?key=${FEED_KEY}", "{username: u, password: '${FEED_PW}'}"
    feeds = f"- {{id: key, url: '{url}'}}\n- {{id: pw, url: 'https://example.org/p', auth: {{basic: {basic}}}}}\n"
    feeds += "- {id: token, url: 'https://example.org/t', auth: {bearer: 'file:not-for-you'}}\n"
    (config.parent / "more.yaml").write_text(feeds)
    hook = "receivers: [{name: hook, webhook: {url: '${HOOK}'}}]\nroute: {receiver: hook}\n"
    config.write_text(hook + CONFIG + "  - {file: more.yaml}\n")
    assert main(["feeds", command, "--config", str(config)]) == 0
    said = capfd.readouterr()
    assert all(text in said.out for text in (url, "https://example.org/p", "https://example.org/t"))
    assert said.err.count("is exported without its secret") == (3 if command == "export" else 0)


def test_a_command_makes_no_bus(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """In a folder where no service has run, a command says so with exit code 1 and leaves nothing behind."""
    config = tmp_path / "config.yaml"
    config.write_text("data_dir: data\n")
    assert main(["feeds", "list", "--config", str(config)]) == 1
    assert "there is no bus here yet" in capfd.readouterr().err
    assert not (tmp_path / "data").exists()
