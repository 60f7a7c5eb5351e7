"""`rasid check`: everything people wrote, read as the service would read it, and the rules' own tests."""

import difflib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click
import orjson

from consumers.explain import Explanation, explain
from consumers.ruletests import check_watchlists
from daemon.app.doubts import doubts
from daemon.app.setup import Setup, load_setup
from daemon.cli.options import CONFIG_FILE
from daemon.errors import ConfigError, Problem

_SHOWN: Final = 8
_MOST_IDS: Final = 10_000


@click.command()
@CONFIG_FILE
@click.option("--explain", "rule", metavar="RULE", help="How this rule is read, what it needs and costs; RULE or DESK/RULE.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a problem or warning, also on a terminal.")
def command(config_file: Path, rule: str | None, *, as_json: bool) -> int:
    """Check the configuration, its feeds and watchlists, and run the rules' own tests.

    Every mistake is told with file, line, key and reason: as text on a terminal, as JSON lines when piped. Nothing is
    started, no server is asked.

    With --explain the rule stands before the summary: its tree, what must be found for it to be looked at (the first of
    these is its anchor, until the service has seen what is met least), and how many terms and places it looks for.

    Exit codes: 0 when the service would start with it, 2 when not. Warnings do not count.
    """
    as_json = as_json or not sys.stdout.isatty()
    try:
        setup = load_setup(config_file, os.environ)
        failed = check_watchlists(setup.desks)
    except ConfigError as error:
        _tell("error", error.problems, as_json=as_json)
        return 2
    _tell("warning", doubts(setup, os.environ), as_json=as_json)
    _tell("error", failed, as_json=as_json)
    if rule is not None:
        for line in _explained(setup, rule, as_json=as_json):
            click.echo(line)
    for line in _summary(setup, as_json=as_json):
        click.echo(line)
    return 2 if failed else 0


def _tell(level: str, problems: Sequence[Problem], *, as_json: bool) -> None:
    """Text goes to stderr in any case: a person who pipes the lines away should still see what is wrong."""
    for problem in problems:
        click.echo(f"{level}: {problem}", err=True)
        if as_json:
            click.echo(orjson.dumps({"level": level, **asdict(problem)}).decode())


def _explained(setup: Setup, wanted: str, *, as_json: bool) -> Iterator[str]:
    known = [
        explain(desk, rule) for desk in setup.desks for rule in desk.rules if wanted in {rule.id, f"{desk.name}/{rule.id}"}
    ]
    if not known:
        ids = [rule.id for desk in setup.desks for rule in desk.rules]
        close = difflib.get_close_matches(wanted.rpartition("/")[2], ids[:_MOST_IDS], n=1)
        raise click.UsageError(f"no desk has a rule {wanted}" + (f"; did you mean {close[0]}?" if close else ""))
    for each in known:
        yield orjson.dumps({"level": "rule", **asdict(each)}).decode() if as_json else "\n".join(_for_people(each))


def _for_people(rule: Explanation) -> Iterator[str]:
    yield f"desk {rule.desk}, rule {rule.rule}, in {', '.join(rule.zones)}"
    for name, lines in (("where", rule.where), ("unless", rule.unless)):
        yield from (f"{name if not number else '':8}{line}" for number, line in enumerate(lines))
    for number, clause in enumerate(rule.needs):
        more = f" and {len(clause) - _SHOWN} more" if len(clause) > _SHOWN else ""
        yield f"{'anchor' if not number else 'and':8}{' or '.join(clause[:_SHOWN])}{more}"
    yield f"{'cost':8}{_counted('terms', rule.terms)} searched for, {_counted('operators', rule.places)} on places"


def _summary(setup: Setup, *, as_json: bool) -> Iterator[str]:
    counts = {
        "feeds": len(setup.sources),
        "desks": len(setup.desks),
        "actors": sum(len(desk.actors) for desk in setup.desks),
        "rules": sum(len(desk.rules) for desk in setup.desks),
        "tests": sum(len(rule.tests) for desk in setup.desks for rule in desk.rules),
        "receivers": len(setup.config.receivers),
    }
    if as_json:
        yield orjson.dumps({"level": "summary", "file": str(setup.file), **counts}).decode()
    else:
        yield f"{setup.file}: " + ", ".join(_counted(*each) for each in counts.items())


def _counted(name: str, count: int) -> str:
    return f"{count} {name.removesuffix('s') if count == 1 else name}"
