"""`rasid feeds find` against a real server."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path

import pytest

from daemon.cli.main import main
from tests.servers.feeds import Answer, RssItem, feed_server, rss

PAGE = b'<html><head><link rel="alternate" type="application/rss+xml" href="/news.xml"></head></html>'


def _config(folder: Path, polling: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(f"polling: {{{polling}, user_agent: Finder/1, per_site: {{gap: 0s}}}}\n")
    return path


async def _pauses(config: Path) -> list[float]:
    """Between requests, by the server's own log."""
    async with feed_server() as server:
        await asyncio.to_thread(main, ["feeds", "find", server.url("/"), "--config", str(config)])
        return [later.at - earlier.at for earlier, later in pairwise(server.requests[:3])]


async def _found(config: Path) -> tuple[int, str, set[bytes]]:
    async with feed_server() as server:
        server.script("/", Answer(body=PAGE, headers={"Content-Type": "text/html"}))
        server.script("/news.xml", Answer(body=rss([RssItem(guid="1", title="One")], title="The news")))
        code = await asyncio.to_thread(main, ["feeds", "find", server.url("/"), "--config", str(config)])
        return code, server.url("/news.xml"), {asked.headers[b"user-agent"] for asked in server.requests}


def test_find(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Feeds 29: each feed of the page is one JSON object ; asked as `polling` says."""
    code, url, agents = asyncio.run(_found(_config(tmp_path, "allow_addresses: [127.0.0.1/32]")))
    (line,) = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert (code, line) == (0, {"url": url, "title": "The news", "format": "RSS 2.0", "items": 1, "guessed": False})
    assert agents == {b"Finder/1"}


def test_find_keeps_the_gap_of_a_site(tmp_path: Path) -> None:
    """Feeds 15: a site with a gap of its own in `polling.sites` has it from commands, too."""
    config = _config(tmp_path, "allow_addresses: [127.0.0.1/32], sites: [{site: 127.0.0.1, gap: 1s}]")
    pauses = asyncio.run(_pauses(config))
    assert pauses
    assert min(pauses) >= 0.99


def test_find_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Feeds 31: an address that may not be polled may not be looked at either; the reason is said, the exit code is 1."""
    code, _, agents = asyncio.run(_found(_config(tmp_path, "allow_addresses: []")))
    said = capfd.readouterr()
    assert (code, said.out, agents) == (1, "", set())
    assert "no feed found" in said.err
