"""Watchlist files to desks: finds them, unites a desk's parts, gives ids, and checks what only the whole desk can show."""

import difflib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from consumers.syntax import ActorTerm, ListTerm, Node, Term, walk
from consumers.watchlist.desk import Actor, Desk, Rule
from consumers.watchlist.models import DeskFile
from consumers.watchlist.names import make_id
from consumers.watchlist.parts import Part, make_part
from daemon.config.document import Document, parse_document, read_document
from daemon.config.load import validate
from daemon.errors import ConfigError, Problem

_MOST_FILES: Final = 1000
_Identified = TypeVar("_Identified", Actor, Rule)


def read_watchlists(patterns: Iterable[str], folder: Path, environ: Mapping[str, str]) -> tuple[Desk, ...]:
    """All desks of the files that the patterns name (globs, relative to `folder`), by name.

    A desk may be spread over several files, and a file may hold a list of desks. Raises `ConfigError` with every problem.
    """
    problems: list[Problem] = []
    parts: list[Part] = []
    for path in _found(patterns, folder, problems):
        try:
            document = read_document(path)
            parts.extend(_parts(document, path.read_bytes(), environ))
        except ConfigError as error:
            problems.extend(error.problems)
    return _desks(parts, problems)


def parse_watchlist(text: str, file: str) -> tuple[Desk, ...]:
    """Like `read_watchlists`, from the text of one file; `file` names it in errors and finds its lists."""
    return _desks([*_parts(parse_document(text, file), text.encode(), {})], [])


def _found(patterns: Iterable[str], folder: Path, problems: list[Problem]) -> Iterator[Path]:
    seen: set[Path] = set()
    for pattern in patterns:
        given = Path(pattern)
        root = Path(given.anchor) if given.is_absolute() else folder
        paths = sorted(islice(root.glob(str(given.relative_to(given.anchor))), _MOST_FILES + 1))
        if len(paths) > _MOST_FILES:
            problems.append(Problem(file=str(root / given), reason=f"names more than {_MOST_FILES} files"))
            continue
        if not paths:
            problems.append(Problem(file=str(root / given), reason="no watchlist file is there"))
        for path in paths:
            if path not in seen:
                seen.add(path)
                yield path


def _parts(document: Document, content: bytes, environ: Mapping[str, str]) -> Iterator[Part]:
    folder = Path(document.file).parent
    _refuse_doubtful(document)
    if isinstance(document.value, list):
        for index, entry in enumerate(validate(list[DeskFile], document, environ, folder)):
            yield make_part(entry, document, (index,), content)
    elif isinstance(document.value, dict):
        yield make_part(validate(DeskFile, document, environ, folder), document, (), content)
    else:
        raise ConfigError([Problem(file=document.file, line=1, reason="is no watchlist: it must begin with `desk: NAME`")])


def _refuse_doubtful(document: Document) -> None:
    """An unquoted `no` is a name to one reader and a switch to another; in a watchlist either mistake would be silent."""
    reason = "an unquoted yes, no, on or off may be meant as a word or as a switch: put it in quotes, or write true or false"
    if document.doubtful:
        raise ConfigError([document.problem(path, reason) for path in document.doubtful])


def _desks(parts: Sequence[Part], problems: list[Problem]) -> tuple[Desk, ...]:
    by_name: dict[str, list[Part]] = {}
    for part in parts:
        by_name.setdefault(part.entry.desk, []).append(part)
    desks = tuple(_desk(name, by_name[name], problems) for name in sorted(by_name))
    if problems:
        raise ConfigError(problems)
    return desks


def _desk(name: str, parts: Sequence[Part], problems: list[Problem]) -> Desk:
    placed_actors = [placed for part in parts for placed in part.actors]
    placed_rules = [placed for part in parts for placed in part.rules]
    actors = _with_ids(placed_actors, _actor_names, "actor", problems)
    rules = _with_ids(placed_rules, _rule_names, "rule", problems)
    for rule, (_, place) in zip(rules, placed_rules, strict=True):
        problems.extend(_dangling(rule, actors, place))
    content = hashlib.sha256(b"\x00".join(data for part in parts for data in part.content))
    return Desk(
        name=name,
        time_zone=_time_zone(parts, problems),
        actors=actors,
        rules=tuple(rule if rule.name else replace(rule, name=rule.id) for rule in rules),
        version=f"sha256:{content.hexdigest()}",
        notified=tuple(named for part in parts for named in part.notified),
        warnings=tuple(warning for part in parts for warning in part.warnings),
    )


def _time_zone(parts: Sequence[Part], problems: list[Problem]) -> str:
    said = [part for part in parts if part.entry.time_zone]
    for part in said[1:]:
        if part.entry.time_zone != said[0].entry.time_zone:
            reason = f"desk {part.entry.desk} has the time zone {said[0].entry.time_zone} in {_where(said[0].place)}"
            problems.append(replace(part.place, key="time_zone", reason=reason))
    return said[0].entry.time_zone or "UTC" if said else "UTC"


def _with_ids(
    placed: Sequence[tuple[_Identified, Problem]],
    names: Callable[[_Identified], Sequence[str]],
    what: str,
    problems: list[Problem],
) -> tuple[_Identified, ...]:
    """Ids as given, then those made from names; one id twice is a problem naming both places."""
    first: dict[str, Problem] = {}
    for thing, place in placed:
        if thing.id and thing.id in first:
            reason = f"the {what} {thing.id!r} stands in this desk twice, also in {_where(first[thing.id])}"
            problems.append(replace(place, reason=reason))
        elif thing.id:
            first[thing.id] = place
    taken = set(first)
    made: list[_Identified] = []
    for thing, _ in placed:
        identified = thing if thing.id else replace(thing, id=make_id(names(thing), taken))
        taken.add(identified.id)
        made.append(identified)
    return tuple(made)


def _actor_names(actor: Actor) -> list[str]:
    return [alias.text for alias in actor.aliases]


def _rule_names(rule: Rule) -> list[str]:
    return [rule.name] if rule.name else [node.text for node in walk(rule.where) if isinstance(node, Term)] or ["rule"]


def _dangling(rule: Rule, actors: Sequence[Actor], place: Problem) -> Iterator[Problem]:
    """Actors and lists that a rule names and the desk does not have."""
    ids = {actor.id for actor in actors}
    lists = {actor.list for actor in actors if actor.list}
    for node in _nodes(rule):
        if isinstance(node, ActorTerm) and node.id not in ids:
            yield replace(place, reason=f"rule {rule.id}: actor:{node.id} is no actor of this desk{_hint(node.id, ids)}")
        if isinstance(node, ListTerm) and node.file not in lists:
            yield replace(
                place, reason=f"rule {rule.id}: list:{node.file} is no file of this desk's actors{_hint(node.file, lists)}"
            )


def _nodes(rule: Rule) -> Iterator[Node]:
    yield from walk(rule.where)
    if rule.unless is not None:
        yield from walk(rule.unless)


def _hint(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _where(place: Problem) -> str:
    return f"{place.file}:{place.line}"
