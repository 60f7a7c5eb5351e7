"""One desk's part of one file, made into actors and rules. What concerns the whole desk (`read`) is not checked here."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from consumers.stored import Stored
from consumers.syntax import And, Exactness, Node, Not, Or, Term, make_term
from consumers.text.endings import default_languages
from consumers.text.scripts import Clitics
from consumers.text.spelling import needs_check
from consumers.watchlist.desk import Actor, Nearby, Rule, RuleTest
from consumers.watchlist.listing import Listing, read_listing, write_listing
from consumers.watchlist.lists import make_listing, read_list
from consumers.watchlist.models import ActorEntry, ActorFile, Alias, Defaults, DeskFile, Names, RuleEntry, Said, TestEntry
from consumers.watchlist.names import readable
from consumers.watchlist.warnings import warn
from daemon.config.document import Document, KeyPath
from daemon.errors import DecodeError, Problem

Written: TypeAlias = tuple[Actor, Problem]
"""An actor of the watchlist itself, and where it stands."""


@dataclass(frozen=True, slots=True)
class NameFile:
    """A file of names, and what the watchlist says for all of them."""

    listing: Listing
    content: bytes
    path: str
    file: str
    defaults: Defaults


@dataclass(frozen=True, slots=True)
class Part:
    """What one file says of one desk. Actors and rules without an id in the file have an empty one still."""

    entry: DeskFile
    actors: tuple[Written | NameFile, ...]
    rules: tuple[tuple[Rule, Problem], ...]
    content: tuple[bytes, ...]
    place: Problem
    notified: tuple[tuple[str, Problem], ...]
    warnings: tuple[Problem, ...]


def make_part(entry: DeskFile, document: Document, at: KeyPath, content: bytes, stored: Stored) -> Part:
    """Raises `ConfigError` for files of names that cannot be read."""
    actors, rules = tuple(_actors(entry, document, at, stored)), tuple(_rules(entry, document, at))
    name_files = [each for each in actors if isinstance(each, NameFile)]
    warnings = [*warn([each for each in actors if not isinstance(each, NameFile)], rules)]
    for each in name_files:
        warnings += [Problem(file=each.path, line=warned.line, reason=warned.reason) for warned in each.listing.warnings]
    return Part(
        entry,
        actors,
        rules,
        (content, *(each.content for each in name_files)),
        document.problem((*at, "desk"), ""),
        tuple(_notified(entry, document, at)),
        tuple(warnings),
    )


def _notified(entry: DeskFile, document: Document, at: KeyPath) -> Iterator[tuple[str, Problem]]:
    """Each receiver where it is named."""
    named: list[tuple[KeyPath, tuple[str, ...]]] = [(("defaults",), entry.defaults.notify)]
    for key, items in (("actors", entry.actors), ("keywords", entry.keywords), ("rules", entry.rules)):
        full = ((index, item) for index, item in enumerate(items) if isinstance(item, ActorEntry | RuleEntry))
        named += [((key, index), item.notify) for index, item in full]
    for path, names in named:
        yield from ((name, document.problem((*at, *path, "notify"), "")) for name in names)


def _actors(entry: DeskFile, document: Document, at: KeyPath, stored: Stored) -> Iterator[Written | NameFile]:
    folder = Path(document.file).parent
    for index, item in enumerate(entry.actors):
        if isinstance(item, ActorFile):
            path = folder / item.file
            content = read_list(path)
            yield NameFile(_listing(content, path, stored), content, str(path), item.file, entry.defaults)
        else:
            yield _actor(item, entry.defaults), document.problem((*at, "actors", index), "")


def _listing(content: bytes, path: Path, stored: Stored) -> Listing:
    """As it was read before, if it was."""
    of = (path.suffix.encode(), content)
    known = stored.get("names", of)
    with suppress(DecodeError):
        if known is not None:
            return read_listing(known)
    listing = make_listing(content, path)
    stored.put("names", of, write_listing(listing))
    return listing


def _actor(item: ActorEntry | str | tuple[str | Alias, ...], defaults: Defaults) -> Actor:
    entry = item if isinstance(item, ActorEntry) else ActorEntry.model_construct(names=item)
    aliases = _aliases(_flat(entry.names), entry.inflect)
    near = entry.require_near
    return Actor(
        id=entry.id or "",
        name=readable([alias.text for alias in aliases]),
        kind=entry.kind,
        aliases=aliases,
        severity=entry.severity or defaults.severity,
        notify=entry.notify or defaults.notify,
        alert=entry.alert,
        require_near=Nearby(terms=tuple(map(make_term, near.any)), within=near.within) if near else None,
        not_in=tuple(make_term(phrase, Clitics.NAME) for phrase in entry.not_in),
    )


def _flat(names: Names, language: str = "") -> Iterator[tuple[Alias, str]]:
    """Each name with the language under which it is written, if any."""
    if isinstance(names, str):
        yield Alias.model_construct(name=names), language
    elif isinstance(names, Alias):
        yield names, language
    elif isinstance(names, dict):
        for code, some in names.items():
            yield from _flat(some, code)
    else:
        for name in names:
            yield from _flat(name, language)


def _aliases(names: Iterable[tuple[Alias, str]], inflect: Said) -> tuple[Term, ...]:
    """Each name once; of several that fold alike and are asked the same, the first."""
    terms: dict[tuple[str, str], Term] = {}
    for alias, language in names:
        term = make_term(alias.name, Clitics.NAME)
        exactness = Exactness.SPELLED if needs_check(term.key) and not alias.loose else Exactness.FOLDED
        said = inflect if alias.inflect is None else alias.inflect
        unsaid = default_languages(alias.name, language) if said is not False else ()
        term = replace(term, exactness=exactness, endings=said if isinstance(said, tuple) else unsaid)
        terms.setdefault((term.key, term.text if term.exactness is Exactness.SPELLED else ""), term)
    return tuple(terms.values())


def _rules(entry: DeskFile, document: Document, at: KeyPath) -> Iterator[tuple[Rule, Problem]]:
    for key, items in (("keywords", entry.keywords), ("rules", entry.rules)):
        for index, item in enumerate(items):
            written = RuleEntry(any=(item,), name=item) if isinstance(item, str) else item
            place = document.problem((*at, key, index), "")
            tests = tuple(
                _test(test, document, (*at, key, index, "tests", number)) for number, test in enumerate(written.tests)
            )
            yield _rule(written, entry.defaults, tests), place


def _rule(entry: RuleEntry, defaults: Defaults, tests: tuple[RuleTest, ...]) -> Rule:
    return Rule(
        id=entry.id or "",
        name=entry.name,
        where=_literal(entry) if entry.where is None else entry.where,
        unless=entry.unless,
        zones=frozenset(entry.zones),
        severity=entry.severity or defaults.severity,
        notify=entry.notify or defaults.notify,
        stage=entry.stage,
        tests=tests,
    )


def _literal(entry: RuleEntry) -> Node:
    """`any`, `all` and `none` as a tree."""
    parts: list[Node] = [make_term(phrase) for phrase in dict.fromkeys(entry.all)]
    if entry.any:
        parts.append(_either(entry.any))
    if entry.none:
        parts.append(Not(_either(entry.none)))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _either(phrases: tuple[str, ...]) -> Node:
    terms = tuple(make_term(phrase) for phrase in dict.fromkeys(phrases))
    return terms[0] if len(terms) == 1 else Or(terms)


def _test(test: TestEntry, document: Document, path: KeyPath) -> RuleTest:
    article = test.match or test.miss
    values = article.model_dump(exclude_defaults=True) if article else {}
    return RuleTest(holds=test.match is not None, article=values, place=document.problem(path, ""))
