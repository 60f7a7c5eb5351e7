"""`rasid match`: articles to matches with their evidence, without a bus: how a watchlist is tried out."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
import orjson

from consumers.compile import Compiled, compile_desks
from consumers.given import given_article
from consumers.judge import Judgement
from consumers.matcher import judge_article
from consumers.watchlist.desk import Desk
from consumers.watchlist.read import read_watchlists
from daemon.cli.options import CONFIG_FILE
from daemon.config.load import load_config
from daemon.messages.article import Article
from daemon.messages.match import Hit, Miss, Severity, Stage

_LONGEST_LINE: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What to print, and how."""

    near_misses: bool
    everything: bool
    for_people: bool


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), default="-")
@CONFIG_FILE
@click.option("--watchlist", "watchlists", multiple=True, metavar="FILE", help="This file (or glob) instead of the config's.")
@click.option("--text", is_flag=True, help="The input is one plain text, the body of one article.")
@click.option("--near-misses", is_flag=True, help="Also what a zone, a guard, the spelling or an `unless` kept silent.")
@click.option("--all", "everything", is_flag=True, help="Also a line with empty lists where nothing was found.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines, also on a terminal.")
def command(
    file: Path, config_file: Path, watchlists: Sequence[str], *, text: bool, near_misses: bool, everything: bool, as_json: bool
) -> int:
    """Match articles against the watchlists: one line for each article and desk that hit, in the input's order.

    FILE (or -) holds one article a line as JSON: {"id", "title", "lead", "body", "rest", "lang", "url", "source",
    "published"}, all but one text optional; what `rasid extract` prints will do. Offsets are code points of the zone's own
    text. Lines that cannot be read are named on stderr; the others are matched all the same.

    \b
      echo '{"title": "Lloyd Austin in Baghdad"}' | rasid match
      rasid match --text --watchlist my-desk.yaml article.txt

    Exit codes: 0 done, 2 for a bad configuration, a bad watchlist, or input of which a part could not be read.
    """  # noqa: D301 - click's own mark for lines to keep as they are
    desks = _desks(config_file, watchlists)
    wanted = _Wanted(near_misses, everything, sys.stdout.isatty() and not as_json)
    compiled = compile_desks(desks)
    name = "standard input" if str(file) == "-" else str(file)
    bad = found = 0
    with _opened(file) as stream:
        for number, article in _texts(stream) if text else _lines(stream):
            if isinstance(article, str):
                click.echo(f"{name}:{number}: {article}", err=True)
                bad += 1
                continue
            found += _print(compiled, article, wanted)
    if not found and wanted.for_people:
        click.echo("nothing of the watchlists was found", err=True)
    return 2 if bad else 0


def _desks(config_file: Path, watchlists: Sequence[str]) -> tuple[Desk, ...]:
    if watchlists:
        desks = read_watchlists(watchlists, Path(), os.environ)
    else:
        desks = read_watchlists(load_config(config_file, os.environ).watchlists, config_file.parent, os.environ)
    for warning in chain.from_iterable(desk.warnings for desk in desks):
        click.echo(f"warning: {warning}", err=True)
    return desks


def _opened(file: Path) -> BinaryIO:
    try:
        return sys.stdin.buffer if str(file) == "-" else file.open("rb")
    except OSError as error:
        raise click.BadParameter(f"{file} cannot be read: {error.strerror}") from error


def _texts(stream: BinaryIO) -> Iterator[tuple[int, Article | str]]:
    yield 1, _article({"body": stream.read().decode("utf-8-sig", "replace")}, "text")


def _lines(stream: BinaryIO) -> Iterator[tuple[int, Article | str]]:
    """Articles, or what is wrong with their line."""
    number = 0
    while line := stream.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            yield number, f"the line is longer than {_LONGEST_LINE >> 20} MiB"
            while line and not line.endswith(b"\n"):
                line = stream.readline(_LONGEST_LINE)
        elif line.strip():
            try:
                values = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
            except orjson.JSONDecodeError as error:
                yield number, f"not valid JSON: {error}"
                continue
            yield number, _article(values, str(number)) if isinstance(values, dict) else "is no JSON object"


def _article(values: dict[str, Any], default_id: str) -> Article | str:
    try:
        return given_article(values, default_id)
    except ValueError as error:
        return str(error)


def _print(compiled: Compiled, article: Article, wanted: _Wanted) -> int:
    """Gives the number of lines."""
    printed = 0
    for desk, judgement in judge_article(compiled, article):
        for rule, error in judgement.failed.items():
            click.echo(f"warning: desk {desk.name}, rule {rule} raised: {error}", err=True)
        if judgement.hits or wanted.everything or (wanted.near_misses and judgement.near_misses):
            if wanted.for_people:
                click.echo(_shown(desk, article, judgement, wanted))
            else:
                click.echo(orjson.dumps(_line(desk, article, judgement, wanted)))
            printed += 1
    return printed


def _line(desk: Desk, article: Article, judgement: Judgement, wanted: _Wanted) -> dict[str, Any]:
    """The names of matching.md, “Names on the wire”."""
    severities = [actor.severity for actor in judgement.actors] + [rule.severity for rule in judgement.rules]
    live = judgement.actors or any(rule.stage is Stage.LIVE for rule in judgement.rules)
    return {
        "desk": desk.name,
        "article": article.id,
        "revision": article.revision,
        "watchlist": desk.version,
        "stage": (Stage.LIVE if live else Stage.SHADOW) if severities else None,
        "severity": max(severities, key=lambda severity: severity.rank, default=None),
        "actors": [actor.id for actor in judgement.actors],
        "rules": [rule.id for rule in judgement.rules],
        "hits": judgement.hits,
        "near_misses": judgement.near_misses if wanted.near_misses else [],
        "more_actors": judgement.more_actors,
        "more_rules": judgement.more_rules,
        "more_hits": judgement.more_hits,
        "more_misses": judgement.more_misses if wanted.near_misses else 0,
    }


def _shown(desk: Desk, article: Article, judgement: Judgement, wanted: _Wanted) -> str:
    names = [actor.name for actor in judgement.actors] + [f"rule {rule.name}" for rule in judgement.rules]
    line = _line(desk, article, judgement, wanted)
    severity = line["severity"] or Severity.LOW
    head = f"{desk.name} · {severity if names else 'nothing'} · {' · '.join(map(_plain, names))}".rstrip(" ·")
    lines = [click.style(head, bold=True) + f"   article {_plain(article.id)}"]
    lines += [f"  {_where(hit)}  {_marked(hit)}" for hit in judgement.hits]
    if wanted.near_misses:
        lines += [
            f"  {_where(miss)}  silent ({miss.reason}): {_isolated(_plain(miss.surface))}" for miss in judgement.near_misses
        ]
    return "\n".join(lines)


def _where(hit: Hit | Miss) -> str:
    return f"{hit.zone} {hit.start}-{hit.end} {hit.actor or ''}{' in ' if hit.actor and hit.rule else ''}{hit.rule or ''}"


def _marked(hit: Hit) -> str:
    end = hit.offset + len(hit.surface)
    before, after = _plain(hit.snippet[: hit.offset]), _plain(hit.snippet[end:])
    return _isolated(before + click.style(_plain(hit.surface), bold=True) + after)


def _plain(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


def _isolated(text: str) -> str:
    """Right-to-left text in a left-to-right line."""
    return f"\u2068{text}\u2069"
