"""Feeds in every format over HTTP and TLS in one service: what is new is told, what is old is not, nobody waits for another."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import gmtime, strftime, time

import orjson
import trustme

from tests.e2e.desk import HIT, articles, feeds, install, text
from tests.e2e.service import Service, json_lines, running
from tests.servers.feeds import Answer, FeedServer, RssItem, feed_server, rss

ARABIC = "وصل ثابت العباسي إلى الميناء"
ETAG, MODIFIED = 'W/"  a, b=1 "', "Mon, 1 Jan 2024 0:00:00 +0000"
"""Validators that any reading and writing again would change."""


def stamp(age: float = 0.0) -> str:
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(time() - age))


def as_rss(names: Sequence[str]) -> bytes:
    return rss([RssItem(guid=name, title=name, description=text(name), published=stamp()) for name in names])


def as_atom(names: Sequence[str]) -> bytes:
    entries = "".join(
        f"<entry><id>urn:x:{name.replace(' ', '-')}</id><title>{name}</title><updated>{stamp()}</updated>"
        f'<link href="https://atom.example.net/{name.replace(" ", "-")}"/><summary>{text(name)}</summary></entry>'
        for name in names
    )
    feed = f"<id>urn:x</id><title>Atom</title><updated>{stamp()}</updated>{entries}"
    return f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">{feed}</feed>'.encode()


def as_json(names: Sequence[str], ages: Mapping[str, float]) -> bytes:
    items = [
        {"id": name, "title": name, "content_text": text(name), "date_published": stamp(ages.get(name, 0.0))} for name in names
    ]
    return orjson.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "JSON", "items": items})


def as_cp1256(titles: Sequence[str]) -> bytes:
    items = "".join(f"<item><guid>{title}</guid><title>{title}</title></item>" for title in titles)
    head = '<?xml version="1.0" encoding="windows-1256"?><rss version="2.0"><channel><title>خبر</title>'
    return f"{head}{items}</channel></rss>".encode("cp1256")


def publish_windows(plain: FeedServer, secure: FeedServer, *, news: bool) -> None:
    """Each feed's window, before and after there is news."""
    plain.script(
        "/rss",
        Answer(body=as_rss(["Rss news", "Rss before"] if news else ["Rss before"]), headers={"Content-Type": "text/xml"}),
    )
    secure.publish("/atom", as_atom(["Atom news", "Atom before"] if news else ["Atom before"]))
    json_names = ["Json news", "Json stale", "Json before"] if news else ["Json before"]
    json_feed = as_json(json_names, {"Json stale": 30 * 86400.0})
    secure.publish("/json", json_feed, content_type="application/feed+json")
    plain.publish("/arabic", as_cp1256([ARABIC, "قبل"] if news else ["قبل"]), content_type="text/xml")


def screen(service: Service) -> str:
    return "\n".join(service.out)


async def test_feeds_of_every_kind(tmp_path: Path) -> None:
    """RSS, Atom, JSON Feed, windows-1256 side by side: news alerts, old items do not, a slow and a broken feed delay nobody."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    never = asyncio.Event()
    async with feed_server() as plain, feed_server(authority) as secure:
        publish_windows(plain, secure, news=False)
        plain.script("/same", Answer(body=as_rss(["Same before"]), headers={"ETag": ETAG, "Last-Modified": MODIFIED}))
        plain.script("/slow", Answer(hold=never))
        plain.script("/broken", Answer(body=b"<rss><channel><item></rss>", cut=9))
        slow = plain.url("/slow").replace("127.0.0.1", "localhost")  # a site of its own: one request a site at a time
        urls = {name: plain.url(f"/{name}") for name in ("rss", "arabic", "same", "broken")} | {"slow": slow}
        urls |= {name: secure.url(f"/{name}") for name in ("atom", "json")}
        install(
            tmp_path, feeds=feeds(urls), polling={"ca_file": "ca.pem"}, route={"receiver": "screen", "update_interval": "1s"}
        )
        async with running(tmp_path) as service, asyncio.timeout(60):
            await plain.wait_for("/slow")
            for server, path in ((plain, "/rss"), (plain, "/arabic"), (plain, "/same"), (secure, "/atom"), (secure, "/json")):
                await server.wait_for(path, 2)
            _validators_came_back(plain)
            publish_windows(plain, secure, news=True)
            await service.until(lambda at: all(f"{kind} news" in screen(at) for kind in ("Rss", "Atom", "Json")))
            await service.until(lambda at: ARABIC in screen(at))
            await _an_edit_is_a_revision(plain, service, tmp_path)
            await _the_quiet_ones_are_on_record(service, tmp_path)
            await _the_broken_one_is_told(service, tmp_path)
            assert await service.stop() == 0


def _validators_came_back(plain: FeedServer) -> None:
    """ETag and Last-Modified come back byte for byte, and not before there were any."""
    first, second = plain.asked("/same")[:2]
    assert b"if-none-match" not in first.headers
    assert second.headers[b"if-none-match"] == ETAG.encode()
    assert second.headers[b"if-modified-since"] == MODIFIED.encode()
    assert second.headers[b"user-agent"].startswith(b"Rasid/")


async def _an_edit_is_a_revision(plain: FeedServer, service: Service, folder: Path) -> None:
    """An edited item is the same article's next revision, and its new headline is told as an update."""
    edited = RssItem(guid="Rss news", title="Rss news, put right", description=text("Rss news"), published=stamp())
    plain.script("/rss", Answer(body=rss([edited])))
    await service.until(lambda at: edited.title in screen(at))
    revisions = [article for article in await articles(folder) if article.title.startswith("Rss news")]
    assert [(article.revision, article.title) for article in revisions] == [(1, "Rss news"), (2, edited.title)]
    assert len({article.id for article in revisions}) == 1
    assert "title" in revisions[1].changed


async def _the_quiet_ones_are_on_record(service: Service, folder: Path) -> None:
    """What stood in the feeds before, and what is too old, is on no screen but in the journal with its reason."""
    assert "before" not in screen(service)
    assert "stale" not in screen(service)
    journal = await json_lines(folder, "alerts", "list")
    reasons = {entry["title"]: entry["reason"] for entry in journal if entry["outcome"] == "suppressed"}
    before = {f"{kind} before": "first_fetch" for kind in ("Rss", "Atom", "Json", "Same")}
    assert reasons == {**before, "Json stale": "too_old"}
    assert not any(HIT in line for line in service.raw_log)


async def _the_broken_one_is_told(service: Service, folder: Path) -> None:
    """A broken feed is a warning a poll and a line in the list; the others are well."""
    warned = [entry for entry in service.log if entry["level"] != "info"]
    assert {entry["feed"] for entry in warned} <= {"broken", "slow"}
    assert {(entry["event"], entry["outcome"]) for entry in warned if entry["feed"] == "broken"} == {("polled", "truncated")}
    states = {line["id"]: line["state"] for line in await json_lines(folder, "feeds", "list")}
    assert states.pop("broken") == "failing"
    assert states.pop("slow") in {"new", "failing"}
    assert set(states.values()) == {"ok"}
