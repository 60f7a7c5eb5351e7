"""What people change while the service runs is taken over within seconds, as a whole or not at all; nothing else stops."""

import asyncio
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

from tests.e2e.desk import install, text
from tests.e2e.service import Service, json_lines, running
from tests.servers.feeds import Answer, FeedServer, RssItem, feed_server, rss
from tests.servers.hooks import HookServer

WITHIN = 20.0
"""Seconds from an edit until it is seen to be in force. Most are in force within two."""


def feed(server: FeedServer, name: str, **more: Any) -> Mapping[str, Any]:
    return {"id": name, "url": server.url(f"/{name}"), **more}


def write_feeds(path: Path, *feeds: Mapping[str, Any]) -> None:
    """As an editor does it: another file takes the name."""
    fresh = path.with_suffix(".new")
    fresh.write_text(yaml.safe_dump(list(feeds)))
    fresh.rename(path)


async def states(folder: Path) -> dict[str, str]:
    return {line["id"]: line["state"] for line in await json_lines(folder, "feeds", "list", "--json")}


async def reloads(service: Service, outcome: str) -> float:
    return (await service.metrics()).get(f'rasid_reloads_total{{outcome="{outcome}"}}', 0.0)


async def test_feeds(tmp_path: Path) -> None:
    """A feed that is added is polled, one that is changed asks its new address, one that is removed is asked no more."""
    async with feed_server() as server:
        for name in ("one", "two", "three"):
            server.publish(f"/{name}", rss([RssItem(guid=name, title=name)]))
        install(tmp_path, feeds=[{"file": "feeds.yaml"}])
        write_feeds(tmp_path / "feeds.yaml", feed(server, "one"))
        async with running(tmp_path) as service, asyncio.timeout(3 * WITHIN):
            await server.wait_for("/one")
            write_feeds(tmp_path / "feeds.yaml", feed(server, "one"), feed(server, "two"))
            await server.wait_for("/two")
            write_feeds(tmp_path / "feeds.yaml", {**feed(server, "two"), "url": server.url("/three")})
            await server.wait_for("/three")
            asked = len(server.asked("/one")), len(server.asked("/two"))
            await server.wait_for("/three", 3)
            assert (len(server.asked("/one")), len(server.asked("/two"))) == asked
            assert await states(tmp_path) == {"two": "ok", "one": "left"}
            told = [entry for entry in service.log if entry["event"] == "reloaded"]
            assert [(entry["feeds_added"], entry["feeds_changed"], entry["feeds_removed"]) for entry in told] == [
                (1, 0, 0),
                (0, 1, 1),
            ]
            assert await service.stop() == 0


async def test_a_bad_edit_is_refused(tmp_path: Path) -> None:
    """It is told once, with file, line, key and reason; what ran runs on, ready; that it was taken back is told, too."""
    async with feed_server() as server:
        server.publish("/one", rss([RssItem(guid="a", title="a")]))
        server.publish("/two", rss([RssItem(guid="a", title="a")]))
        config = install(tmp_path, feeds=[feed(server, "one")]) / "config.yaml"
        good = orjson.loads(config.read_bytes())
        async with running(tmp_path) as service, asyncio.timeout(4 * WITHIN):
            await server.wait_for("/one")
            config.write_text("polling:\n  default_intervall: 1s\nfeeds: []\n")
            told = await service.event("reload_refused", WITHIN)
            assert told["problems"] == [
                f"{config}:2:3: polling.default_intervall: unknown key; did you mean 'default_interval'?"
            ]
            samples = await service.metrics()
            assert (samples["rasid_reload_refused"], samples['rasid_reloads_total{outcome="refused"}']) == (1.0, 1.0)
            service.process.send_signal(signal.SIGHUP)
            async with asyncio.timeout(WITHIN):
                while await reloads(service, "refused") < 2:  # noqa: ASYNC110 - no line of the service says it again
                    await asyncio.sleep(0.1)
            await server.wait_for("/one", len(server.asked("/one")) + 2)
            assert (await service.get("/readyz"))[0] == 200
            assert len([entry for entry in service.log if entry["event"] == "reload_refused"]) == 1
            config.write_bytes(orjson.dumps(good))
            await service.event("reloaded", WITHIN, feeds_changed=0, feeds_removed=0)
            assert (await service.metrics())["rasid_reload_refused"] == 0.0
            config.write_bytes(orjson.dumps({**good, "feeds": [feed(server, "two")]}))
            await server.wait_for("/two")
            assert await service.stop() == 0


async def test_a_mistake_in_a_file_that_is_new(tmp_path: Path) -> None:
    """A file that an edit names and that cannot be used is watched as well: mended, it is taken over."""
    async with feed_server() as server:
        for name in ("one", "two"):
            server.publish(f"/{name}", rss([RssItem(guid=name, title=name)]))
        config = install(tmp_path, feeds=[feed(server, "one")]) / "config.yaml"
        (tmp_path / "more").mkdir()
        (tmp_path / "more" / "new.yaml").write_text("- id: two\n")
        async with running(tmp_path) as service, asyncio.timeout(2 * WITHIN):
            await server.wait_for("/one")
            config.write_bytes(orjson.dumps(orjson.loads(config.read_bytes()) | {"feeds": [{"file": "more/new.yaml"}]}))
            told = await service.event("reload_refused", WITHIN)
            assert told["problems"] == [f"{tmp_path}/more/new.yaml:1:3: [0]: the key 'url' is missing (feed two)"]
            write_feeds(tmp_path / "more" / "new.yaml", feed(server, "two"))
            await server.wait_for("/two")
            assert await service.stop() == 0


async def test_a_swapped_link(tmp_path: Path) -> None:
    """As Kubernetes updates a mounted folder: files are links into a folder that one link names, and that link is swapped."""
    mounted = tmp_path / "mounted"
    async with feed_server() as server:
        for name in ("one", "two"):
            server.publish(f"/{name}", rss([RssItem(guid=name, title=name)]))
        for version, name in (("..v1", "one"), ("..v2", "two")):
            (mounted / version).mkdir(parents=True)
            write_feeds(mounted / version / "feeds.yaml", feed(server, name))
        (mounted / "..data").symlink_to("..v1")
        (mounted / "feeds.yaml").symlink_to("..data/feeds.yaml")
        install(tmp_path, feeds=[{"file": "mounted/feeds.yaml"}])
        async with running(tmp_path) as service, asyncio.timeout(2 * WITHIN):
            await server.wait_for("/one")
            (mounted / "..tmp").symlink_to("..v2")
            (mounted / "..tmp").rename(mounted / "..data")
            shutil.rmtree(mounted / "..v1")
            await server.wait_for("/two")
            assert await service.stop() == 0


async def test_a_folder_that_vanishes_and_returns(tmp_path: Path) -> None:
    """Its feeds run on meanwhile, a refusal says what is missing, and what is in it then is taken over."""
    lists = tmp_path / "lists"
    lists.mkdir()
    async with feed_server() as server:
        for name in ("one", "two", "three"):
            server.publish(f"/{name}", rss([RssItem(guid=name, title=name)]))
        install(tmp_path, feeds=[{"file": "lists/feeds.yaml"}])
        write_feeds(lists / "feeds.yaml", feed(server, "one"))
        async with running(tmp_path) as service, asyncio.timeout(4 * WITHIN):
            await server.wait_for("/one")
            shutil.rmtree(lists)
            told = await service.event("reload_refused", WITHIN)
            assert told["problems"] == [f"{lists}/feeds.yaml: cannot be read: No such file or directory"]
            await server.wait_for("/one", len(server.asked("/one")) + 2)
            lists.mkdir()
            write_feeds(lists / "feeds.yaml", feed(server, "two"))
            await server.wait_for("/two")
            write_feeds(lists / "feeds.yaml", feed(server, "three"))
            await server.wait_for("/three")
            assert await service.stop() == 0


async def test_a_secret_file(tmp_path: Path) -> None:
    """Feeds 34: the next poll has the new login; neither the old nor the new one stands in log, metrics, lists or the bus."""
    canaries = ("c4nary-0ld-token", "c4nary-n3w-token", "c4nary-p4ssword")
    (tmp_path / "token").write_text(canaries[0])
    secret = {"id": "two", "url": "", "auth": {"basic": {"username": "ada", "password": "${PASSWORD}"}}}
    async with feed_server() as server:
        server.script("/one", Answer(status=401, body=canaries[0].encode()))
        server.publish("/two", rss([RssItem(guid="a", title="a")]))
        address = server.url("/two?key=${PASSWORD}")
        install(tmp_path, feeds=[feed(server, "one", auth={"bearer": "file:token"}), {**secret, "url": address}])
        async with running(tmp_path, "--debug", PASSWORD=canaries[2]) as service, asyncio.timeout(3 * WITHIN):
            await server.wait_for("/one")
            await server.wait_for("/two")
            assert server.asked("/one")[0].headers[b"authorization"] == f"Bearer {canaries[0]}".encode()
            assert server.asked("/two")[0].headers[b"authorization"] == b"Basic YWRhOmM0bmFyeS1wNHNzd29yZA=="
            (tmp_path / "token").write_text(canaries[1])
            await service.event("reloaded", WITHIN, feeds_changed=1)
            asked = len(server.asked("/one"))
            await server.wait_for("/one", asked + 1)
            assert server.asked("/one")[-1].headers[b"authorization"] == f"Bearer {canaries[1]}".encode()
            said = [service.told(), (await service.get("/metrics"))[1]]
            said.append(str(await json_lines(tmp_path, "feeds", "list", "--json", PASSWORD=canaries[2])))
            assert await service.stop() == 0
        kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
        for canary in (*canaries, "YWRhOmM0bmFyeS1wNHNzd29yZA"):
            assert not any(canary in text for text in said), canary
            assert canary.encode() not in kept


async def test_watchlists(tmp_path: Path) -> None:
    """An actor who is added is found in what comes next, and nothing is told twice on the way."""

    def coast(*names: str) -> Mapping[str, Any]:
        return {"desk": "coast", "actors": [{"id": name.split()[0].lower(), "names": [name]} for name in names]}

    async with feed_server() as server, HookServer() as sink:
        webhook = {"receivers": [{"name": "sink", "webhook": {"url": sink.url}}], "route": _at_once("sink")}
        install(tmp_path, feeds=[feed(server, "one", first_fetch="alert")], polling={"max_age": "none"}, **webhook)
        before = RssItem(guid="1", title="Harbour", description=text("harbour"))
        server.publish("/one", rss([before]))
        async with running(tmp_path) as service, asyncio.timeout(3 * WITHIN):
            await sink.wait_for(lambda: len(sink.posted) == 1, WITHIN)
            (tmp_path / "coast.yaml").write_bytes(orjson.dumps(coast("Ada Verne", "Ben Okoro")))
            assert (await service.event("reloaded", WITHIN))["desks"] == ["coast"]
            after = RssItem(guid="2", title="Trains", description="Ben Okoro bought a train of twelve red carriages.")
            server.publish("/one", rss([after, before]))
            await sink.wait_for(lambda: len(sink.posted) == 2, WITHIN)
            assert [alert["data"]["headline"] for alert in map(_body, sink.posted)] == ["Harbour", "Trains"]
            assert await service.stop() == 0


def _body(posted: Any) -> Mapping[str, Any]:
    body: Mapping[str, Any] = orjson.loads(posted.body)
    return body


def _at_once(receiver: str) -> Mapping[str, Any]:
    return {"receiver": receiver, "group_wait": {"high": "0s", "normal": "0s", "low": "0s"}}


async def test_what_needs_a_restart(tmp_path: Path) -> None:
    """Changes of what is not swapped in are named, and the rest of the same edit is taken over."""
    async with feed_server() as server:
        for name in ("one", "two"):
            server.publish(f"/{name}", rss([RssItem(guid=name, title=name)]))
        config = install(tmp_path, feeds=[feed(server, "one")]) / "config.yaml"
        async with running(tmp_path) as service, asyncio.timeout(2 * WITHIN):
            await server.wait_for("/one")
            more = {"server": {"listen": "127.0.0.1:0"}, "data_dir": "other", "feeds": [feed(server, "two")]}
            edited = orjson.loads(config.read_bytes()) | more
            edited["polling"]["concurrency"] = 3
            config.write_bytes(orjson.dumps(edited))
            assert (await service.event("reload_needs_restart", WITHIN))["keys"] == ["data_dir", "polling.concurrency"]
            await server.wait_for("/two")
            assert not (tmp_path / "other").exists()
            assert await service.stop() == 0
