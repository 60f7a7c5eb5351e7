"""Watchlist files to desks: finds them, unites a desk's parts, gives ids, and checks what only the whole desk can show."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

from consumers.stored import NotStored, Stored
from consumers.syntax import Term, walk
from consumers.watchlist.desk import Desk, Rule
from consumers.watchlist.ids import dangling, enrolled, place_of, with_ids
from consumers.watchlist.models import DeskFile
from consumers.watchlist.parts import NameFile, Part, make_part
from consumers.watchlist.warnings import warn_of_shared
from daemon.config.document import Document, parse_document, read_document
from daemon.config.load import validate
from daemon.errors import ConfigError, Problem

_MOST_FILES: Final = 1000


def read_watchlists(
    patterns: Iterable[str], folder: Path, environ: Mapping[str, str], stored: Stored | None = None
) -> tuple[Desk, ...]:
    """All desks of the files that the patterns name (globs, relative to `folder`), by name.

    A desk may be spread over several files, and a file may hold a list of desks. Files of names are read once and `stored`.
    Raises `ConfigError` with every problem.
    """
    stored = stored or NotStored()
    problems: list[Problem] = []
    parts: list[Part] = []
    for path in _found(patterns, folder, problems):
        try:
            document = read_document(path)
            parts.extend(_parts(document, path.read_bytes(), environ, stored))
        except ConfigError as error:
            problems.extend(error.problems)
    return _desks(parts, problems)


def parse_watchlist(text: str, file: str) -> tuple[Desk, ...]:
    """Like `read_watchlists`, from the text of one file; `file` names it in errors and finds its lists."""
    return _desks([*_parts(parse_document(text, file), text.encode(), {}, NotStored())], [])


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


def _parts(document: Document, content: bytes, environ: Mapping[str, str], stored: Stored) -> Iterator[Part]:
    folder = Path(document.file).parent
    _refuse_doubtful(document)
    if isinstance(document.value, list):
        for index, entry in enumerate(validate(list[DeskFile], document, environ, folder)):
            yield make_part(entry, document, (index,), content, stored)
    elif isinstance(document.value, dict):
        yield make_part(validate(DeskFile, document, environ, folder), document, (), content, stored)
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
    placed_rules = [placed for part in parts for placed in part.rules]
    actors = enrolled([placed for part in parts for placed in part.actors], problems)
    rules = with_ids(placed_rules, _rule_names, "rule", problems)
    problems.extend(dangling(list(zip(rules, (place for _, place in placed_rules), strict=True)), actors))
    content = hashlib.sha256(b"\x00".join(data for part in parts for data in part.content))
    written = [placed for part in parts for placed in part.actors if not isinstance(placed, NameFile)]
    named = zip((actor for _, actor in actors.written), (place for _, place in written), strict=True)
    return Desk(
        name=name,
        time_zone=_time_zone(parts, problems),
        actors=actors,
        rules=tuple(rule if rule.name else replace(rule, name=rule.id) for rule in rules),
        version=f"sha256:{content.hexdigest()}",
        notified=tuple(named for part in parts for named in part.notified),
        warnings=(*(warning for part in parts for warning in part.warnings), *warn_of_shared(named)),
    )


def _time_zone(parts: Sequence[Part], problems: list[Problem]) -> str:
    said = [part for part in parts if part.entry.time_zone]
    for part in said[1:]:
        if part.entry.time_zone != said[0].entry.time_zone:
            reason = f"desk {part.entry.desk} has the time zone {said[0].entry.time_zone} in {place_of(said[0].place)}"
            problems.append(replace(part.place, key="time_zone", reason=reason))
    return said[0].entry.time_zone or "UTC" if said else "UTC"


def _rule_names(rule: Rule) -> list[str]:
    return [rule.name] if rule.name else [node.text for node in walk(rule.where) if isinstance(node, Term)] or ["rule"]
