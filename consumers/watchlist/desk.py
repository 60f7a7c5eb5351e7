"""What a watchlist says once read: plain frozen records, every default filled in. The matcher compiles them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consumers.syntax import Node, Term
from daemon.errors import Problem
from daemon.messages.article import Zone
from daemon.messages.match import Severity, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """`require_near`: one of these within so many words, or the hit is a near miss."""

    terms: tuple[Term, ...]
    within: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Someone or something watched. `name` is what people read; `list` the file it came from, as the watchlist names it."""

    id: str
    name: str
    kind: str
    aliases: tuple[Term, ...]
    severity: Severity
    notify: tuple[str, ...] = ()
    alert: bool = True
    require_near: Nearby | None = None
    not_in: tuple[Term, ...] = ()
    list: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning of a file of names, and the line of its first name."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTest:
    """A text (by zone) or an article's other properties, and whether the rule must hold for it. `place` names it in errors."""

    holds: bool
    article: Mapping[str, str]
    place: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    id: str
    name: str
    where: Node
    unless: Node | None
    zones: frozenset[Zone]
    severity: Severity
    notify: tuple[str, ...]
    stage: Stage
    tests: tuple[RuleTest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One desk's watchlist, from all its files. `version` is `sha256:` and the hash of their content.

    `notified` are the receivers that its files name, each with the place where they do.
    """

    name: str
    time_zone: str
    actors: Sequence[Actor]
    rules: tuple[Rule, ...]
    version: str
    notified: tuple[tuple[str, Problem], ...] = ()
    warnings: tuple[Problem, ...] = ()
