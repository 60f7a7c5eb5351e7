"""`rasid parse`: feeds' bytes to items, one a line, without a bus or a network: to see what Rasid makes of a feed."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import click
import orjson

from daemon.clock import WallClock
from daemon.feeds.parse.feed import parse_feed
from daemon.feeds.parse.parsed import Parsed, Reason, counted
from daemon.messages.article import Item, Moment
from daemon.net.bodies import Limits, Stopped, unzipped
from daemon.workers import WorkerFailed, WorkerLimits, limited

_SUMMARY: Final = 200
_NAMES: Final = """\b
One line an item (texts are text; *_html only where the feed gave HTML; times in UTC or null):
  {"id", "guid", "link", "title", "summary", "summary_html", "content", "content_html", "published", "updated",
   "dates_raw": {"published", "updated"}, "authors": [], "tags": [], "language",
   "enclosures": [{"url", "type", "length"}], "source": {"name", "url"}, "comments", "notes": []}
with "file" in front when there are several files.
"""


@click.command(epilog=_NAMES)
@click.argument("files", nargs=-1, type=click.Path(), metavar="[FILE … or -]")
@click.option("--url", default="", help="Where the feed came from: relative links are resolved against it.")
@click.option("--content-type", default="", help="The Content-Type it came with; its charset is one hint among others.")
@click.option("--language", default="", help="As feeds[].language: helps to read dates, and to find the charset.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, also on a terminal.")
def command(files: Sequence[str], url: str, content_type: str, language: str, *, as_json: bool) -> int:
    """Parse feeds (RSS, RDF, Atom, JSON Feed) and show their items.

    Reads standard input when no FILE is named; gzip is unpacked. For people on a terminal; JSON lines with --json or when
    piped. Of each FILE 2,500 items at most, as many as the service takes at one poll. One line a file on stderr says the
    format, whether it is well-formed, the charset and how it was found, and how many items, or the reason why there are
    none.

    Exit code 0: every FILE is a feed, be it one without items; 2: one is none, or could not be read (the others are
    shown all the same).
    """
    as_json = as_json or not sys.stdout.isatty()
    code = 0
    for name in files or ("-",):
        shown = _printable(name)
        try:
            raw = _read(name)
        except OSError as error:
            click.echo(f"rasid: {shown}: cannot be read: {error.strerror}", err=True)
            code = 2
            continue
        except Stopped as error:
            click.echo(f"rasid: {shown}: cannot be unpacked: {error.detail}", err=True)
            code = 2
            continue
        parsed = _parsed(raw, content_type=content_type, url=url, language=language)
        for item in parsed.items:
            described = described_item(item, parsed, file=shown if len(files) > 1 else "")
            click.echo(orjson.dumps(described) if as_json else "\n".join([*_lines(described), ""]))
        click.echo(verdict(parsed, file=shown if len(files) > 1 else ""), err=True)
        code = 2 if parsed.reason else code
    return code


def _parsed(raw: bytes, *, content_type: str, url: str, language: str) -> Parsed:
    """As the service reads it: under the limits of its workers."""
    work = partial(parse_feed, raw, content_type=content_type, url=url, language=language, now=WallClock().now())
    try:
        return limited(WorkerLimits(), work)
    except WorkerFailed as error:
        return Parsed(reason=Reason.UNREADABLE, notes=(str(error),))


def described_item(item: Item, parsed: Parsed, file: str) -> dict[str, Any]:
    """The line's object (names: feeds.md, “Names on the wire”)."""
    html = {"summary_html": item.summary_html, "content_html": item.content_html}
    return {
        **({"file": file} if file else {}),
        "id": item.id,
        "guid": item.guid,
        "link": item.link,
        "title": item.title,
        "summary": item.summary,
        "content": item.content,
        **{name: text for name, text in html.items() if text},
        "published": _time(item.published),
        "updated": _time(item.updated),
        "dates_raw": {"published": item.published.raw, "updated": item.updated.raw},
        "authors": item.authors,
        "tags": item.tags,
        "language": item.language or parsed.language,
        "enclosures": item.enclosures,
        "source": item.source,
        "comments": item.comments,
        "notes": item.notes,
    }


def verdict(parsed: Parsed, file: str = "") -> str:
    """The line on stderr: format, well-formedness, charset and how it was found, items or the reason why none."""
    where = f"{file}: " if file else ""
    charset = f"charset {parsed.charset} ({parsed.charset_how})" if parsed.charset else ""
    if parsed.reason:
        return where + "; ".join(part for part in (f"no items: {parsed.reason}", charset, *parsed.notes) if part)
    form = "well-formed" if parsed.well_formed else "not well-formed"
    count = counted(len(parsed.items), "item")
    return where + "; ".join((parsed.format or "a feed", form, charset, count, *parsed.notes))


def _time(moment: Moment) -> str | None:
    """ISO 8601 in UTC."""
    return None if moment.at is None else datetime.fromtimestamp(moment.at, UTC).isoformat().replace("+00:00", "Z")


def _read(name: str) -> bytes:
    """Unpacked where it is gzip, as from a server."""
    with click.open_file(name, "rb") as file:
        return unzipped(file.read(), Limits())


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")


def _lines(described: dict[str, Any]) -> Iterator[str]:
    """An item for people."""
    yield click.style(described["title"] or "(no title)", bold=True)
    source = described["source"].name
    about = (described["published"] or "no date", described["language"], ", ".join(described["authors"]), source)
    yield "  " + " · ".join(part for part in about if part)
    yield f"  {described['link'] or described['id']}"
    text = " ".join((described["summary"] or described["content"]).split())
    if text:
        yield f"  {text[:_SUMMARY]}{'…' if len(text) > _SUMMARY else ''}"
    if described["notes"]:
        yield click.style(f"  ({'; '.join(described['notes'])})", dim=True)
