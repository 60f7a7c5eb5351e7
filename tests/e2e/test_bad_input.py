"""Bad input of every kind is told in one clear sentence, and holds up nothing else."""

import asyncio
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from tests.e2e.desk import HIT, articles, feeds, install, text
from tests.e2e.service import Service, command, json_lines, running
from tests.servers.feeds import Answer, FeedServer, RssItem, feed_server, rss

XML: Final = {"Content-Type": "text/xml"}
ODD: Final = ("Neither link nor date", "In the year 9999", "A megabyte")
BROKEN: Final[Mapping[str, tuple[Answer, str]]] = {
    "empty": (Answer(headers=XML), "empty"),
    "page": (Answer(body=b"<!doctype html><html><body><p>Back soon.</p></body></html>", headers=XML), "html"),
    "truncated": (Answer(body=b"<rss><channel><item><title>Cut</title></item></channel></rss>", cut=30), "truncated"),
    "huge": (Answer(body=b"<rss>" + b" " * 10_000_000, headers=XML), "too_large"),
    "missing": (Answer(status=404), "not_found"),
}


def publish(server: FeedServer) -> dict[str, str]:
    """Broken feeds, odd items and one good feed; their addresses by id."""
    for name, (answer, _) in BROKEN.items():
        server.script(f"/{name}", answer)
    odd = [
        RssItem(title=ODD[0], description=text(ODD[0])),
        RssItem(guid="9999", title=ODD[1], description=text(ODD[1]), published="Fri, 31 Dec 9999 23:59:59 GMT"),
        RssItem(guid="megabyte", title=ODD[2], description=text(ODD[2]) + " and so on" * 100_000),
        RssItem(description=f"{text('no title')} {HIT} again."),
    ]
    server.publish("/odd", rss(odd))
    server.publish("/good", rss([RssItem(guid="good", title="Good news", description=text("Good news"))]))
    return {name: server.url(f"/{name}") for name in (*BROKEN, "odd", "good")}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_bad_feeds_and_odd_items(tmp_path: Path) -> None:
    """A broken feed is one warning a poll that says why; odd items come through; the good feed's alert comes all the same."""
    async with feed_server() as server:
        urls = publish(server) | {"unreachable": f"http://127.0.0.1:{free_port()}/feed"}
        polling = {"first_fetch": "alert", "min_interval": "30s", "max_interval": "30s"}
        install(tmp_path, feeds=feeds(urls), polling=polling)
        async with running(tmp_path) as service:
            for name, outcome in [*((name, outcome) for name, (_, outcome) in BROKEN.items()), ("unreachable", "connect")]:
                await service.event("polled", feed=name, outcome=outcome)
            await service.until(lambda at: all(title in "\n".join(at.out) for title in (*ODD, "no title", "Good news")))
            _one_warning_each(service, {*BROKEN, "unreachable"})
            await _odd_items_are_flagged(tmp_path)
            await _a_second_service_is_refused(tmp_path)
            states = {line["id"]: line for line in await json_lines(tmp_path, "feeds", "list")}
            assert {name for name, line in states.items() if line["state"] == "ok"} == {"odd", "good"}
            assert all(states[name]["detail"] for name in (*BROKEN, "unreachable"))
            assert await service.stop() == 0


def _one_warning_each(service: Service, names: set[str]) -> None:
    warnings = [entry for entry in service.log if entry["level"] != "info"]
    assert sorted(entry["feed"] for entry in warnings) == sorted(names)
    assert all(entry["event"] == "polled" and entry["detail"] for entry in warnings)
    assert not any("Traceback" in line for line in service.raw_log)


async def _odd_items_are_flagged(folder: Path) -> None:
    """Dates that were missing or cannot be are those of the first sight, a text beyond 512 kB is cut, and notes say so."""
    made = {article.title: article for article in await articles(folder) if article.feed.id == "odd"}
    for title in (*ODD, ""):
        assert made[title].published.how == "first-seen"
        assert made[title].published.at == made[title].fetched_at
    assert made[ODD[0]].url == made[""].url == ""
    assert any("not believed" in note for note in made[ODD[1]].notes)
    megabyte = made[ODD[2]]
    assert len((megabyte.lead + megabyte.body).encode()) <= 512 * 1024
    assert any("cut" in note for note in megabyte.notes)


async def _a_second_service_is_refused(folder: Path) -> None:
    code, out, err = await command(folder, "run")
    assert (code, out) == (1, "")
    assert _sentence(err).startswith("rasid: ")
    assert "bus.sqlite" in err
    assert "kafka" in err


def _sentence(err: str) -> str:
    """The one line of stderr that is not a log event."""
    lines = [line for line in err.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, err
    return lines[0]


MISTAKES: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "broken YAML": ("config.yaml", "feeds: [\nbus: }\n", ("config.yaml:2:", "not valid YAML")),
    "an unknown key": ("config.yaml", "polling:\n  user_agnet: x\n", ("config.yaml:2:", "polling.user_agnet", "user_agent")),
    "an unset variable": (
        "config.yaml",
        'receivers:\n  - name: screen\n    slack: {webhook_url: "${NOT_SET}"}\n',
        ("config.yaml:3:", "receivers[0].slack.webhook_url", "NOT_SET is not set"),
    ),
    "a feed list with a wrong value": (
        "feeds.yaml",
        "- {id: a, url: 'https://news.example.org/a'}\n- id: b\n  url: https://news.example.org/b\n  interval: often\n",
        ("feeds.yaml:4:", "interval", "'often'"),
    ),
    "two actors with one id": (
        "coast.yaml",
        "desk: coast\nactors:\n  - {id: ada, names: [Ada Verne]}\n  - {id: ada, names: [Ada Vernon]}\n",
        ("coast.yaml:4:", "'ada'", "twice", "coast.yaml:3"),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_mistakes_in_files_are_refused(tmp_path: Path, mistake: str) -> None:
    """`check` and `run` both exit 2 and name file, line, key and reason; nothing is started or made."""
    name, content, words = MISTAKES[mistake]
    install(tmp_path, feeds=[{"file": name}] if name == "feeds.yaml" else [])
    (tmp_path / name).write_text(content)
    (checked, _, told), (ran, _, said) = await asyncio.gather(command(tmp_path, "check"), command(tmp_path, "run"))
    assert (checked, ran) == (2, 2)
    for err in (told, said):
        assert len(err.splitlines()) == 1, err
        assert all(word in err for word in words), err
    assert not (tmp_path / "data").exists()


async def test_a_name_of_one_letter_is_a_warning(tmp_path: Path) -> None:
    """An alias of one letter is told with its place, and refused by nobody."""
    install(tmp_path)
    (tmp_path / "coast.yaml").write_text("desk: coast\nactors:\n  - {id: u, names: [U]}\n")
    code, out, err = await command(tmp_path, "check")
    assert code == 0
    assert err.startswith("warning: coast.yaml:3:")
    warning = orjson.loads(out.splitlines()[0])
    assert (warning["level"], warning["line"]) == ("warning", 3)


async def refusal(folder: Path, **config: Any) -> str:
    """The sentence with which a start fails at run time."""
    code, out, err = await command(install(folder, **config), "run")
    assert (code, out) == (1, ""), err
    return _sentence(err)


async def test_a_start_that_cannot_be_is_told_in_one_sentence(tmp_path: Path) -> None:
    """A port in use names its address, a folder that cannot be made its path; both exit 1."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        install(tmp_path / "a")
        taken, unwritable = await asyncio.gather(
            command(tmp_path / "a", "run", RASID_SERVER__LISTEN=address),
            refusal(tmp_path / "b", data_dir="config.yaml/data"),
        )
    assert taken[0] == 1
    assert _sentence(taken[2]).startswith(f"rasid: {address}: cannot listen there")
    assert unwritable.endswith("config.yaml/data/bus.sqlite: the file cannot be opened or made there: Not a directory")


async def test_a_stop_during_a_slow_poll(tmp_path: Path) -> None:
    """SIGTERM while a feed keeps its answer back: the end comes in time, with exit 0."""
    async with feed_server() as server:
        server.script("/slow", Answer(hold=asyncio.Event()))
        install(tmp_path, feeds=feeds({"slow": server.url("/slow")}))
        async with running(tmp_path) as service:
            await server.wait_for("/slow")
            assert await service.stop(signal.SIGTERM) == 0, service.told()
