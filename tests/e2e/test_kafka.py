"""The same input gives the same alerts and the same journal on both buses, in one process and in five."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from email.utils import formatdate
from pathlib import Path
from random import Random
from time import time
from typing import Any, Final

import orjson
import pytest
import yaml

from daemon.app.roles import Role
from daemon.config.models import KafkaSettings
from tests.bus.kafka_engine import settings
from tests.e2e.service import ROOT, Service, json_lines, running
from tests.e2e.workplace import write
from tests.servers.feeds import FeedServer, RssItem, feed_server, rss
from tests.servers.hooks import HookServer
from tests.servers.kafka import Cluster

COAST: Final = """
desk: coast
defaults: {severity: normal}
actors:
  - {id: ada-verne, names: [Ada Verne], severity: high}
  - {id: port-authority, kind: organisation, names: [Port Authority]}
  - {id: mercury, names: [Mercury], require_near: {any: [singer], within: 5}}
rules:
  - {id: strikes, where: '(strike OR walkout) AND harbour AND NOT film'}
  - {id: on-trial, any: [lighthouse], stage: shadow}
"""
RAIL: Final = """
desk: rail
actors:
  - {id: ada-verne, names: [Ada Verne], severity: low}
  - {id: ben-okri, names: [Ben Okoro], severity: high}
"""
WITHIN: Final = 90.0
INSTANTS: Final = frozenset({"at", "until", "time", "found"})
IDENTS: Final = frozenset({"id", "subject", "story", "message"})
"""Of stories and messages; they are made of instants, too."""
SAMPLE: Final = 9
"""Findings the sample makes: three told, six below its article."""
LINKS: Final = "https://{name}.example/{name}"

FIRST: Final = (
    ("coast", "ada-verne", "harbour", "told", "new_story"),
    ("coast", "strikes", "harbour", "told", "new_story"),
    ("rail", "ada-verne", "harbour", "told", "new_story"),
    ("coast", "port-authority", "ferry", "told", "new_story"),
    ("coast", "mercury", "planet", "suppressed", "require_near"),
    ("coast", "on-trial", "beacon", "suppressed", "shadow"),
    ("coast", "ada-verne", "ancient", "suppressed", "too_old"),
    ("rail", "ada-verne", "ancient", "suppressed", "too_old"),
    ("rail", "ben-okri", "quiet", "suppressed", "first_fetch"),
)
"""Desk, actor or rule, article, outcome and reason: what becomes of the first windows beside the sample."""
THEN: Final = (
    ("coast", "ada-verne", "harbour", "joined", "same_story"),
    ("coast", "strikes", "harbour", "joined", "same_story"),
    ("rail", "ada-verne", "harbour", "told", "story_grew"),
    ("rail", "ben-okri", "harbour", "told", "story_grew"),
    ("coast", "port-authority", "copy", "joined", "same_story"),
    ("rail", "ben-okri", "express", "told", "new_story"),
)
"""What the second windows add: an edit that names somebody new, a copy of a story that was told, and news."""


class Runs:
    """One run of the service on a bus: its folder, its sink, its processes."""

    def __init__(self, folder: Path, sink: HookServer, stack: AsyncExitStack, roles: Sequence[str]) -> None:
        self._folder = folder
        self._sink = sink
        self._stack = stack
        self._roles = roles
        self._services: list[Service] = []

    async def start(self) -> None:
        for role in self._roles:
            arguments = ("--role", role) if role else ()
            self._services.append(await self._stack.enter_async_context(running(self._folder, *arguments)))
        await asyncio.gather(*(service.event("started", WITHIN) for service in self._services))

    async def journal(self, messages: int, count: int) -> list[dict[str, Any]]:
        """What `rasid alerts list` says once the sink has so many messages, each is delivered, and no finding is held."""
        await self._sink.wait_for(lambda: len(self._sink.posted) >= messages, WITHIN)
        async with asyncio.timeout(WITHIN):
            while True:
                entries = await json_lines(self._folder, "alerts", "list", "--json")
                findings = [entry for entry in entries if entry["kind"] == "finding"]
                waiting = {entry["message"] for entry in findings if entry["message"]}
                waiting -= {entry["message"] for entry in entries if entry.get("outcome") == "delivered"}
                if len(findings) >= count and not waiting and all(entry["outcome"] != "held" for entry in findings):
                    return _ordered([_comparable(entry, _company(findings)) for entry in entries])

    def alerts(self) -> list[dict[str, Any]]:
        """What the sink took."""
        events = [orjson.loads(posted.body) for posted in self._sink.posted]
        return _ordered([{**_comparable(event), "data": _comparable(event["data"])} for event in events])

    async def stop(self) -> list[int]:
        return await asyncio.gather(*(service.stop() for service in self._services))


def _company(findings: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """By id of a story or message, the findings in it: what is to be alike where the ids are not."""
    held: dict[str, list[str]] = {}
    for each in findings:
        for ident in {each["story"], each["message"]} - {""}:
            held.setdefault(ident, []).append(f"{each['match']} {each['actor']} {each['rule']}")
    return {ident: sorted(members) for ident, members in held.items()}


def _comparable(entry: Mapping[str, Any], company: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
    known = company or {}
    plain = {name: value for name, value in entry.items() if name not in INSTANTS | IDENTS}
    return plain | {name: known.get(entry[name], []) for name in IDENTS & entry.keys()}


def _ordered(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Desks and feeds go their ways at their own pace: only what happened is compared."""
    return sorted(entries, key=lambda entry: orjson.dumps(entry, option=orjson.OPT_SORT_KEYS))


def item(name: str, text: str, age: float = 60.0, words: str = "") -> RssItem:
    """An article; its words are like those of no article of another name or `words`."""
    rest = " ".join(f"{word}{Random(words or name).randrange(10**6)}" for word in ("stone", "water") * 20)
    link = LINKS.format(name=name)
    return RssItem(guid=link, link=link, title=f"Of {name}", description=f"{text} {rest}.", published=formatdate(time() - age))


def publish_first(server: FeedServer) -> None:
    server.publish("/sample", (ROOT / "seeds" / "sample-feed.xml").read_bytes())
    server.publish("/coast", rss([harbour(""), item("ferry", "The Port Authority opens a pier."), *misses()]))
    server.publish("/quiet", rss([item("quiet", "Ben Okoro was seen.")]))


def publish_then(server: FeedServer) -> None:
    copy = item("copy", "The Port Authority opens a pier.", words="ferry")
    ferry = item("ferry", "The Port Authority opens a pier.")
    server.publish(
        "/coast", rss([item("express", "Ben Okoro drives a train."), copy, harbour("and Ben Okoro"), ferry, *misses()])
    )


def harbour(also: str) -> RssItem:
    return item("harbour", f"A walkout stops the harbour, say Ada Verne {also}.")


def misses() -> Sequence[RssItem]:
    return (
        item("planet", "A probe reaches Mercury."),
        item("beacon", "The lighthouse is painted."),
        item("nothing", "Nobody the desks know says anything."),
        item("ancient", "Ada Verne begins to write.", age=3 * 86400.0),
    )


def folder_for(folder: Path, server: FeedServer, sink: HookServer, kafka: KafkaSettings | None) -> Path:
    iraq = (ROOT / "seeds" / "watchlists" / "iraq.yaml").read_text("utf-8")
    desks = yaml.safe_dump([yaml.safe_load(desk) for desk in (iraq, COAST, RAIL)], allow_unicode=True)
    feeds = [
        {"id": "sample", "url": server.url("/sample"), "language": "ar", "max_age": "none", "first_fetch": "alert"},
        {"id": "coast", "url": server.url("/coast"), "first_fetch": "alert"},
        {"id": "quiet", "url": server.url("/quiet"), "first_fetch": "quiet"},
    ]
    return write(folder, desks, feeds, sink.url, kafka=kafka)


def findings(journal: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """As `FIRST` and `THEN` have them, without the sample's."""
    ours = [entry for entry in journal if entry["kind"] == "finding" and entry["desk"] != "iraq"]
    return sorted(
        (entry["desk"], entry["actor"] or entry["rule"], entry["title"][3:], entry["outcome"], entry["reason"])
        for entry in ours
    )


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_same_on_both_buses(tmp_path: Path, broker: Cluster) -> None:
    """The embedded bus, Kafka with one process, Kafka with five: equal alerts, and journals equal but for the instants."""
    shapes = {"embedded": ("",), "one": ("",), "five": tuple(Role)}
    async with AsyncExitStack() as stack, feed_server() as server:
        publish_first(server)
        runs = []
        for name, roles in shapes.items():
            sink = await stack.enter_async_context(HookServer())
            kafka = None if name == "embedded" else settings(broker)
            runs.append(Runs(folder_for(tmp_path / name, server, sink, kafka), sink, stack, roles))
        await asyncio.gather(*(run.start() for run in runs))
        embedded, *others = await asyncio.gather(*(run.journal(4, SAMPLE + len(FIRST)) for run in runs))
        assert findings(embedded) == sorted(FIRST)
        assert others == [embedded, embedded]
        publish_then(server)
        embedded, *others = await asyncio.gather(*(run.journal(6, SAMPLE + len(FIRST) + len(THEN)) for run in runs))
        assert findings(embedded) == sorted(FIRST + THEN)
        assert others == [embedded, embedded]
        alerts, *theirs = (run.alerts() for run in runs)
        assert theirs == [alerts, alerts]
        assert [await run.stop() for run in runs] == [[0], [0], [0] * 5]
