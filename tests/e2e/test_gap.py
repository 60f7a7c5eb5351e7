"""A feed that showed too little between two polls: the running service fetches what was missed, across a kill."""

import asyncio
from collections import Counter
from pathlib import Path

from daemon.bus.topics import RAW
from daemon.messages.article import RawArticle
from daemon.messages.wire import decode
from tests.e2e.desk import feeds, install
from tests.e2e.service import json_lines, running
from tests.e2e.workplace import records
from tests.servers.feeds import Answer, feed_server

ATOM = "application/atom+xml"


def document(numbers: range, archive: str = "") -> bytes:
    """An Atom feed of these entries, and the document before it."""
    link = f'<link rel="prev-archive" href="{archive}"/>' if archive else ""
    entries = "".join(
        f"<entry><id>urn:{number}</id><title>Entry {number}</title><updated>2026-01-01T00:00:00Z</updated>"
        f'<link href="https://gap.example/{number}"/></entry>'
        for number in numbers
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:f</id><title>f</title>{link}{entries}</feed>'.encode()


async def test_missed_items_are_fetched(tmp_path: Path) -> None:
    """Feeds 22: the archive before the window is read, and the one before that, across a kill -9: nothing lost or doubled."""
    never = asyncio.Event()
    async with feed_server() as server:
        install(tmp_path, feeds=feeds({"gap": server.url("/atom")}))
        server.publish("/atom", document(range(5)), content_type=ATOM)
        server.script("/older/2", Answer(body=document(range(12, 20), "/older/1"), headers={"Content-Type": ATOM}))
        server.script("/older/1", Answer(hold=never))
        async with running(tmp_path) as service:
            await server.wait_for("/atom", 2)
            server.publish("/atom", document(range(20, 25), "/older/2"), content_type=ATOM)
            await server.wait_for("/older/1")
            await service.kill()
        server.script("/older/1", Answer(body=document(range(3, 13)), headers={"Content-Type": ATOM}))
        async with running(tmp_path) as service:
            await server.wait_for("/older/1", 2)
            await server.wait_for("/atom", len(server.asked("/atom")) + 2)
            (line,) = await json_lines(tmp_path, "feeds", "list", "--json")
            assert await service.stop() == 0
    found = [decode(record.value) for record in (await records(tmp_path, RAW))[RAW]]
    told = Counter(raw.item.title for raw in found if isinstance(raw, RawArticle))
    assert told == Counter(f"Entry {number}" for number in range(25))
    assert len(server.asked("/older/2")) == 1
    assert (line["items"], line["last_gap"] is not None, line["known_by"]) == (25, True, "id")
