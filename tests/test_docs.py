"""What the documentation names exists, and what exists is documented.

A table after `<!-- names: WHAT -->` lists all of WHAT, one a row, in backticks in its first column. WHAT may have several
tables.
"""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args

import click
import pytest
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from alerts.channels.base import SendReason
from alerts.finding import LABELS
from consumers.enricher import Sight
from consumers.watchlist.models import DeskFile
from consumers.zones.reasons import BlockReason
from daemon.app.reload import Reloaded
from daemon.app.roles import Role
from daemon.cli.main import rasid
from daemon.config.document import parse_document
from daemon.config.load import validate
from daemon.config.models import Config
from daemon.config.schema import schema_text
from daemon.feeds.asked import Stage as Answer
from daemon.feeds.jobs import PageOutcome, PollOutcome
from daemon.feeds.parse.parsed import Reason as ParseReason
from daemon.feeds.polling import OF_REASON
from daemon.feeds.rows import FeedState
from daemon.messages.alert import Delivery, Reason, Told
from daemon.messages.match import NearMiss
from daemon.metrics import SPECS
from daemon.net.answers import FetchOutcome

ROOT = Path(__file__).parent.parent
SEEDS = [ROOT / "config.yaml", *sorted((ROOT / "seeds").rglob("*.yaml"))]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "tests" / "README.md"]
CODE = [path for folder in ("daemon", "consumers", "alerts") for path in sorted((ROOT / folder).rglob("*.py"))]
LOGGED = {"debug", "info", "warning", "error", "exception", "critical", "say", "_left", "Notice"}
"""What writes a log event whose name is its first argument; "say" and "_left" are bound to a logger's
method where they stand, and a hop's `Notice` is logged by the runner."""


@cache
def tables(what: str) -> list[list[str]]:
    """The rows below all markers of WHAT: their cells."""
    rows: list[list[str]] = []
    for page in PAGES:
        for table in re.findall(rf"<!-- names: {re.escape(what)} -->\n+((?:\|.*\n)+)", page.read_text("utf-8")):
            rows += [re.split(r"(?<!\\) *\| *", line.strip())[1:-1] for line in table.splitlines()[2:]]
    return rows


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def names(what: str) -> list[str]:
    found = [quoted(row[0]) for row in tables(what)]
    assert all(len(each) == 1 for each in found), f"a row of {what} names not exactly one thing"
    return [each[0] for each in found]


def agree(what: str, known: Iterable[str]) -> None:
    """Documented is what is known: nothing more, nothing less, nothing twice."""
    assert sorted(names(what)) == sorted(set(known))


def keys(model: type[BaseModel], before: str = "", trail: tuple[type, ...] = ()) -> Iterator[tuple[str, FieldInfo]]:
    """Every key as a dotted path, `[]` for entries of a list; a model within itself is named, and not entered again."""
    for name, field in model.model_fields.items():
        path = f"{before}{field.alias or name}"
        yield path, field
        for inner, brackets in models_of(field.annotation):
            if inner not in trail:
                yield from keys(inner, f"{path}{brackets}.", (*trail, inner))


def models_of(annotation: Any, brackets: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """The models a key may hold, and whether as entries of a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, brackets
    inside = "[]" if getattr(annotation, "__origin__", None) is tuple else brackets
    for part in get_args(annotation):
        if isinstance(part, type) or get_args(part):
            yield from models_of(part, inside)


FIELDS: Mapping[str, FieldInfo] = dict(keys(Config))


def commands(group: click.Group, context: click.Context, before: str) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, context, f"{before} {name}")
        else:
            yield f"{before} {name}", command


COMMANDS = dict(commands(rasid, click.Context(rasid), "rasid"))


def options(command: click.Command) -> set[str]:
    return {name for option in command.params if isinstance(option, click.Option) for name in option.opts}


def said(functions: set[str], position: int = 0) -> set[str]:
    """The constants that calls of such functions have as first (or another) argument, in all the code."""
    found = set()
    for node in (node for path in CODE for node in ast.walk(ast.parse(path.read_text("utf-8")))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in functions:
            argument = node.args[position] if len(node.args) > position else None
            found |= {argument.value} if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else set()
    return found


@pytest.mark.parametrize("page", ["README.md", "docs/configuration.md"])
def test_examples(page: str, tmp_path: Path) -> None:
    """Every example of a configuration is one that Rasid accepts."""
    secrets = {"SLACK_WEBHOOK_URL": "https://hooks.example.org/T", "SMTP_PASSWORD": "x", "HOOK_SECRET": "whsec_c2VjcmV0"}
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    documents = [parse_document(block, page) for block in blocks]
    examples = [document for document in documents if set(document.value) <= set(Config.model_fields)]
    assert len(examples) >= 3
    for document in examples:
        validate(Config, document, secrets, tmp_path)


def test_labels() -> None:
    """Every label that matchers can ask for is documented."""
    agree("labels", LABELS)


def test_config_keys() -> None:
    """docs/configuration.md has every key of config.yaml, and no other."""
    agree("config keys", FIELDS)


@pytest.mark.parametrize("row", tables("config keys"), ids=lambda row: str(quoted(row[0])))
def test_config_defaults(row: list[str]) -> None:
    """What a key's default column quotes is its default, written as in the file; what must be set is `needed`."""
    field = FIELDS[quoted(row[0])[0]]
    assert field.is_required() is (row[2] == "needed")
    for written in quoted(row[2]):
        shape: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        value = TypeAdapter(shape).validate_python(parse_document(f"x: {written}", "docs").value["x"])
        assert value == field.get_default(call_default_factory=True)


def test_watchlist_keys() -> None:
    """docs/watchlists.md names every key of a watchlist."""
    wanted = {path.rpartition(".")[2] for path, _ in keys(DeskFile)}
    prose = re.sub(r"```.*?```", "", (ROOT / "docs" / "watchlists.md").read_text("utf-8"), flags=re.DOTALL)
    assert wanted <= set(re.findall(r"\w+", " ".join(quoted(prose))))


def test_schema() -> None:
    """docs/config.schema.json is made from the models as they are (`make schema`)."""
    assert (ROOT / "docs" / "config.schema.json").read_text("utf-8") == schema_text()


def test_commands() -> None:
    """Every command is documented with its options, and every option with its meaning."""
    agree("commands", COMMANDS)
    for row in tables("commands"):
        assert set(quoted(row[1])) == options(COMMANDS[quoted(row[0])[0]]), row[0]
    agree("options", {option for command in COMMANDS.values() for option in options(command)})


def test_metrics() -> None:
    """Every metric is documented with its labels."""
    agree("metrics", SPECS)
    for row in tables("metrics"):
        assert quoted(row[1]) == list(SPECS[quoted(row[0])[0]].labels), row[0]


REASONS: dict[str, Iterable[type[StrEnum]]] = {
    "outcomes of findings": [Told],
    "reasons of findings": [Reason],
    "near misses": [NearMiss],
    "outcomes of messages": [Delivery],
    "reasons of messages": [SendReason],
    "outcomes of polls": [PollOutcome],
    "outcomes of requests": [FetchOutcome],
    "reasons of parse": [ParseReason],
    "reasons of blocks": [BlockReason],
    "states of feeds": [FeedState],
    "articles at the enricher": [Sight],
    "roles": [Role],
    "outcomes of reloads": [Reloaded],
    "answers to poll now": [Answer],
}


def test_reasons_and_outcomes() -> None:
    """What a document gives nothing for is one outcome of its poll, and the page says which; no value means two things."""
    assert {quoted(row[0])[0]: quoted(row[1])[0] for row in tables("reasons of parse")} == OF_REASON
    assert not {*PollOutcome, *PageOutcome} & {*FetchOutcome}


@pytest.mark.parametrize("what", REASONS)
def test_reasons(what: str) -> None:
    """Every reason and outcome that people can meet is documented."""
    agree(what, [member.value for enum in REASONS[what] for member in enum if member.value])


def test_dead_letter_reasons() -> None:
    """Every reason a record is set aside for is documented."""
    agree("reasons of dead letters", said({"Unprepared"}) | said({"set_aside"}, 1))


def test_log_events() -> None:
    """Every log event is documented."""
    agree("log events", said(LOGGED))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page: Path) -> None:
    """Every relative link leads to a file."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if not re.match(r"\w+:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths(page: Path) -> None:
    """Every file and folder of the project that is named in code is there."""
    for path in re.findall(r"`((?:daemon|consumers|alerts|tests|docs|seeds|benchmarks)/[\w/.-]*)`", page.read_text("utf-8")):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", [*PAGES, *SEEDS], ids=lambda page: page.name)
def test_commands_and_targets_exist(page: Path) -> None:
    """What stands in code as `rasid …` or `make …` is a command or a target."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for code in re.findall(r"```.*?```|`[^`\n]+`", page.read_text("utf-8"), re.DOTALL):
        for target in re.findall(r"(?:^|[`$&|;]\s*)make ([a-z][a-z-]*)", code, re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
        for name in re.findall(r"(?:^|[`$&|;]\s*|bin/)rasid ([a-z][a-z-]*)", code, re.MULTILINE):
            assert name in rasid.list_commands(click.Context(rasid)), f"rasid {name}"


def test_nothing_of_one_machine_is_committed() -> None:
    """No committed text names a package registry's host or a path of the machine it was written on."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a checkout, to know what is committed")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    registries = (("pypi", "org"), ("pythonhosted", "org"), ("maven", "org"), ("repo.maven.apache", "org"), ("npmjs", "com"))
    hosts = [".".join(parts) for parts in (*registries, ("debian", "org"))]
    paths = [f"/{start}" for start in ("work/", "root/", "home/", "opt/", "tmp/")]
    for path in (ROOT / name for name in listed.split("\0") if name):
        text = path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
        assert not [found for found in (*hosts, *paths) if found in text], path
