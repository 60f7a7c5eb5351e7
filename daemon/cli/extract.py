"""`rasid extract`: article pages or plain texts to zones, language and dates, without a bus or a feed."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import orjson

from consumers.extract import Extract, Extractor, items_of
from consumers.text.language import Languages
from consumers.zones.headings import load_headings
from consumers.zones.zoner import Zoner
from daemon.clock import Clock, WallClock
from daemon.feeds.parse.parsed import counted
from daemon.messages.article import Zone
from daemon.net.charset import decode

_LARGEST: Final = 15_000_000
_COLOURS: Final = {Zone.TITLE: "yellow", Zone.LEAD: "cyan", Zone.BODY: "green", Zone.REST: "bright_black"}


_NAMES: Final = """\b
One line a file, with `file` when there are several:
  {"url", "title", "lead", "body", "rest", "blocks": [{"zone", "reason", "text"}],
   "language", "language_from", "published", "authors": [], "notes": []}
"""


@click.command(epilog=_NAMES)
@click.argument("files", nargs=-1, type=click.Path(), metavar="[FILE … or -]")
@click.option("--url", default="", help="The page's address, where it is known.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, also on a terminal.")
def command(files: Sequence[str], url: str, *, as_json: bool) -> int:
    """Divide article pages (HTML), plain texts or items that `rasid parse` printed into zones, and say why.

    Title, lead and body are the article's own; rest merely stands beside it and never alerts. Reads standard input when
    no FILE is named. Coloured blocks on a terminal; JSON with --json or when piped. Exit code 2: a FILE could not be read
    (the others are shown all the same).
    """
    extractor = Extractor(Zoner(load_headings()), Languages())
    as_json = as_json or not sys.stdout.isatty()
    failed = False
    for name in files or ("-",):
        try:
            raw = _read(name)
        except OSError as error:
            click.echo(f"rasid: {name}: cannot be read: {error.strerror}", err=True)
            failed = True
            continue
        for described in describe(raw, url, extractor, WallClock()):
            line = {"file": _printable(name), **described} if len(files) > 1 else described
            click.echo(orjson.dumps(line).decode() if as_json else "\n".join(readable(line)))
    return 2 if failed else 0


def describe(raw: bytes, url: str, extractor: Extractor, clock: Clock) -> Iterator[dict[str, Any]]:
    """The line's object for any bytes (names: feeds.md, “Names on the wire”); one an item for what `rasid parse` printed."""
    decoded = decode(raw[:_LARGEST], content_type="", language="")
    items = items_of(decoded.text)
    for item in items:
        found = extractor.item(item)
        identity = {"id": str(item.get("id") or ""), "url": str(item.get("link") or "")}
        yield {**identity, **_parts(found), "notes": [*found.notes]}
    if items:
        return
    found = extractor.extract(decoded.text, url, clock.now())
    notes = [*found.notes]
    if len(raw) > _LARGEST:
        notes.append(f"only the first {_LARGEST // 1_000_000} MB were read")
    if decoded.bad:
        notes.append(f"{counted(decoded.bad, 'character')} could not be read as {decoded.charset} ({decoded.how})")
    yield {"url": _printable(url), **_parts(found), "notes": notes}


def _printable(argument: str) -> str:
    """Without what a shell may pass and JSON cannot carry."""
    return argument.encode("utf-8", "replace").decode()


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(_LARGEST + 1)
    with Path(name).open("rb") as file:
        return file.read(_LARGEST + 1)


def _parts(found: Extract) -> dict[str, Any]:
    zoned, at = found.zoned, found.published.at
    return {
        "title": zoned.title,
        "lead": zoned.lead,
        "body": zoned.body,
        "rest": zoned.rest,
        "blocks": [{"zone": block.zone, "reason": block.reason, "text": zoned.text_of(block)} for block in zoned.blocks],
        "language": found.language.tag,
        "language_from": found.language.source,
        "published": None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"),
        "authors": list(found.authors),
    }


def readable(described: dict[str, Any]) -> Iterator[str]:
    """For people: what is known of it, then each block in its zone's colour."""
    for name in ("file", "url", "published"):
        if described.get(name):
            yield f"{name}: {described[name]}"
    yield f"language: {described['language'] or 'unknown'} (from: {described['language_from'] or 'nothing'})"
    yield from (f"author: {author}" for author in described["authors"])
    yield from (f"note: {note}" for note in described["notes"])
    for block in described["blocks"]:
        colour = _COLOURS[block["zone"]]
        yield ""
        yield click.style(f"── {block['zone']} · {block['reason']}", fg=colour, bold=True)
        yield click.style(block["text"], fg=colour)
